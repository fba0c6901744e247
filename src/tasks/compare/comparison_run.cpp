#include "tasks/compare/comparison_run.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>
#include <set>

#include "base/fail.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "cells/cell.h"
#include "data/number.h"
#include "tasks/compare/comparison_folder.h"
#include "tasks/data_files.h"

namespace carousel {
namespace {

using Clock = std::chrono::steady_clock;

// What stands among the cells and is a value of --model.
bool is_model(const ComparisonPlan& plan, const std::string& cell) {
  return plan.task == "classify" && (cell == "cnn" || cell == "tfidf");
}

// The options that such a model has of those of all trainings.
ModelOptions without_cell(const ModelOptions& all, const std::string& model) {
  ModelOptions options;
  options.model = model;
  if (model == "tfidf") return options;
  options.embedding_size = all.embedding_size;
  options.dropout = all.dropout;
  options.linear_branch = all.linear_branch;
  options.token_input = all.token_input;
  options.buckets = all.buckets;
  options.freeze_vectors = all.freeze_vectors;
  return options;
}

// Cell none for texts has no layers, only what pools the words.
ModelOptions without_layers(const ModelOptions& all, std::int64_t hidden_size) {
  ModelOptions options = all;
  options.cell = "none";
  options.hidden_size = all.pool == "attention" ? hidden_size : 0;
  options.layers = 0;
  options.layer_norm = false;
  options.activation.clear();
  if (all.pool == "last") options.pool.clear();
  return options;
}

void check_plan(const ComparisonPlan& plan) {
  std::set<std::string> seen, folders;
  for (const std::string& cell : plan.cells) {
    if (cell != "none" && !is_model(plan, cell)) find_cell(cell);
    if (!seen.insert(cell).second) fail(Code::kUsage, "--cells names {} twice", cell);
    if (!folders.insert(trial_folder(plan, cell, 0)).second) {
      fail(Code::kUsage, "cell {} has a folder of the same name as another one; leave it out", cell);
    }
  }
  for (const auto& paths : {training_files(plan.options.data), plan.test}) {
    if (std::find(paths.begin(), paths.end(), "-") == paths.end()) continue;
    fail(Code::kUsage, "-: every training reads the data, so that they cannot come from standard input; give a file");
  }
  if (!plan.test.empty() && !plan.options.data.labels.empty()) {
    fail(Code::kUsage, "--test {}: --labels are those of --data; hold a test part back with --split A,B,C",
         plan.test.front());
  }
}

// Watches one training: stops it when its time is up or the comparison is stopped.
class TrialObserver final : public Observer {
 public:
  TrialObserver(const ComparisonPlan& plan, ComparisonObserver& outer, bool tells)
      : plan_(plan), outer_(outer), tells_(tells) {}
  void note(const std::string& line) override {
    if (tells_ && !start_) outer_.note(line);
  }
  bool stop_requested() override {
    if (!start_) start_ = Clock::now();  // after the first step: reading the data does not count
    const double seconds = std::chrono::duration<double>(Clock::now() - *start_).count();
    return (plan_.seconds > 0 && seconds >= plan_.seconds) || outer_.stop_requested();
  }

 private:
  const ComparisonPlan& plan_;
  ComparisonObserver& outer_;
  bool tells_;
  std::optional<Clock::time_point> start_;
};

Trial run_trial(const ComparisonPlan& plan, const std::string& cell, std::int64_t number, Observer& observer) {
  Trial trial;
  trial.cell = cell;
  trial.settings = draw_trial(plan, number);
  Options options = plan.options;
  if (is_model(plan, cell)) {
    options.model = without_cell(plan.options.model, cell);
  } else {
    options.model.cell = cell;
  }
  if (cell != "tfidf") options.model.hidden_size = trial.settings.hidden_size;
  const bool of_texts = plan.task == "classify" && !takes_input_noise(plan.task, plan.options.data);
  if (cell == "none" && of_texts) options.model = without_layers(plan.options.model, trial.settings.hidden_size);
  options.train.lr = trial.settings.lr;
  options.train.input_noise = trial.settings.input_noise;
  // What is left of each network beside the same linear start would be alike.
  if (!plan.options.is_given("train.shrinkage")) options.train.shrinkage = false;
  options.train.checkpoint_every = 0;  // a comparison goes on from whole trainings
  if (cell == "tfidf") {               // has no network
    options.train = TrainOptions();
    options.train.threads = plan.options.train.threads;
    options.data.vectors.clear();
  }
  options.train.seed = trial.settings.seed;
  if (options.data.split_seed < 0) options.data.split_seed = plan.options.train.seed;
  const std::string folder = trial_folder(plan, cell, number);
  file_system().make_folders(folder);
  options.output = {};
  options.output.out = model_path(plan, trial);
  options.output.run_dir = folder;
  options.output.force = true;
  try {
    const TrainResult result = find_task(plan.task).train(options, observer);
    trial.metrics = result.metrics;
    trial.baselines = result.baselines;
    trial.samples = result.samples;
    trial.parameters = result.parameters;
    trial.epochs = result.epochs;
    trial.steps = result.steps;
    trial.seconds = result.seconds;
    if (trial.metrics.empty()) return trial;  // stopped before there was a score: run_comparison() drops it
    const auto& [metric, value] = trial.metrics.front();
    if (!std::isfinite(value)) trial.failure = fmt::format("{} is {}", metric, value);
  } catch (const Error& error) {
    if (error.code() != Code::kDiverged) throw;
    trial.failure = error.what();
  }
  return trial;
}

// Of each cell only the model of the best trial is kept.
void drop_other_models(const ComparisonPlan& plan, const ComparisonFolder& folder, const Trial& last) {
  const Trial* best = best_trial(folder.trials(), last.cell);
  for (const Trial& trial : folder.trials()) {
    if (trial.cell == last.cell && &trial != best) file_system().remove(model_path(plan, trial));
  }
}

bool has_test_part(const ComparisonPlan& plan) {
  const std::string& split = plan.options.data.split;
  const std::size_t second = split.find(',', split.find(',') + 1);
  if (split.empty() || second == std::string::npos) return false;
  const std::optional<double> size = to_number(split.substr(second + 1));
  return !size || *size > 0;  // a date is no number
}

// The options of `evaluate` for the test part.
Options test_options(const ComparisonPlan& plan) {
  Options options = plan.options;
  if (plan.test.empty()) {
    options.data.part = "test";
  } else if (plan.task == "forecast") {
    options.data.test = plan.test;
  } else {
    options.data.data = plan.test;
  }
  return options;
}

}  // namespace

std::vector<Trial> run_comparison(const ComparisonPlan& plan, ComparisonObserver& observer) {
  check_plan(plan);
  ComparisonFolder folder(plan);
  std::vector<std::pair<std::string, std::int64_t>> missing;
  for (std::int64_t k = 0; k < plan.trials; ++k) {
    for (const std::string& cell : plan.cells) {
      if (folder.find(cell, k) == nullptr) missing.emplace_back(cell, k);
    }
  }
  const std::int64_t total = plan.trials * std::ssize(plan.cells);
  std::int64_t done = total - std::ssize(missing);
  if (missing.size() == 1) set_threads(1);  // it would split its own work, and its time would not compare
  std::mutex mutex;
  parallel_for(std::ssize(missing), [&](std::int64_t index) {
    if (observer.stop_requested()) return;
    const auto& [cell, number] = missing[static_cast<std::size_t>(index)];
    TrialObserver watch(plan, observer, index == 0);
    const Trial trial = run_trial(plan, cell, number, watch);
    if (observer.stop_requested()) return;  // it may have been cut short: another time
    const std::lock_guard lock(mutex);
    folder.add(trial);
    drop_other_models(plan, folder, trial);
    observer.trial_ended(trial, ++done, total);
  });
  if (done < total) return {};
  std::vector<Trial> trials;
  for (std::int64_t k = 0; k < plan.trials; ++k) {
    for (const std::string& cell : plan.cells) trials.push_back(*folder.find(cell, k));
  }
  return trials;
}

Comparison finish_comparison(const ComparisonPlan& plan, std::vector<Trial> trials) {
  Comparison comparison = summarize_comparison(plan, std::move(trials));
  Observer quiet;
  for (CellResult& result : comparison.cells) {
    if (result.finished == 0) continue;
    result.model = model_path(plan, result.best_trial);
    if (plan.test.empty() && !has_test_part(plan)) continue;
    result.test = find_task(plan.task).evaluate(Model::load(result.model), test_options(plan), quiet).metrics;
  }
  return comparison;
}

}  // namespace carousel
