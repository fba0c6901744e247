#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "console.h"
#include "signals.h"

namespace carousel::cli {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kLineSeconds = 10;
constexpr int kBarColumns = 20;

std::string plural(std::int64_t count, const char* word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

ProgressSettings terminal_settings(bool quiet, bool verbose) {
  ProgressSettings settings;
  settings.quiet = quiet;
  settings.verbose = verbose;
  const char* kind = std::getenv("TERM");
  settings.terminal = ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
  struct winsize size {};
  if (settings.terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    settings.columns = size.ws_col;
  }
  settings.seconds = [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  };
  settings.write = [](const std::string& text) { Console().write_error_stream(text); };
  settings.stop_requested = [] { return stop_signal() != 0; };
  return settings;
}

Progress::Progress(ProgressSettings settings) : settings_(std::move(settings)) {
  start_ = settings_.seconds();
  next_output_ = start_ + (settings_.terminal ? 0 : kLineSeconds);
}

void Progress::note(const std::string& text) { line(one_line(text)); }

void Progress::warning(const std::string& text) {
  clear();
  settings_.write("warning: " + one_line(text) + "\n");
}

void Progress::step(const StepEvent& event) {
  step_ = event;
  ++steps_;
  const double now = settings_.seconds();
  if (settings_.quiet || now < next_output_) return;
  next_output_ = now + (settings_.terminal ? kRedrawSeconds : kLineSeconds);
  if (settings_.terminal) {
    redraw();
  } else {
    line(status());
  }
}

void Progress::epoch(const EpochEvent& event) {
  epoch_ = event;
  if (steps_ > 0) ++epochs_;
  if (event.best) best_ = event;
  if (!settings_.verbose) return;
  line(fmt::format("epoch {}/{}: training loss {:.5g}, validation loss {:.5g}, {} {:.5g}{}", event.epoch, event.epochs,
                   event.training_loss, event.validation_loss, event.metric, event.metric_value,
                   event.best ? ", best so far" : ""));
}

bool Progress::stop_requested() {
  const bool stop = settings_.stop_requested();
  if (stop && !stop_announced_) line("stopping after this step; once more to stop at once");
  stop_announced_ = stop;
  return stop;
}

void Progress::finish() {
  clear();
  if (settings_.quiet || steps_ == 0) return;
  std::string text = fmt::format("{}, {} in {}", plural(epochs_, "epoch"), plural(steps_, "step"),
                                 clock_text(settings_.seconds() - start_));
  if (best_.epoch > 0)
    text += fmt::format("; best: epoch {}, {} {:.5g}", best_.epoch, best_.metric, best_.metric_value);
  line(text);
}

void Progress::line(const std::string& text) {
  if (settings_.quiet) return;
  clear();
  settings_.write(text + "\n");
}

void Progress::clear() {
  if (drawn_) settings_.write("\r\x1b[K");
  drawn_ = false;
}

void Progress::redraw() {
  const std::int64_t total = std::max<std::int64_t>(step_.epochs * step_.steps_in_epoch, 1);
  const std::int64_t done = (step_.epoch - 1) * step_.steps_in_epoch + step_.step;
  std::string text = bar(static_cast<double>(done) / static_cast<double>(total)) + " " + status();
  const auto width = static_cast<std::size_t>(std::max(settings_.columns - 1, 1));  // the last column would wrap
  if (text.size() > width) text.resize(width);
  settings_.write("\r" + text + "\x1b[K");
  drawn_ = true;
}

std::string Progress::bar(double done) const {
  const auto full = static_cast<int>(std::clamp(done, 0.0, 1.0) * kBarColumns);
  return fmt::format("[{:#<{}}{:.<{}}]", "", full, "", kBarColumns - full);
}

std::string Progress::status() const {
  const double rate = static_cast<double>(steps_) / std::max(settings_.seconds() - start_, 1e-9);
  const std::int64_t left = std::max<std::int64_t>(
      (step_.epochs - step_.epoch) * step_.steps_in_epoch + step_.steps_in_epoch - step_.step, 0);
  std::string text =
      fmt::format("epoch {}/{} step {}/{} {:.1f} steps/s left {} loss {:.4g}", step_.epoch, step_.epochs, step_.step,
                  step_.steps_in_epoch, rate, clock_text(static_cast<double>(left) / rate), step_.loss);
  if (epoch_.epoch > 0) text += fmt::format(" {} {:.4g}", epoch_.metric, epoch_.metric_value);
  return text;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

}  // namespace carousel::cli
