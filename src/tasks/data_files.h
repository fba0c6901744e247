// data_files.h: which files a task reads, whichever options name them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/options.h"

namespace carousel {

// Every path that training reads, in the order of the options; "-" is standard input. Of "label=path" the path.
std::vector<std::string> training_files(const DataOptions& options);

// Throws Error{kUsage} if no option names data: "--data is missing: " and then `purpose`.
void require_data(const DataOptions& options, std::string_view purpose);

}  // namespace carousel
