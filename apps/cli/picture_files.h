// picture_files.h: the folder of --plots, and the PNG files in it.
#pragma once

#include <optional>
#include <string>

namespace carousel::cli {

// Throws Error{kUsage} if `folder` is a file, or holds something already and `force` is false.
void check_plots_folder(const std::string& folder, bool force);

// A PNG file, twice as large, beside every SVG file of the folder, by librsvg's program rsvg-convert. Returns how many
// there are; nothing if the program is not installed. Throws Error{kIo} that names a picture it could not convert.
std::optional<int> write_png_files(const std::string& folder);

// What was written, for the user to read, after write_png_files.
std::string pictures_text(const std::string& folder);

}  // namespace carousel::cli
