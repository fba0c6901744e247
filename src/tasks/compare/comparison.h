// comparison.h: one task trained with several cells under the same budget (the study of Greff et al. 2015, on the
// user's own data): what is drawn for each training, what is kept of it, and what comes out.
//
// A comparison lives in a folder: comparison.toml (its options; those of another comparison are an error), trials.jsonl
// (one line of JSON for every training that has ended) and a folder CELL-TRIAL for each training, with metrics.csv and,
// for the best of each cell, model.safetensors. Running it again does only what is missing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/options.h"
#include "tasks/rank_statistics.h"
#include "tasks/task.h"

namespace carousel {

// Both ends belong to it.
struct SearchRange {
  double low = 0, high = 0;
};

struct ComparisonPlan {
  std::string task, run_dir;
  std::vector<std::string> cells;  // names for find_cell(), "none"; classify: "cnn", "tfidf" (ModelOptions::model)
  std::int64_t drawn =
      0;  // how many of the cells, the last ones, were drawn (cell_search.h): no pairs of them are tested
  std::int64_t trials = 10;  // trainings of each cell
  double seconds = 0;        // after which a training is stopped, its best epoch counting; 0: the epochs alone decide
  // What is drawn for each trial: log-uniform. Not used if options.train.lr or options.model.hidden_size is set.
  SearchRange lr{1e-4, 3e-2}, hidden_size{16, 128};
  SearchRange input_noise{0, 1};  // uniform; one value: that value. Zero for token ids, see takes_input_noise()
  std::vector<std::string> test;  // files that the best model of each cell is scored on, once; empty: none
  Options options;                // of every training, but for what is drawn
};

// Trial k of every cell trains with the same settings: a pure function of plan and k.
struct TrialSettings {
  std::int64_t trial = 0, seed = 0;  // the seed of weights, batches and dropout; the validation part is always the same
  double lr = 0;
  std::int64_t hidden_size = 0;
  double input_noise = 0;
};
TrialSettings draw_trial(const ComparisonPlan& plan, std::int64_t trial);

// Whether the task reads numbers there, so that noise can be added.
bool takes_input_noise(const std::string& task, const DataOptions& data);

// One training that has ended.
struct Trial {
  std::string cell;
  TrialSettings settings;
  std::string failure;  // why it counts as worse than any other: it diverged; empty: it did not
  Metrics metrics;      // of the validation part; the first one counts
  std::vector<Baseline> baselines;
  std::int64_t samples = 0, parameters = 0, epochs = 0, steps = 0;
  double seconds = 0;  // of training on one thread
};

// One line of trials.jsonl. parse_trial throws Error{kData} that starts with `place` if it is not one.
std::string trial_line(const Trial& trial);
Trial parse_trial(std::string_view line, const std::string& place);

struct CellResult {
  std::string cell;
  std::int64_t finished = 0, diverged = 0;
  double best = 0, median = 0, lower_quartile = 0, upper_quartile = 0;  // of the metric; infinite: diverged
  double median_seconds = 0;
  Trial best_trial;   // meaningless if none finished
  std::string model;  // of the best trial
  Metrics test;       // of that model on the test part; empty: there is none
};

struct CellPair {
  std::string a, b;
  std::int64_t a_better = 0, b_better = 0;  // trials with the same settings
  RankTest test;                            // of the metric over all trials; one that diverged is the worst
  double p_adjusted = 1;                    // for the number of pairs (Holm)
};

struct Comparison {
  std::string task, metric;
  bool higher_is_better = false;
  std::int64_t samples = 0;  // of the validation part
  std::vector<CellResult> cells;
  std::vector<CellPair> pairs;
  std::vector<Baseline> baselines;
  std::vector<Trial> trials;
};

// Who was how good; without models and tests. `trials`: each cell of the plan, each trial, once. Throws
// Error{kDiverged} if every training failed.
Comparison summarize_comparison(const ComparisonPlan& plan, std::vector<Trial> trials);

// The best of these trials of `cell`, the earliest of equals; null if none finished.
const Trial* best_trial(std::span<const Trial> trials, std::string_view cell);

}  // namespace carousel
