// model_file.h: the one file of a trained model: a safetensors file whose metadata key "carousel" holds the
// description.
//
// Besides what the caller puts there, the description holds "format" (1), "version" (of the program that wrote it),
// "checksums" (tensor -> "<CRC-32 of its bytes>-<number of its bytes>", both hexadecimal) and "header_crc32": the
// CRC-32 of everything before the tensors' bytes, taken with these eight digits as zeros. Together they cover every
// byte of the file. A file that is damaged, truncated or hostile throws Error{kModel} that names file, tensor, place,
// expected and got; reading takes at most 16 times the file's size plus 16 MiB of memory.
//
// Matrices may be stored rounded: in bf16 as BF16; in int8 as I8 with an F32 tensor "<name>.scale" [rows] beside it, an
// element being scale[row] q. Everything else is F32. Read back they are float again.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "carousel/tensor.h"
#include "cells/stream_layer.h"

namespace carousel {

struct ModelFile {
  nlohmann::json description = nlohmann::json::object();            // after reading: with "format" and "version"
  std::vector<std::pair<std::string, BasicTensor<float>>> tensors;  // in the order of the file
};

// Which matrices are stored in another format than f32.
struct RoundedTensors {
  WeightFormat format = WeightFormat::kF32;
  std::set<std::string> names;
};

// Replaces the file at once or, on an error, leaves it as it was (write_file_atomically). Throws Error{kUsage} if a
// number to be rounded is not finite.
void write_model_file(const std::string& path, const ModelFile& file, const RoundedTensors& rounded = {});

ModelFile read_model_file(const std::string& path);

}  // namespace carousel
