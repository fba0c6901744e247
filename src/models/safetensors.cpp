#include "models/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "models/json_text.h"
#include "models/safetensors_header.h"

namespace carousel {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kLengthBytes = 8;

// Orders the entries by their offsets and checks that they cover the data section without holes and overlaps.
void check_offsets(std::vector<HeaderEntry>& entries, std::uint64_t data_bytes, const std::string& path) {
  std::ranges::stable_sort(entries, [](const HeaderEntry& a, const HeaderEntry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t expected = 0;
  for (const HeaderEntry& entry : entries) {
    const std::string name = printable(entry.name);
    if (entry.begin != expected || entry.end < entry.begin || entry.end > data_bytes) {
      fail(Code::kModel, "{}: tensor '{}': bytes {} to {}, expected a start at {} and an end up to {}", path, name,
           entry.begin, entry.end, expected, data_bytes);
    }
    const auto needed = static_cast<std::uint64_t>(entry.shape.elements() * dtype_bytes(entry.dtype));
    if (entry.end - entry.begin != needed) {
      fail(Code::kModel, "{}: tensor '{}': has {} bytes, but {} of shape {} takes {}", path, name,
           entry.end - entry.begin, dtype_name(entry.dtype), entry.shape.to_string(), needed);
    }
    expected = entry.end;
  }
  if (expected != data_bytes) {
    fail(Code::kModel, "{}: {} bytes of data, but the tensors end at {}; the file is damaged", path, data_bytes,
         expected);
  }
}

void check_names(const std::vector<HeaderEntry>& entries, const std::string& path) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const HeaderEntry& entry : entries) names.push_back(entry.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail(Code::kModel, "{}: tensor '{}' is there twice", path, printable(*twice));
}

float from_half(std::uint16_t bits) {  // IEEE 754 binary16
  const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0) return sign * static_cast<float>(fraction) * 0x1p-24F;
  const std::uint32_t wide = exponent == 31 ? 0xff : static_cast<std::uint32_t>(exponent) + 112;
  return sign * std::bit_cast<float>(wide << 23 | static_cast<std::uint32_t>(fraction) << 13);
}

// Calls convert on every element of the stored type From.
template <class From, class T, class Convert>
void convert_all(const TensorEntry& entry, BasicTensor<T>& out, Convert convert) {
  const std::int64_t count = out.elements();
  for (std::int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, entry.bytes.data() + static_cast<std::size_t>(i) * sizeof(From), sizeof(From));
    out[i] = static_cast<T>(convert(value));
  }
}

void check_entries(const std::vector<TensorEntry>& entries) {
  std::vector<std::string_view> names;
  for (const TensorEntry& entry : entries) {
    const auto needed = static_cast<std::size_t>(entry.shape.elements() * dtype_bytes(entry.dtype));
    if (entry.bytes.size() != needed) {
      fail(Code::kUsage, "safetensors: tensor '{}': got {} bytes, expected {} for {} of shape {}",
           printable(entry.name), entry.bytes.size(), needed, dtype_name(entry.dtype), entry.shape.to_string());
    }
    names.push_back(entry.name);
  }
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) fail(Code::kUsage, "safetensors: tensor '{}' is given twice", printable(*twice));
  if (std::ranges::binary_search(names, std::string_view("__metadata__"))) {
    fail(Code::kUsage, "safetensors: no tensor may be called '__metadata__'");
  }
}

}  // namespace

std::string_view dtype_name(Dtype dtype) {
  constexpr std::string_view kNames[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I8"};
  return kNames[static_cast<int>(dtype)];
}

std::int64_t dtype_bytes(Dtype dtype) {
  constexpr std::int64_t kBytes[] = {8, 4, 2, 2, 8, 4, 1};
  return kBytes[static_cast<int>(dtype)];
}

SafetensorsFile SafetensorsFile::read(const std::string& path) {
  const std::int64_t size = file_system().exists(path) ? file_system().size(path) : 0;
  if (size == 0) return parse(read_file(path), path);  // a pipe does not say how much will come
  const std::unique_ptr<File> file = file_system().open_read(path);
  const auto read = [&](std::span<std::byte> out) { return file->read(out); };
  return read_all(read, static_cast<std::uint64_t>(size), path);
}

SafetensorsFile SafetensorsFile::parse(std::string content, const std::string& path) {
  std::span<const std::byte> rest = std::as_bytes(std::span(content));
  const auto read = [&](std::span<std::byte> out) {
    std::memcpy(out.data(), rest.data(), out.size());  // read_all asks for no more than there is
    rest = rest.subspan(out.size());
    return out.size();
  };
  return read_all(read, content.size(), path);
}

void read_exactly(const ReadBytes& read, std::span<std::byte> out, const std::string& path) {
  while (!out.empty()) {
    const std::size_t count = read(out);
    if (count == 0) fail(Code::kModel, "{}: ends {} bytes early: it was cut while it was read", path, out.size());
    out = out.subspan(count);
  }
}

SafetensorsHeader read_safetensors_header(const ReadBytes& read, std::uint64_t size, const std::string& path) {
  if (size < kLengthBytes + 2) {
    fail(Code::kModel, "{}: got {} bytes, too few for a safetensors file", path, size);
  }
  std::string text(kLengthBytes, '\0');
  read_exactly(read, std::as_writable_bytes(std::span(text)), path);
  std::uint64_t length;
  std::memcpy(&length, text.data(), sizeof length);
  const std::uint64_t room = size - kLengthBytes;
  if (length > std::min(room, kMaxHeader)) {
    fail(Code::kModel,
         "{}: says its header takes {} bytes, expected at most {}; no safetensors file, or a truncated one", path,
         length, std::min(room, kMaxHeader));
  }
  text.resize(kLengthBytes + length);
  read_exactly(read, std::as_writable_bytes(std::span(text)).subspan(kLengthBytes), path);
  SafetensorsHeader header = parse_safetensors_header(std::string_view(text).substr(kLengthBytes), path);
  check_names(header.entries, path);
  check_offsets(header.entries, room - length, path);
  header.text = std::move(text);
  return header;
}

SafetensorsFile SafetensorsFile::read_all(const ReadBytes& read, std::uint64_t size, const std::string& path) {
  SafetensorsFile file;
  SafetensorsHeader header = read_safetensors_header(read, size, path);
  file.header_ = std::move(header.text);
  file.metadata_ = std::move(header.metadata);
  file.tensors_.reserve(header.entries.size());
  file.memory_.reserve(header.entries.size());
  for (HeaderEntry& entry : header.entries) {
    const std::uint64_t bytes = entry.end - entry.begin;
    const Shape floats{static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float))};
    Tensor& memory = file.memory_.emplace_back(entry.dtype == Dtype::kF32 ? entry.shape : floats);
    const auto room_for = std::as_writable_bytes(memory.span()).first(bytes);
    read_exactly(read, room_for, path);
    file.tensors_.push_back({std::move(entry.name), entry.dtype, entry.shape, room_for});
  }
  return file;
}

std::int64_t SafetensorsFile::offset(const TensorEntry& entry) const {
  std::int64_t position = std::ssize(header_);
  for (const TensorEntry* before = tensors_.data(); before != &entry; ++before) position += std::ssize(before->bytes);
  return position;
}

Tensor SafetensorsFile::take(const TensorEntry& entry) {
  if (entry.dtype != Dtype::kF32) return tensor_of<float>(entry);
  return std::move(memory_[static_cast<std::size_t>(&entry - tensors_.data())]);
}

std::string safetensors_start(const std::vector<TensorEntry>& entries,
                              const std::map<std::string, std::string>& metadata) {
  check_entries(entries);
  const auto quoted = [](const std::string& text) {
    try {
      return json_text(text);
    } catch (const nlohmann::json::exception&) {
      fail(Code::kUsage, "safetensors: '{}' is not valid UTF-8", printable(text));
    }
  };
  std::string text(kLengthBytes, '\0');
  text += '{';
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) text += quoted(key) + ":" + quoted(value) + ",";
    text.back() = '}';
    text += ",";
  }
  std::size_t offset = 0;
  for (const TensorEntry& entry : entries) {
    text +=
        fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}},", quoted(entry.name),
                    dtype_name(entry.dtype), fmt::join(entry.shape.sizes(), ","), offset, offset + entry.bytes.size());
    offset += entry.bytes.size();
  }
  if (text.back() == ',') text.pop_back();
  text += '}';
  text.append((kLengthBytes - text.size() % kLengthBytes) % kLengthBytes, ' ');
  const std::uint64_t length = text.size() - kLengthBytes;
  if (length > kMaxHeader) {
    fail(Code::kUsage, "safetensors: the header takes {} bytes, the format allows {}", length, kMaxHeader);
  }
  std::memcpy(text.data(), &length, sizeof length);
  return text;
}

std::string write_safetensors(const std::vector<TensorEntry>& entries,
                              const std::map<std::string, std::string>& metadata) {
  std::vector<TensorEntry> ordered;
  for (const std::int64_t width : {8, 4, 2, 1}) {
    for (const TensorEntry& entry : entries) {
      if (dtype_bytes(entry.dtype) == width) ordered.push_back(entry);
    }
  }
  std::string content = safetensors_start(ordered, metadata);
  std::size_t size = content.size();
  for (const TensorEntry& entry : ordered) size += entry.bytes.size();
  content.reserve(size);
  for (const TensorEntry& entry : ordered) {
    content.append(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size());
  }
  return content;
}

TensorEntry entry_of(std::string name, View<const float> view) {
  return {std::move(name), Dtype::kF32, view.shape, std::as_bytes(view.span())};
}

template <class T>
BasicTensor<T> tensor_of(const TensorEntry& entry) {
  BasicTensor<T> out(entry.shape);
  if (entry.dtype == (sizeof(T) == sizeof(float) ? Dtype::kF32 : Dtype::kF64)) {
    if (!entry.bytes.empty()) std::memcpy(out.data(), entry.bytes.data(), entry.bytes.size());
    return out;
  }
  const auto same = [](auto value) { return value; };
  switch (entry.dtype) {
    case Dtype::kF64:
      convert_all<double>(entry, out, same);
      break;
    case Dtype::kF32:
      convert_all<float>(entry, out, same);
      break;
    case Dtype::kF16:
      convert_all<std::uint16_t>(entry, out, from_half);
      break;
    case Dtype::kBf16:
      convert_all<std::uint16_t>(
          entry, out, [](std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); });
      break;
    case Dtype::kI64:
      convert_all<std::int64_t>(entry, out, same);
      break;
    case Dtype::kI32:
      convert_all<std::int32_t>(entry, out, same);
      break;
    case Dtype::kI8:
      convert_all<std::int8_t>(entry, out, same);
      break;
  }
  return out;
}

template BasicTensor<float> tensor_of(const TensorEntry&);
template BasicTensor<double> tensor_of(const TensorEntry&);

}  // namespace carousel
