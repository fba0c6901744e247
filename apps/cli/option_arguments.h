// option_arguments.h: the options of the table (tasks/options.h) as flags of a verb, and back.
#pragma once

#include <vector>

#include "tasks/config.h"
#include "verb.h"

namespace carousel::cli {

// Flags for every option with a meaning for one of the verbs (bits of carousel::Verbs), and --config and --set.
std::vector<Argument> option_arguments(unsigned verbs);

// The configuration: default < --config < environment < --set < flag.
Config config_of(const CommandLine& line);

// TASK: the allowed names are those of all_tasks().
Argument task_argument(bool required);

}  // namespace carousel::cli
