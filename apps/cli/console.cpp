#include "console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "base/fail.h"
#include "base/json.h"
#include "command_line.h"
#include "data/text/display_width.h"
#include "data/text/utf8.h"

namespace carousel::cli {
namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// NO_COLOR (no-color.org) and a dumb terminal switch colours off unless the user asks for them by flag.
bool shows_color(const std::string& mode, int descriptor) {
  if (mode == "always") return true;
  if (mode == "never" || is_set("NO_COLOR")) return false;
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string painted(bool on, Style style, std::string_view text) {
  if (!on || style == Style::kPlain) return std::string(text);
  const char* code = style == Style::kBold     ? "1"
                     : style == Style::kGreen  ? "32"
                     : style == Style::kYellow ? "33"
                                               : "31";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

// False if it cannot be written; errno says why.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ::ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

void Console::configure(const CommandLine& line) {
  json_ = line.is_on("--json");
  quiet_ = line.is_on("--quiet");
  verbose_ = line.is_on("--verbose");
  const std::string mode = line.text("--color", "auto");
  color_out_ = shows_color(mode, STDOUT_FILENO);
  color_error_ = shows_color(mode, STDERR_FILENO);
}

void Console::out(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Console::out_json(const nlohmann::ordered_json& document) {
  out(json_output(document));
  out("\n");
}

void Console::flush() {
  const std::string text = std::exchange(buffer_, {});
  wrote_ = wrote_ || !text.empty();
  if (write_all(STDOUT_FILENO, text)) return;
  if (errno == EPIPE) throw BrokenPipe();
  fail(Code::kIo, "standard output: cannot write: {}", std::generic_category().message(errno));
}

void Console::note(std::string_view line) const {
  if (!quiet_) write_error_stream(one_line(line) + "\n");
}

void Console::warning(std::string_view line) const {
  write_error_stream(fmt::format("{} {}\n", paint_error(Style::kYellow, "warning:"), one_line(line)));
}

void Console::error(std::string_view code, std::string_view message) noexcept {
  try {
    write_error_stream(fmt::format("{} {}\n", paint_error(Style::kRed, "error:"), one_line(message)));
    if (!json_ || wrote_) return;
    buffer_.clear();
    out_json({{"schema", 1}, {"error", {{"code", code}, {"message", message}}}});
    flush();
  } catch (const BrokenPipe&) {  // the program fails anyway, with the status of the first error
  } catch (const std::exception&) {
    write_all(STDERR_FILENO, "error: out of memory\n");
  }
}

std::string Console::paint(Style style, std::string_view text) const { return painted(color_out_, style, text); }

std::string Console::paint_error(Style style, std::string_view text) const {
  return painted(color_error_, style, text);
}

void Console::write_error_stream(std::string_view text) const { write_all(STDERR_FILENO, text); }

std::string one_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const std::int32_t c = next_character(text, at);
    if (c == '\n' || c == '\t') {
      line += ' ';
    } else if (c >= 0 && (c < 0x20 || c == 0x7F)) {
      line += fmt::format("\\x{:02X}", c);
    } else if ((c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069)) {  // they turn the rest of the line round
      line += fmt::format("\\u{:04X}", c);
    } else {
      line += text.substr(start, at - start);
    }
  }
  return line;
}

std::string padded(std::string_view text, std::size_t columns, bool right) {
  const std::size_t width = display_width(text);
  const std::string spaces(width < columns ? columns - width : 0, ' ');
  return right ? spaces + std::string(text) : std::string(text) + spaces;
}

std::string text_table(const std::vector<std::vector<std::string>>& rows, bool numbers) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (std::size_t k = 0; k < row.size(); ++k) widths[k] = std::max(widths[k], display_width(row[k]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t k = 0; k < row.size(); ++k) {
      if (k > 0) line += "  ";
      line += padded(row[k], widths[k], numbers && k > 0);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace carousel::cli
