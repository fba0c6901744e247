#include "tasks/compare/comparison_folder.h"

#include <algorithm>
#include <span>

#include "base/crc32.h"
#include "base/fail.h"
#include "base/file.h"
#include "cells/cell_program.h"
#include "tasks/config.h"
#include "tasks/data_files.h"
#include "tasks/data_hash.h"

namespace carousel {
namespace {

// Everything that a trial's result depends on but its number and cell. TOML that `train` understands; the first line,
// a comment to TOML, holds what only a comparison has.
std::string plan_text(const ComparisonPlan& plan) {
  Config config;
  config.task = plan.task;
  config.options = plan.options;
  config.options.train.threads = 0;
  for (const std::string& path : training_files(plan.options.data)) config.data_sha256[path] = sha256_of_file(path);
  std::string text =
      fmt::format("# carousel compare: lr {} to {}, hidden_size {} to {}, input_noise {} to {}, seconds {}\n",
                  plan.lr.low, plan.lr.high, plan.hidden_size.low, plan.hidden_size.high, plan.input_noise.low,
                  plan.input_noise.high, plan.seconds);
  text += config_to_toml(config, {.output = false});
  for (const auto& [path, hash] : config.data_sha256) text += fmt::format("# {}  {}\n", hash, path);
  return text;
}

// The first line of `now` that `before` does not have in its place.
std::string first_difference(const std::string& before, const std::string& now) {
  const auto [old_end, new_end] = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  const auto line_at = [](const std::string& text, std::size_t at) {
    const std::size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  return fmt::format("there '{}', here '{}'", line_at(before, static_cast<std::size_t>(old_end - before.begin())),
                     line_at(now, static_cast<std::size_t>(new_end - now.begin())));
}

void open_folder(const ComparisonPlan& plan) {
  FileSystem& files = file_system();
  const std::string path = plan.run_dir + "/comparison.toml", text = plan_text(plan);
  if (!files.exists(path)) {
    if (files.exists(plan.run_dir + "/resolved.toml")) {
      fail(Code::kUsage, "--run-dir: {} holds a run of `train`; choose another name", plan.run_dir);
    }
    files.make_folders(plan.run_dir);
    write_file_atomically(path, text);
    return;
  }
  const std::string before = read_text(path);
  if (before == text) return;
  fail(Code::kUsage, "--run-dir: {} holds a comparison with other options ({}); choose another name", plan.run_dir,
       first_difference(before, text));
}

}  // namespace

ComparisonFolder::ComparisonFolder(const ComparisonPlan& plan) : path_(plan.run_dir + "/trials.jsonl") {
  open_folder(plan);
  if (!file_system().exists(path_)) return;
  LineReader reader(path_);
  for (std::string line; reader.next(line);) {
    trials_.push_back(parse_trial(line, fmt::format("{}:{}", path_, reader.line_number())));
    text_ += line + "\n";
    if (trials_.back().settings.trial < plan.trials) continue;
    // The best model of all trials is kept, no other: the best of fewer may be gone.
    fail(Code::kUsage,
         "--trials is {}, but {} holds trial {} already, counted from 0; ask for more or choose another --run-dir",
         plan.trials, path_, trials_.back().settings.trial);
  }
}

const Trial* ComparisonFolder::find(const std::string& cell, std::int64_t trial) const {
  const auto found = std::find_if(trials_.begin(), trials_.end(),
                                  [&](const Trial& one) { return one.cell == cell && one.settings.trial == trial; });
  return found == trials_.end() ? nullptr : &*found;
}

void ComparisonFolder::add(const Trial& trial) {
  const std::string line = trial_line(trial);
  text_ += line;
  write_file_atomically(path_, text_);
  trials_.push_back(parse_trial(line, path_));  // as a later call will read it: names lose their order
}

std::string trial_folder(const ComparisonPlan& plan, const std::string& cell, std::int64_t trial) {
  if (!cell.starts_with(kExpressionPrefix)) return fmt::format("{}/{}-{}", plan.run_dir, cell, trial);
  return fmt::format("{}/expr-{:08x}-{}", plan.run_dir, crc32(std::as_bytes(std::span(cell))), trial);
}

std::string model_path(const ComparisonPlan& plan, const Trial& trial) {
  return trial_folder(plan, trial.cell, trial.settings.trial) + "/model.safetensors";
}

}  // namespace carousel
