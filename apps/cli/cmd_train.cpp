#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "base/fail.h"
#include "base/file.h"
#include "base/file_lock.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "option_arguments.h"
#include "output_file.h"
#include "picture_files.h"
#include "tasks/data_files.h"
#include "tasks/data_hash.h"
#include "train/checkpoint.h"
#include "training.h"
#include "version.h"

namespace carousel::cli {
namespace {

std::string task_of(const CommandLine& line, const Config& config) {
  const std::string given = line.text("TASK");
  if (given.empty() && config.task.empty()) {
    fail(Code::kUsage, "TASK is missing (usage: carousel train {})", kTrainVerb.usage);
  }
  if (!given.empty() && !config.task.empty() && given != config.task) {
    fail(Code::kUsage, "TASK is {}, but {} is written for {}", given, line.text("--config"), config.task);
  }
  return given.empty() ? config.task : given;
}

void choose_outputs(OutputOptions& output, const std::string& task) {
  if (output.out.empty()) output.out = task + ".safetensors";
  check_output_file("--out", output.out, output.force);
  if (!output.report.empty()) check_output_file("--report", output.report, output.force);
  if (!output.plots.empty()) check_plots_folder(output.plots, output.force);
  FileSystem& files = file_system();
  if (output.run_dir.empty()) {
    const auto now = fmt::localtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    const std::string base = fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", task, now);
    output.run_dir = base;
    for (int k = 2; files.exists(output.run_dir); ++k) output.run_dir = fmt::format("{}-{}", base, k);
  } else if (files.exists(output.run_dir + "/resolved.toml") && !output.force) {
    const bool stopped = files.exists(resume_file(output.run_dir));
    fail(Code::kUsage, "--run-dir: {} holds a run already; {}choose another name or overwrite it with --force",
         output.run_dir,
         stopped ? fmt::format("go on with it by `carousel resume {}`, ", output.run_dir) : std::string());
  }
}

// What `resume` starts from, if there will be checkpoints. Those of a run that --force replaces go.
void record_resume(const Config& config) {
  const OutputOptions& output = config.options.output;
  const std::string path = resume_file(output.run_dir);
  if (file_system().exists(path)) {
    const FileLock nobody_else(path);
    file_system().remove(path);
  }
  remove_checkpoints(output.run_dir);
  if (config.options.train.checkpoint_every == 0) return;
  Config chosen = config;
  chosen.options.given["output.out"] = chosen.options.given["output.run_dir"] = "train";
  write_file_atomically(path, config_to_toml(chosen, {.given = true}));
}

// What the run is made with, so that `train --config RUN_DIR/resolved.toml` repeats it and `resume RUN_DIR` goes on.
// Written before the training starts; resolved.toml once more at its end, when the task has picked a value for every
// "auto".
void record_run(Config& config, Console& console) {
  const auto before = std::exchange(config.data_sha256, {});
  for (const std::string& path : training_files(config.options.data)) {
    if (path == "-") continue;
    const std::string hash = config.data_sha256[path] = sha256_of_file(path);
    const auto known = before.find(path);
    if (known == before.end() || known->second == hash) continue;
    console.warning(fmt::format("{} has changed since the configuration was written; the result will differ", path));
  }
  if (!config.version.empty() && config.version != kVersion) {
    console.warning(fmt::format("the configuration was written by version {}, this is {}", config.version, kVersion));
  }
  config.version = kVersion;
  const std::string& run_dir = config.options.output.run_dir;
  file_system().make_folders(run_dir);
  record_resume(config);
  write_file_atomically(run_dir + "/resolved.toml", config_to_toml(config, {.output = false}));
}

int run_train(const CommandLine& line, Console& console) {
  Config config = config_of(line);
  config.task = task_of(line, config);
  check_options_fit_task(config.options, config.task);
  require_data(config.options.data, "the files to learn from");
  choose_outputs(config.options.output, config.task);
  record_run(config, console);
  return run_training(std::move(config), console);
}

std::vector<Argument> train_arguments() {
  std::vector<Argument> all = {task_argument(false)};
  for (Argument& argument : option_arguments(kTrain)) all.push_back(std::move(argument));
  return all;
}

}  // namespace

const Verb kTrainVerb{
    .name = "train",
    .purpose = "Train and use models",
    .usage = "TASK --data FILE [options]",
    .summary = "trains a model from data and writes one model file",
    .examples = {"train forecast --data sunspots.csv --horizon 24 --out sunspots.safetensors",
                 "train classify --data reviews.tsv --text-column review --cell gru --epochs 5",
                 "train lm --data book.txt --level char --out book.safetensors",
                 "train --config runs/classify-20240101-120000/resolved.toml --out again.safetensors"},
    .arguments = train_arguments,
    .run = run_train};

}  // namespace carousel::cli
