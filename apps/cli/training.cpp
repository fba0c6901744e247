#include "training.h"

#include <fmt/format.h>

#include <optional>

#include "base/file.h"
#include "base/file_lock.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "picture_files.h"
#include "progress.h"
#include "report.h"
#include "signals.h"
#include "tasks/task.h"
#include "train/checkpoint.h"

namespace carousel::cli {
namespace {

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

}  // namespace

std::string resume_file(const std::string& run_dir) { return run_dir + "/resume.toml"; }

int run_training(Config config, Console& console) {
  const std::string& run_dir = config.options.output.run_dir;
  const bool resumable = file_system().exists(resume_file(run_dir));
  std::optional<FileLock> lock;
  if (resumable) lock.emplace(resume_file(run_dir));
  set_threads(static_cast<int>(config.options.train.threads));

  const TrainResult result = train(find_task(config.task), config.options, console);
  config.options = result.options;
  write_file_atomically(run_dir + "/resolved.toml", config_to_toml(config, {.output = false}));
  if (stop_signal() == 0) {
    remove_checkpoints(run_dir);
    file_system().remove(resume_file(run_dir));
  }
  if (console.json()) {
    console.out_json(to_json(result));
  } else {
    console.out(result_text(result, console));
    console.out(fmt::format("Model: {}\nRun folder: {}\n", result.model, result.run_dir));
  }
  if (const std::string& plots = config.options.output.plots; !plots.empty()) console.note(pictures_text(plots));
  if (stop_signal() == 0) return 0;
  console.warning(fmt::format("training was stopped early; the model is the best one until then{}",
                              resumable ? fmt::format("; `carousel resume {}` goes on", run_dir) : std::string()));
  return 128 + stop_signal();
}

}  // namespace carousel::cli
