#include "formats/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "base/fail.h"
#include "base/file.h"
#include "base/gzip.h"

namespace carousel {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeader = 1 << 16;  // NumPy itself writes a few hundred bytes
constexpr std::size_t kHeaderAlignment = 64;

struct TypeRow {
  NpyType type;
  std::string_view descr, name;
  std::int64_t bytes;
};
constexpr std::array<TypeRow, 6> kTypes{{{NpyType::kFloat32, "<f4", "float32", 4},
                                         {NpyType::kFloat64, "<f8", "float64", 8},
                                         {NpyType::kInt32, "<i4", "int32", 4},
                                         {NpyType::kInt64, "<i8", "int64", 8},
                                         {NpyType::kUint8, "|u1", "uint8", 1},
                                         {NpyType::kBool, "|b1", "bool", 1}}};

const TypeRow& row_of(NpyType type) { return kTypes[static_cast<std::size_t>(type)]; }

// The header: a Python dictionary with the keys descr, fortran_order and shape, each once, in any order.
class DictionaryReader {
 public:
  DictionaryReader(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  NpyHeader read() {
    expect('{');
    while (!accept('}')) {
      read_member();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) bad("the end");
    if (!type_ || !order_seen_ || !shape_) fail(Code::kData, "{}: header needs descr, fortran_order and shape", path_);
    return {*type_, *shape_};
  }

 private:
  void read_member() {
    const std::string_view key = quoted();
    expect(':');
    if (key == "descr" && !type_) {
      type_ = type_called(quoted());
    } else if (key == "fortran_order" && !order_seen_) {
      order_seen_ = true;
      if (accept_word("True")) {
        fail(Code::kData, "{}: array is in Fortran order, expected C order; save numpy.ascontiguousarray(x)", path_);
      }
      if (!accept_word("False")) bad("True or False");
    } else if (key == "shape" && !shape_) {
      shape_ = read_shape();
    } else {
      bad("descr, fortran_order and shape, each once");
    }
  }

  NpyType type_called(std::string_view descr) {
    for (const TypeRow& row : kTypes) {
      if (row.descr == descr) return row.type;
    }
    if (descr.starts_with('>')) {
      fail(Code::kData,
           "{}: element type is big-endian, expected little-endian; save x.astype(x.dtype.newbyteorder('<'))", path_);
    }
    fail(Code::kData, "{}: element type is not supported, expected one of <f4 <f8 <i4 <i8 |u1 |b1", path_);
  }

  Shape read_shape() {
    std::array<std::int64_t, Shape::kMaxRank> sizes{};
    std::size_t rank = 0;
    expect('(');
    while (!accept(')')) {
      skip_space();
      if (rank == sizes.size()) fail(Code::kData, "{}: array has more than {} axes", path_, sizes.size());
      const auto [end, error] = std::from_chars(text_.data() + position_, text_.data() + text_.size(), sizes[rank]);
      if (error != std::errc()) bad("an axis size that fits 63 bits");
      position_ = static_cast<std::size_t>(end - text_.data());
      ++rank;
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    try {
      return Shape(std::span<const std::int64_t>(sizes.data(), rank));
    } catch (const Error& error) {
      fail(Code::kData, "{}: {}", path_, error.what());
    }
  }

  std::string_view quoted() {
    skip_space();
    const char quote = position_ < text_.size() ? text_[position_] : '\0';
    if (quote != '\'' && quote != '"') bad("a text in quotes (arrays of records are not supported)");
    const std::size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) bad("a closing quote");
    const std::string_view content = text_.substr(position_ + 1, end - position_ - 1);
    position_ = end + 1;
    return content;
  }

  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
  }
  bool accept_word(std::string_view word) {
    skip_space();
    if (!text_.substr(position_).starts_with(word)) return false;
    position_ += word.size();
    return true;
  }
  bool accept(char c) { return accept_word({&c, 1}); }
  void expect(char c) {
    if (!accept(c)) bad(std::string_view(&c, 1));
  }
  [[noreturn]] void bad(std::string_view expected) const {
    fail(Code::kData, "{}: header is damaged at character {}: expected {}", path_, position_, expected);
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t position_ = 0;
  std::optional<NpyType> type_;
  std::optional<Shape> shape_;
  bool order_seen_ = false;
};

// Up to `count` bytes of the content; fewer at the end of the file.
std::string read_bytes(GzipReader& reader, std::size_t count) {
  std::string bytes;
  std::array<std::byte, 1 << 16> buffer;
  while (bytes.size() < count) {
    const std::size_t got = reader.read(std::span(buffer).first(std::min(buffer.size(), count - bytes.size())));
    if (got == 0) break;
    bytes.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
  return bytes;
}

std::string read_or_fail(GzipReader& reader, std::size_t count, const std::string& path) {
  std::string bytes = read_bytes(reader, count);
  if (bytes.size() < count) fail(Code::kData, "{}: ends in the middle of its header", path);
  return bytes;
}

NpyHeader read_header(GzipReader& reader, const std::string& path) {
  const std::string start = read_bytes(reader, kMagic.size() + 2);
  if (start.size() < kMagic.size() + 2 || !start.starts_with(kMagic)) {
    fail(Code::kData, "{}: no .npy file: does not start with its magic number", path);
  }
  const int major = static_cast<unsigned char>(start[kMagic.size()]);
  const int minor = static_cast<unsigned char>(start[kMagic.size() + 1]);
  if ((major != 1 && major != 2) || minor != 0) {
    fail(Code::kData, "{}: .npy version {}.{}, expected 1.0 or 2.0", path, major, minor);
  }
  std::uint32_t length = 0;
  const std::string bytes = read_or_fail(reader, major == 1 ? 2 : 4, path);
  std::memcpy(&length, bytes.data(), bytes.size());
  if (length > kMaxHeader) fail(Code::kData, "{}: header of {} bytes, expected at most {}", path, length, kMaxHeader);
  const std::string text = read_or_fail(reader, length, path);
  return DictionaryReader(text, path).read();
}

template <class T>
constexpr std::string_view type_name_of() {
  return std::is_same_v<T, float> ? "float32" : std::is_same_v<T, double> ? "float64" : "int32";
}

// Converts element by element; false at the first one that T does not hold as `conversion` asks.
template <class T, class From>
bool convert_one(From from, NpyConversion conversion, T& to) {
  if constexpr (std::is_same_v<T, From>) {
    to = from;
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    to = static_cast<T>(from);
    return static_cast<From>(to) == from;
  } else if constexpr (std::is_floating_point_v<From>) {
    to = static_cast<T>(from);
    return !std::isinf(to) || std::isinf(from);
  } else {
    to = static_cast<T>(from);
    if (conversion == NpyConversion::kRound || sizeof(From) == 1) return true;
    // Back again only where the way back is defined: the largest integers may have become 2^31 or 2^63.
    return to < -static_cast<T>(std::numeric_limits<From>::min()) && static_cast<From>(to) == from;
  }
}

template <class T, class From>
void convert_all(const std::string& bytes, NpyConversion conversion, BasicTensor<T>& out, const std::string& path) {
  if constexpr (std::is_floating_point_v<From> && (std::is_integral_v<T> || sizeof(T) < sizeof(From))) {
    if (std::is_integral_v<T> || conversion == NpyConversion::kExact) {
      fail(Code::kData, "{}: elements are {}, expected {}; save x.astype('{}')", path, type_name_of<From>(),
           type_name_of<T>(), type_name_of<T>());
    }
  }
  if constexpr (!(std::is_floating_point_v<From> && std::is_integral_v<T>)) {
    for (std::int64_t i = 0; i < out.elements(); ++i) {
      From from;
      std::memcpy(&from, bytes.data() + static_cast<std::size_t>(i) * sizeof(From), sizeof(From));
      if (!convert_one(from, conversion, out[i])) {
        fail(Code::kData, "{}: element {} of shape {} is {}, which does not fit {}", path, i, out.shape().to_string(),
             from, type_name_of<T>());
      }
    }
  }
}

}  // namespace

std::string_view npy_type_name(NpyType type) { return row_of(type).name; }

NpyHeader read_npy_header(const std::string& path) {
  GzipReader reader(path);
  return read_header(reader, path);
}

template <class T>
BasicTensor<T> read_npy(const std::string& path, NpyConversion conversion) {
  GzipReader reader(path);
  const NpyHeader header = read_header(reader, path);
  const auto needed = static_cast<std::size_t>(header.shape.elements() * row_of(header.type).bytes);
  const std::string bytes = read_bytes(reader, needed + 1);
  if (bytes.size() != needed) {
    fail(Code::kData, "{}: has {} bytes of data, but {} of shape {} takes {}", path,
         bytes.size() > needed ? "more" : std::to_string(bytes.size()), npy_type_name(header.type),
         header.shape.to_string(), needed);
  }
  BasicTensor<T> out(header.shape);
  switch (header.type) {
    case NpyType::kFloat32:
      convert_all<T, float>(bytes, conversion, out, path);
      break;
    case NpyType::kFloat64:
      convert_all<T, double>(bytes, conversion, out, path);
      break;
    case NpyType::kInt32:
      convert_all<T, std::int32_t>(bytes, conversion, out, path);
      break;
    case NpyType::kInt64:
      convert_all<T, std::int64_t>(bytes, conversion, out, path);
      break;
    case NpyType::kUint8:
    case NpyType::kBool:
      convert_all<T, std::uint8_t>(bytes, conversion, out, path);
      break;
  }
  return out;
}

template <class T>
void write_npy(const std::string& path, View<const T> view) {
  const NpyType type = std::is_same_v<T, float>    ? NpyType::kFloat32
                       : std::is_same_v<T, double> ? NpyType::kFloat64
                                                   : NpyType::kInt32;
  const Shape& shape = view.shape;
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", row_of(type).descr,
                                 fmt::join(shape.sizes(), ", "), shape.rank() == 1 ? "," : "");
  const std::size_t before = kMagic.size() + 4;  // magic, version, length
  text.append(kHeaderAlignment - (before + text.size() + 1) % kHeaderAlignment, ' ');
  text += '\n';
  const auto length = static_cast<std::uint16_t>(text.size());
  std::string content(kMagic);
  content += std::string_view("\x01\x00", 2);
  content.append(reinterpret_cast<const char*>(&length), sizeof length);
  content += text;
  const auto bytes = std::as_bytes(view.span());
  content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  write_file_atomically(path, path.ends_with(".gz") ? gzip_compress(content) : content);
}

template BasicTensor<float> read_npy(const std::string&, NpyConversion);
template BasicTensor<double> read_npy(const std::string&, NpyConversion);
template BasicTensor<std::int32_t> read_npy(const std::string&, NpyConversion);
template void write_npy(const std::string&, View<const float>);
template void write_npy(const std::string&, View<const double>);
template void write_npy(const std::string&, View<const std::int32_t>);

}  // namespace carousel
