#include "models/safetensors_header.h"

#include <array>
#include <optional>

#include "base/fail.h"
#include "base/json.h"
#include "models/json_text.h"

namespace carousel {

namespace {

constexpr std::size_t kMaxTensors = 200'000;
constexpr std::size_t kMaxMetadata = 4'096;

using Json = nlohmann::json;

// The parser calls one function per value; `where_` says what it is part of. Whatever has no place is an error.
class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { misplaced("null"); }
  bool boolean(bool) override { misplaced("true or false"); }
  bool number_integer(number_integer_t) override { misplaced("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { misplaced("a number that is no integer"); }
  bool binary(binary_t&) override { misplaced("binary data"); }

  bool number_unsigned(number_unsigned_t value) override {
    if (where_ != Where::kShape && where_ != Where::kOffsets) misplaced("a number");
    const std::size_t room = where_ == Where::kShape ? static_cast<std::size_t>(Shape::kMaxRank) : 2;
    if (count_ == room) bad(fmt::format("'{}' has more than {} numbers", field_, room));
    numbers_[count_++] = value;
    return true;
  }

  bool string(string_t& text) override {
    if (where_ == Where::kMetadata) {
      if (header_.metadata.size() == kMaxMetadata) bad(fmt::format("more than {} metadata keys", kMaxMetadata));
      if (!header_.metadata.try_emplace(key_, std::move(text)).second) {
        bad(fmt::format("metadata key '{}' is there twice", printable(key_)));
      }
      return true;
    }
    if (where_ != Where::kEntry || field_ != "dtype") misplaced("a text");
    dtype_ = dtype_called(text);
    return true;
  }

  bool key(string_t& text) override {
    if (where_ == Where::kEntry) {
      if (text != "dtype" && text != "shape" && text != "data_offsets") {
        bad(fmt::format("unknown field '{}', expected dtype, shape and data_offsets", printable(text)));
      }
      field_ = text;
    } else {
      key_ = std::move(text);
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (where_ == Where::kOutside) {
      where_ = Where::kTop;
    } else if (where_ == Where::kTop) {
      where_ = key_ == "__metadata__" ? Where::kMetadata : Where::kEntry;
      if (where_ == Where::kMetadata && std::exchange(metadata_seen_, true)) bad("'__metadata__' is there twice");
      dtype_.reset();
      shape_.reset();
      offsets_.reset();
    } else {
      misplaced("an object");
    }
    return true;
  }

  bool end_object() override {
    if (where_ == Where::kEntry) finish_entry();
    where_ = where_ == Where::kTop ? Where::kOutside : Where::kTop;
    return true;
  }

  bool start_array(std::size_t) override {
    if (where_ != Where::kEntry || (field_ != "shape" && field_ != "data_offsets")) misplaced("a list");
    if (field_ == "shape" ? shape_.has_value() : offsets_.has_value()) bad(fmt::format("'{}' is there twice", field_));
    where_ = field_ == "shape" ? Where::kShape : Where::kOffsets;
    count_ = 0;
    return true;
  }

  bool end_array() override {
    if (where_ == Where::kShape) {
      shape_ = checked_shape();
    } else {
      if (count_ != 2) bad(fmt::format("'data_offsets' has {} numbers, expected 2", count_));
      offsets_ = {numbers_[0], numbers_[1]};
    }
    where_ = Where::kEntry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    fail(Code::kModel, "{}: header: not valid JSON at character {}", path_, position);
  }

 private:
  enum class Where { kOutside, kTop, kMetadata, kEntry, kShape, kOffsets };

  [[noreturn]] void bad(std::string_view what) const {
    if (key_.empty()) fail(Code::kModel, "{}: header: {}", path_, what);
    fail(Code::kModel, "{}: header: '{}': {}", path_, printable(key_), what);
  }
  [[noreturn]] void misplaced(std::string_view what) const { bad(fmt::format("{} where the format has none", what)); }

  Dtype dtype_called(std::string_view name) const {
    if (dtype_.has_value()) bad("'dtype' is there twice");
    for (const Dtype dtype :
         {Dtype::kF64, Dtype::kF32, Dtype::kF16, Dtype::kBf16, Dtype::kI64, Dtype::kI32, Dtype::kI8}) {
      if (dtype_name(dtype) == name) return dtype;
    }
    bad(fmt::format("dtype '{}' is not supported, expected F64, F32, F16, BF16, I64, I32 or I8", printable(name)));
  }

  Shape checked_shape() const {
    std::array<std::int64_t, Shape::kMaxRank> sizes{};
    for (std::size_t i = 0; i < count_; ++i)
      sizes[i] = static_cast<std::int64_t>(numbers_[i]);  // Shape checks the sign
    try {
      return Shape(std::span<const std::int64_t>(sizes.data(), count_));
    } catch (const Error& error) {
      bad(error.what());
    }
  }

  void finish_entry() {
    if (!dtype_ || !shape_ || !offsets_) bad("incomplete, expected dtype, shape and data_offsets");
    if (header_.entries.size() == kMaxTensors) bad(fmt::format("more than {} tensors", kMaxTensors));
    header_.entries.push_back({key_, *dtype_, *shape_, (*offsets_)[0], (*offsets_)[1]});
  }

  const std::string& path_;
  SafetensorsHeader header_;
  Where where_ = Where::kOutside;
  std::string key_, field_;
  std::array<std::uint64_t, Shape::kMaxRank> numbers_{};
  std::size_t count_ = 0;
  bool metadata_seen_ = false;
  std::optional<Dtype> dtype_;
  std::optional<Shape> shape_;
  std::optional<std::array<std::uint64_t, 2>> offsets_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& path) {
  if (!text.starts_with('{')) fail(Code::kModel, "{}: header: does not start with '{{'", path);
  HeaderReader reader(path);
  try {
    read_json(text, reader);
  } catch (const Json::exception&) {
    fail(Code::kModel, "{}: header: not valid JSON", path);
  }
  return reader.take();
}

}  // namespace carousel
