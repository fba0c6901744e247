#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "base/file.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "tasks/data_files.h"
#include "tasks/data_hash.h"
#include "training.h"
#include "version.h"

namespace carousel::cli {
namespace {

// Throws unless the files are those that the training began with.
void check_data(const Config& config, const std::string& path) {
  const std::vector<std::string> files = training_files(config.options.data);
  if (std::find(files.begin(), files.end(), "-") != files.end()) {
    fail(Code::kUsage, "{}: the training read standard input, which cannot be read again; begin anew with `train`",
         path);
  }
  for (const auto& [file, hash] : config.data_sha256) {
    if (!file_system().exists(file)) {
      fail(Code::kIo, "{}: is not there, but {} names it; resume in the folder that the training was started in", file,
           path);
    }
    if (sha256_of_file(file) == hash) continue;
    fail(Code::kData, "{}: has changed since the training began; put the old content back, or begin anew with `train`",
         file);
  }
}

int run_resume(const CommandLine& line, Console& console) {
  const std::string run_dir = line.text("RUN_DIR"), path = resume_file(run_dir);
  if (!file_system().is_folder(run_dir)) fail(Code::kUsage, "RUN_DIR: {} is not a folder", run_dir);
  if (!file_system().exists(path)) {
    fail(Code::kUsage,
         "RUN_DIR: {} has nothing to resume: {} is not there. A training that came to its end removes it, and one with "
         "--checkpoint-every 0 does not write it",
         run_dir, path);
  }
  Config config = load_config({.file = path, .environment = false});
  check_data(config, path);
  if (config.version != kVersion) {
    console.warning(fmt::format("the training was begun by version {}, this is {}", config.version, kVersion));
  }
  config.options.output.run_dir = run_dir;
  config.options.train.resume = true;
  config.options.train.threads = line.integer("--threads", 1, 256, config.options.train.threads);
  return run_training(std::move(config), console);
}

std::vector<Argument> resume_arguments() {
  return {{.name = "RUN_DIR", .help = "run folder of a training that was stopped or killed", .required = true},
          {.name = "--threads", .value = "N", .help = "threads to use; the result is the same for any number"}};
}

}  // namespace

const Verb kResumeVerb{
    .name = "resume",
    .purpose = "Train and use models",
    .usage = "RUN_DIR [options]",
    .summary = "goes on with a training from its newest good checkpoint, bit for bit as if it had never stopped",
    .examples = {"resume runs/lm-20240101-120000", "resume runs/lm-20240101-120000 --threads 2 --json"},
    .arguments = resume_arguments,
    .run = run_resume};

}  // namespace carousel::cli
