// training.h: what `train` and `resume` have in common: a training from its configuration to the printed result.
#pragma once

#include <string>

#include "console.h"
#include "tasks/config.h"

namespace carousel::cli {

// In the run folder while there is something to resume: the options that somebody set, and the SHA-256 of the data.
std::string resume_file(const std::string& run_dir);

// Trains, writes model file and run folder, prints the result. Returns the exit status. REQUIRES: config.task and the
// files in config.options.output are set, and what the run is made with stands in its folder.
int run_training(Config config, Console& console);

}  // namespace carousel::cli
