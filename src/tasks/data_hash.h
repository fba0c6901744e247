// data_hash.h: which data a run was made with, so that a repeated run can tell that the data has changed.
#pragma once

#include <string>
#include <string_view>

namespace carousel {

// SHA-256 (FIPS 180-4) in lower-case hexadecimal: of bytes, or of a file as it lies on disk (what sha256sum prints).
std::string sha256(std::string_view bytes);
std::string sha256_of_file(const std::string& path);  // throws Error{kIo}

}  // namespace carousel
