#include "models/model_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <list>
#include <map>

#include "base/crc32.h"
#include "base/fail.h"
#include "base/file.h"
#include "models/json_text.h"
#include "models/safetensors.h"

namespace carousel {

namespace {

using nlohmann::json;

constexpr std::int64_t kFormat = 1;
constexpr std::string_view kMetadataKey = "carousel";
constexpr std::string_view kNoDigits = "00000000";
// The member "header_crc32" as it stands in the header: JSON inside a JSON text. A text inside the description has its
// quotes escaped twice, so it cannot look like this.
constexpr std::string_view kCrcMarker = R"(\"header_crc32\":\")";

std::string checksum(std::span<const std::byte> bytes) {
  return fmt::format("{:08x}-{:x}", crc32(bytes), bytes.size());
}

// Where the eight digits of the header's checksum stand; npos if there are none.
std::size_t digits_position(std::string_view header) {
  const std::size_t marker = header.find(kCrcMarker);
  if (marker == std::string_view::npos) return marker;
  const std::size_t position = marker + kCrcMarker.size();
  return header.size() - position < kNoDigits.size() ? std::string_view::npos : position;
}

std::string header_checksum(std::string_view header, std::size_t digits) {
  std::string blank(header);
  blank.replace(digits, kNoDigits.size(), kNoDigits);
  return fmt::format("{:08x}", crc32(std::as_bytes(std::span(blank))));
}

[[noreturn]] void fail_damaged(const std::string& path, std::string_view what, std::string_view expected,
                               std::string_view got) {
  fail(Code::kModel, "{}: {} is damaged: checksum {} expected, got {}; use another copy of the file", path, what,
       printable(expected), got);
}

json checked_description(const SafetensorsFile& file, std::int64_t file_bytes, const std::string& path) {
  const auto found = file.metadata().find(std::string(kMetadataKey));
  if (found == file.metadata().end()) {
    fail(Code::kModel, "{}: no model of Carousel: metadata key '{}' is missing; try `carousel import`", path,
         kMetadataKey);
  }
  const std::size_t digits = digits_position(file.header());
  if (digits == std::string_view::npos) {
    fail(Code::kModel, "{}: header: its checksum is missing; use another copy of the file", path);
  }
  const std::string got = header_checksum(file.header(), digits);
  const std::string_view expected = file.header().substr(digits, kNoDigits.size());
  if (got != expected) fail_damaged(path, fmt::format("header (bytes 0 to {})", file.header().size()), expected, got);

  constexpr std::int64_t kRoom = std::int64_t{8} << 20;
  json description = parse_json_text(found->second, 6 * file_bytes + kRoom, path + ": description");
  if (!description.is_object())
    fail(Code::kModel, "{}: description: got a {}, expected an object", path, description.type_name());
  const auto format = description.find("format");
  if (format == description.end() || !format->is_number_integer() || *format != kFormat) {
    fail(Code::kModel, "{}: description: format is {}, this program reads {}; use a newer one", path,
         format == description.end() ? "missing" : printable(format->dump()), kFormat);
  }
  return description;
}

void check_tensor(const SafetensorsFile& file, const TensorEntry& entry, const json& checksums,
                  const std::string& path) {
  const std::string name = printable(entry.name);
  if (entry.dtype != Dtype::kF32 && entry.dtype != Dtype::kBf16 && entry.dtype != Dtype::kI8) {
    fail(Code::kModel, "{}: tensor '{}': got {}, expected F32, BF16 or I8", path, name, dtype_name(entry.dtype));
  }
  const auto expected = checksums.find(entry.name);
  if (expected == checksums.end() || !expected->is_string()) {
    fail(Code::kModel, "{}: tensor '{}' has no checksum in the description", path, name);
  }
  const std::string got = checksum(entry.bytes);
  if (got != expected->get_ref<const std::string&>()) {
    const std::int64_t start = file.offset(entry);
    fail_damaged(path, fmt::format("tensor '{}' (bytes {} to {})", name, start, start + std::ssize(entry.bytes)),
                 expected->get_ref<const std::string&>(), got);
  }
}

constexpr std::string_view kScaleSuffix = ".scale";

// The entries of tensors, some of them rounded, and the memory of those.
class EntryList {
 public:
  void add(const std::string& name, View<const float> tensor, WeightFormat format) {
    if (format == WeightFormat::kF32) {
      entries.push_back(entry_of(name, tensor));
      return;
    }
    if (std::ranges::any_of(tensor.span(), [](float value) { return !std::isfinite(value); }))
      fail(Code::kUsage, "tensor '{}' has numbers that are not finite: it can be stored in f32 only", name);
    if (format == WeightFormat::kBf16) {
      std::vector<std::uint16_t>& bits = bf16_.emplace_back();
      for (const float value : tensor.span()) bits.push_back(bf16_bits(value));
      entries.push_back({name, Dtype::kBf16, tensor.shape, std::as_bytes(std::span(bits))});
      return;
    }
    std::vector<std::int8_t>& integers = int8_.emplace_back(static_cast<std::size_t>(tensor.elements()));
    Tensor& scales = scales_.emplace_back(Shape{tensor.shape[0]});
    const std::int64_t columns = tensor.shape[1];
    for (std::int64_t row = 0; row < tensor.shape[0]; ++row) {
      const std::span<const float> values(tensor.row(row), static_cast<std::size_t>(columns));
      scales[row] = quantise_row(values, integers.data() + row * columns);
    }
    entries.push_back({name, Dtype::kI8, tensor.shape, std::as_bytes(std::span(integers))});
    entries.push_back(entry_of(name + std::string(kScaleSuffix), scales.view()));
  }

  std::vector<TensorEntry> entries;

 private:
  std::list<std::vector<std::uint16_t>> bf16_;
  std::list<std::vector<std::int8_t>> int8_;
  std::list<Tensor> scales_;
};

using EntryMap = std::map<std::string_view, const TensorEntry*>;

// The scales [rows] of an I8 matrix.
const TensorEntry& scales_of(const TensorEntry& entry, const EntryMap& entries, const std::string& path) {
  const auto found = entries.find(entry.name + std::string(kScaleSuffix));
  const std::string name = printable(entry.name);
  if (entry.shape.rank() != 2 || found == entries.end()) {
    fail(Code::kModel, "{}: tensor '{}' of shape {} is I8, expected a matrix and beside it '{}{}'", path, name,
         entry.shape.to_string(), name, kScaleSuffix);
  }
  const TensorEntry& scales = *found->second;
  if (scales.dtype != Dtype::kF32 || !(scales.shape == Shape{entry.shape[0]})) {
    fail(Code::kModel, "{}: tensor '{}{}' is {} of shape {}, expected F32 of shape {}", path, name, kScaleSuffix,
         dtype_name(scales.dtype), scales.shape.to_string(), Shape{entry.shape[0]}.to_string());
  }
  return scales;
}

// The numbers of an entry; an I8 matrix times its scales.
Tensor take_numbers(SafetensorsFile& file, const TensorEntry& entry, const EntryMap& entries, const std::string& path) {
  Tensor tensor = file.take(entry);
  if (entry.dtype != Dtype::kI8) return tensor;
  const Tensor scales = tensor_of<float>(scales_of(entry, entries, path));
  for (std::int64_t row = 0; row < entry.shape[0]; ++row) {
    if (!(scales[row] >= 0) || std::isinf(scales[row])) {
      fail(Code::kModel, "{}: tensor '{}{}': row {} is {}, expected a finite number from 0 on", path,
           printable(entry.name), kScaleSuffix, row, scales[row]);
    }
    for (float& value : std::span(tensor.data() + row * entry.shape[1], static_cast<std::size_t>(entry.shape[1])))
      value *= scales[row];
  }
  return tensor;
}

// Whether an entry only goes with an I8 matrix.
bool is_scale(const TensorEntry& entry, const EntryMap& entries) {
  std::string_view name = entry.name;
  if (!name.ends_with(kScaleSuffix)) return false;
  name.remove_suffix(kScaleSuffix.size());
  const auto found = entries.find(name);
  return found != entries.end() && found->second->dtype == Dtype::kI8;
}

}  // namespace

void write_model_file(const std::string& path, const ModelFile& file, const RoundedTensors& rounded) {
  if (!file.description.is_object()) fail(Code::kInternal, "{}: the description is no JSON object", path);
  EntryList list;
  for (const auto& [name, tensor] : file.tensors) {
    list.add(name, tensor.view(), rounded.names.contains(name) ? rounded.format : WeightFormat::kF32);
  }
  json checksums = json::object();
  for (const TensorEntry& entry : list.entries) checksums[entry.name] = checksum(entry.bytes);
  json description = file.description;
  description["format"] = kFormat;
  description["version"] = CAROUSEL_VERSION;
  description["checksums"] = std::move(checksums);
  description["header_crc32"] = kNoDigits;
  std::string text;
  try {
    text = json_text(description);
  } catch (const json::exception& error) {
    fail(Code::kUsage, "{}: the description cannot be written: {}", path, error.what());
  }
  std::string content = write_safetensors(list.entries, {{std::string(kMetadataKey), text}});
  std::uint64_t length;
  std::memcpy(&length, content.data(), sizeof length);
  const std::string_view header(content.data(), sizeof length + length);
  const std::size_t digits = digits_position(header);
  if (digits == std::string_view::npos || header.find(kCrcMarker, digits) != std::string_view::npos) {
    fail(Code::kInternal, "{}: 'header_crc32' is used inside the description", path);
  }
  content.replace(digits, kNoDigits.size(), header_checksum(header, digits));
  write_file_atomically(path, content);
}

ModelFile read_model_file(const std::string& path) {
  SafetensorsFile file = SafetensorsFile::read(path);
  std::int64_t file_bytes = std::ssize(file.header());
  for (const TensorEntry& entry : file.tensors()) file_bytes += std::ssize(entry.bytes);
  ModelFile model{checked_description(file, file_bytes, path), {}};
  const auto checksums = model.description.find("checksums");
  if (checksums == model.description.end() || !checksums->is_object() || checksums->size() != file.tensors().size()) {
    fail(Code::kModel, "{}: description: expected one checksum for each of the {} tensors", path,
         file.tensors().size());
  }
  EntryMap entries;
  for (const TensorEntry& entry : file.tensors()) {
    check_tensor(file, entry, *checksums, path);
    entries.emplace(entry.name, &entry);
  }
  model.tensors.reserve(file.tensors().size());
  for (const TensorEntry& entry : file.tensors()) {
    if (!is_scale(entry, entries)) model.tensors.emplace_back(entry.name, take_numbers(file, entry, entries, path));
  }
  model.description.erase("checksums");
  model.description.erase("header_crc32");
  return model;
}

}  // namespace carousel
