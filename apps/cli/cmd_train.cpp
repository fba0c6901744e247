#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "option_arguments.h"
#include "output_file.h"
#include "picture_files.h"
#include "progress.h"
#include "report.h"
#include "signals.h"
#include "tasks/data_files.h"
#include "tasks/data_hash.h"
#include "tasks/task.h"
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
    fail(Code::kUsage, "--run-dir: {} holds a run already; choose another name or overwrite it with --force",
         output.run_dir);
  }
}

void write_config(const Config& config) {
  write_file_atomically(config.options.output.run_dir + "/resolved.toml", config_to_toml(config, {.output = false}));
}

// What the run is made with, so that `train --config RUN_DIR/resolved.toml` repeats it. Written before the training
// starts, and once more at its end, when the task has picked a value for every "auto".
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
  file_system().make_folders(config.options.output.run_dir);
  write_config(config);
}

TrainResult train(const Task& task, const Options& options, const Console& console) {
  catch_stop_signals();
  Progress progress(terminal_settings(console.quiet(), console.verbose()));
  try {
    TrainResult result = task.train(options, progress);
    progress.finish();
    return result;
  } catch (...) {  // thrown again: the error starts on a line of its own, below the progress
    progress.finish();
    throw;
  }
}

int run_train(const CommandLine& line, Console& console) {
  Config config = config_of(line);
  config.task = task_of(line, config);
  const Task& task = find_task(config.task);
  check_options_fit_task(config.options, config.task);
  require_data(config.options.data, "the files to learn from");
  choose_outputs(config.options.output, config.task);
  set_threads(static_cast<int>(config.options.train.threads));
  record_run(config, console);

  const TrainResult result = train(task, config.options, console);
  config.options = result.options;
  write_config(config);
  if (console.json()) {
    console.out_json(to_json(result));
  } else {
    console.out(result_text(result, console));
    console.out(fmt::format("Model: {}\nRun folder: {}\n", result.model, result.run_dir));
  }
  if (const std::string& plots = config.options.output.plots; !plots.empty()) console.note(pictures_text(plots));
  if (stop_signal() == 0) return 0;
  console.warning("training was stopped early; the model is the best one until then");
  return 128 + stop_signal();
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
