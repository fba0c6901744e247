// safetensors.h: reading and writing the safetensors format.
//
// A file is 8 bytes with the header's length (little-endian), the header (JSON: name -> dtype, shape, data_offsets; and
// "__metadata__": text -> text; padded with spaces), then the bytes of the tensors one after another without holes.
// Source: the "Format" section of the README of github.com/huggingface/safetensors. Everything in the file is hostile:
// a file that breaks a rule throws Error{kModel} that names file, tensor and place, and reading takes at most 8 times
// the file's size plus 16 MiB of memory.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

enum class Dtype { kF64, kF32, kF16, kBf16, kI64, kI32, kI8 };

std::string_view dtype_name(Dtype dtype);  // "F32"
std::int64_t dtype_bytes(Dtype dtype);     // 4

// One tensor; `bytes` (row-major, little-endian) belong to the SafetensorsFile or to the caller.
struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::kF32;
  Shape shape;
  std::span<const std::byte> bytes;
};

using ReadBytes = std::function<std::size_t(std::span<std::byte>)>;  // as File::read

// Fills `out`; throws Error{kModel} if the file ends before.
void read_exactly(const ReadBytes& read, std::span<std::byte> out, const std::string& path);

// A whole file in memory, each tensor in a piece of its own. The entries point there, so it is moved, not copied.
class SafetensorsFile {
 public:
  // read throws Error{kIo} if the file cannot be read; `path` is what messages of parse call the file.
  static SafetensorsFile read(const std::string& path);
  static SafetensorsFile parse(std::string content, const std::string& path);
  SafetensorsFile(SafetensorsFile&&) noexcept = default;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept = default;

  const std::vector<TensorEntry>& tensors() const { return tensors_; }  // in the order of their bytes
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  std::string_view header() const { return header_; }   // with its length
  std::int64_t offset(const TensorEntry& entry) const;  // of the tensor's first byte in the file

  // The numbers of one of tensors(). F32 is given away as it lies, without a copy: its bytes are the result's then.
  Tensor take(const TensorEntry& entry);

 private:
  SafetensorsFile() = default;
  static SafetensorsFile read_all(const ReadBytes& read, std::uint64_t size, const std::string& path);

  std::string header_;
  std::vector<TensorEntry> tensors_;
  std::vector<Tensor> memory_;  // of each of tensors_: in its shape if F32, else as many floats as hold its bytes
  std::map<std::string, std::string> metadata_;
};

// The beginning of a file with these tensors: the header with its length. Their bytes follow in the order given.
// REQUIRES: no entry has wider elements than the one before it. Throws as write_safetensors().
std::string safetensors_start(const std::vector<TensorEntry>& entries,
                              const std::map<std::string, std::string>& metadata);

// The content of a file with these tensors, those with the widest elements first (so that each stays aligned),
// otherwise in the order given. Throws Error{kUsage} if bytes and shape differ, a name is used twice or the header gets
// too long.
std::string write_safetensors(const std::vector<TensorEntry>& entries,
                              const std::map<std::string, std::string>& metadata);

// An entry whose bytes are those of the view.
TensorEntry entry_of(std::string name, View<const float> view);

// The numbers of an entry as T (float or double), rounded if T is narrower.
template <class T>
BasicTensor<T> tensor_of(const TensorEntry& entry);

}  // namespace carousel
