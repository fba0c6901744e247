// progress.h: shows training on standard error.
//
// On a terminal: one line with bar, epoch, steps per second, time left, loss and metric, redrawn at most 10 times a
// second and cleared at the end. Elsewhere: one plain line at most every 10 s, no control bytes. Both end with a
// summary.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "train/observer.h"

namespace carousel::cli {

struct ProgressSettings {
  bool quiet = false;                             // warnings only
  bool verbose = false;                           // a line for every epoch
  bool terminal = false;                          // may be redrawn
  int columns = 80;                               // width of the terminal
  std::function<double()> seconds;                // a clock that never goes back
  std::function<void(const std::string&)> write;  // to standard error
  std::function<bool()> stop_requested;
};

// Settings for the real standard error.
ProgressSettings terminal_settings(bool quiet, bool verbose);

class Progress final : public Observer {
 public:
  explicit Progress(ProgressSettings settings);

  void note(const std::string& line) override;
  void warning(const std::string& line) override;
  void step(const StepEvent& event) override;
  void epoch(const EpochEvent& event) override;
  bool stop_requested() override;

  // Clears the line and prints the summary. Call it when training has returned or thrown.
  void finish();

 private:
  void redraw();
  void clear();
  void line(const std::string& text);
  std::string status() const;
  std::string bar(double done) const;

  ProgressSettings settings_;
  StepEvent step_;
  EpochEvent epoch_;  // the last one finished
  EpochEvent best_;
  double start_ = 0;         // of training
  double next_output_ = 0;   // not before this time
  std::int64_t steps_ = 0;   // so far; a resumed training tells its past epochs before its first step
  std::int64_t epochs_ = 0;  // finished after such a step
  bool stop_announced_ = false;
  bool drawn_ = false;  // a line stands on the terminal
};

// "1:05" or "2:03:10": whole seconds, rounded.
std::string clock_text(double seconds);

}  // namespace carousel::cli
