// comparison_run.h: does the trainings of a comparison, each on one thread, as many at a time as there are threads.
#pragma once

#include "tasks/compare/comparison.h"

namespace carousel {

// What happens, told to the outside. The functions are called one at a time, but for stop_requested().
class ComparisonObserver {
 public:
  virtual ~ComparisonObserver() = default;
  // Of the first training, before its first step.
  virtual void note(const std::string& line) { static_cast<void>(line); }
  virtual void trial_ended(const Trial& trial, std::int64_t done, std::int64_t total) {
    static_cast<void>(trial), static_cast<void>(done), static_cast<void>(total);
  }
  // Called from several threads at once. True: trainings under way are given up, no others are begun.
  virtual bool stop_requested() { return false; }
};

// Does what is missing in plan.run_dir and returns all trials, trial by trial and in each cell by cell; nothing if it
// was stopped. Every result but the time is the same for any number of threads. Throws Error{kUsage} for a cell that
// does not exist, data from standard input, or a folder with another comparison, Error{kData} if trials.jsonl is
// damaged, and what a training throws, unless it is that it diverged.
std::vector<Trial> run_comparison(const ComparisonPlan& plan, ComparisonObserver& observer);

// summarize_comparison, with the best model of each cell and, if there is a test part (plan.test, or the third part of
// --split), its scores there.
Comparison finish_comparison(const ComparisonPlan& plan, std::vector<Trial> trials);

}  // namespace carousel
