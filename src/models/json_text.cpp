#include "models/json_text.h"

#include <algorithm>

#include "base/fail.h"

namespace carousel {

namespace {

constexpr int kMaxDepth = 32;
// Bytes that a parsed value takes, heap overhead and the spare room of a growing array included.
constexpr std::int64_t kValueBytes = 48, kKeyBytes = 96, kObjectBytes = 64, kArrayBytes = 32, kTextBytes = 48;

// Counts what the parsed text would take, and builds nothing.
class Meter final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Meter(std::int64_t max_bytes, const std::string& place) : room_(max_bytes), place_(place) {}

  bool null() override { return take(kValueBytes); }
  bool boolean(bool) override { return take(kValueBytes); }
  bool number_integer(number_integer_t) override { return take(kValueBytes); }
  bool number_unsigned(number_unsigned_t) override { return take(kValueBytes); }
  bool number_float(number_float_t, const string_t&) override { return take(kValueBytes); }
  bool string(string_t& text) override {
    return take(kValueBytes + kTextBytes + static_cast<std::int64_t>(text.size()));
  }
  bool binary(binary_t&) override { return false; }
  bool key(string_t& text) override { return take(kKeyBytes + static_cast<std::int64_t>(text.size())); }
  bool start_object(std::size_t) override { return deeper(kValueBytes + kObjectBytes); }
  bool end_object() override { return --depth_, true; }
  bool start_array(std::size_t) override { return deeper(kValueBytes + kArrayBytes); }
  bool end_array() override { return --depth_, true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    fail(Code::kModel, "{}: not valid JSON at character {}", place_, position);
  }

 private:
  bool take(std::int64_t bytes) {
    room_ -= bytes;
    if (room_ < 0) fail(Code::kModel, "{}: would take too much memory for a file of this size", place_);
    return true;
  }
  bool deeper(std::int64_t bytes) {
    if (++depth_ > kMaxDepth) fail(Code::kModel, "{}: nested deeper than {} levels", place_, kMaxDepth);
    return take(bytes);
  }

  std::int64_t room_;
  const std::string& place_;
  int depth_ = 0;
};

}  // namespace

nlohmann::json parse_json_text(std::string_view text, std::int64_t max_bytes, const std::string& place) {
  Meter meter(max_bytes, place);
  try {
    read_json(text, meter);
    return parse_json(text);
  } catch (const nlohmann::json::exception&) {
    fail(Code::kModel, "{}: not valid JSON", place);  // a number too large for any type
  }
}

std::string printable(std::string_view name) {
  constexpr std::size_t kMaxLength = 80;
  std::string text(name.substr(0, kMaxLength));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return name.size() > kMaxLength ? text + "..." : text;
}

}  // namespace carousel
