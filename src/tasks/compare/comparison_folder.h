// comparison_folder.h: what a comparison keeps on disk, so that it can go on where it stopped.
#pragma once

#include <string>
#include <vector>

#include "tasks/compare/comparison.h"

namespace carousel {

class ComparisonFolder {
 public:
  // Opens plan.run_dir or makes it. Throws Error{kUsage} if it holds something else: a run of `train`, a comparison
  // with other options or data, or more trials than the plan asks for; Error{kData} or {kModel} if trials.jsonl is
  // damaged.
  explicit ComparisonFolder(const ComparisonPlan& plan);

  // All trials that have ended, of any cell.
  const std::vector<Trial>& trials() const noexcept { return trials_; }
  // Null if it has not ended; valid until the next add().
  const Trial* find(const std::string& cell, std::int64_t trial) const;
  // Writes trials.jsonl anew as a whole: whatever happens, its lines are whole.
  void add(const Trial& trial);

 private:
  std::string path_, text_;  // of trials.jsonl
  std::vector<Trial> trials_;
};

// Of one training: its folder, and the model in it. The folder of an expression is named by its checksum.
std::string trial_folder(const ComparisonPlan& plan, const std::string& cell, std::int64_t trial);
std::string model_path(const ComparisonPlan& plan, const Trial& trial);

}  // namespace carousel
