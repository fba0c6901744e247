// output_file.h: the one rule for files that the program writes: an existing one is replaced only with --force.
#pragma once

#include <string>
#include <string_view>

namespace carousel::cli {

// Throws Error{kUsage} that names the flag: the file exists and `force` is false, or it is a folder, or its folder does
// not exist. Devices and pipes may be written.
void check_output_file(std::string_view flag, const std::string& path, bool force);

}  // namespace carousel::cli
