// safetensors_header.h: the JSON header of a safetensors file, read value by value: only what the format knows is ever
// stored, so a header full of other things costs no memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/safetensors.h"

namespace carousel {

// As the file says it; the offsets are not checked yet.
struct HeaderEntry {
  std::string name;
  Dtype dtype = Dtype::kF32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // in the data section
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string> metadata;
  std::string text;  // with its length; of read_safetensors_header()
};

// Throws Error{kModel} that names `path` and the tensor if the text is not a header.
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& path);

// Reads the beginning of a file of `size` bytes. The tensors of the result are in the order of their bytes, which cover
// the rest of the file without holes. Throws Error{kModel} if the file is no safetensors file.
SafetensorsHeader read_safetensors_header(const ReadBytes& read, std::uint64_t size, const std::string& path);

}  // namespace carousel
