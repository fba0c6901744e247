// rows_json.cpp: JSON lines. The first object gives the columns, in its order. A key missing later is an empty cell; a
// new key, a key given twice and an object or list where a text or number was before are errors that name the key.
#include <algorithm>

#include "base/fail.h"
#include "base/json.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/table_rows.h"

namespace carousel {
namespace {

using Json = nlohmann::json;

// Receives the parts of one line. Nested values are walked through, not stored.
class FlatObject : public nlohmann::json_sax<Json> {
 public:
  std::vector<std::string> keys, nested;  // the columns; keys whose first value is nested
  std::vector<std::string> values;        // one per column
  bool discovering = true;                // the first line: keys become columns
  std::string problem;

  void begin_line() {
    for (std::string& value : values) value.clear();
    seen_.assign(keys.size(), false);
    depth_ = 0;
    problem.clear();
  }

  bool null() override { return take(""); }
  bool boolean(bool value) override { return take(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) override { return take(fmt::format("{}", value)); }
  bool number_unsigned(std::uint64_t value) override { return take(fmt::format("{}", value)); }
  bool number_float(double, const std::string& digits) override { return take(digits); }
  bool string(std::string& value) override { return take(value); }
  bool binary(Json::binary_t&) override { return stop("holds binary data"); }
  bool start_object(std::size_t) override { return enter(true); }
  bool start_array(std::size_t) override { return enter(false); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(std::string& name) override {
    if (depth_ > 1) return true;
    key_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception&) override {
    problem = fmt::format("expected a JSON object, found a fault at byte {} near '{}'", position, shortened(token));
    return false;
  }

 private:
  bool stop(std::string_view what) {
    problem = fmt::format("key '{}' {}", shortened(key_), what);
    return false;
  }

  bool enter(bool object) {
    if (++depth_ > 1) return depth_ > 2 || take_nested();
    if (!object) problem = "expected a JSON object, got a list";
    return object;
  }

  bool leave() {
    --depth_;
    return true;
  }

  bool take_nested() {
    if (std::find(nested.begin(), nested.end(), key_) != nested.end()) return true;
    if (std::find(keys.begin(), keys.end(), key_) != keys.end())
      return stop("holds an object or a list, expected a value");
    if (!discovering) return stop("does not occur in the first line");
    nested.push_back(key_);
    return true;
  }

  bool take(std::string_view value) {
    if (depth_ > 1) return true;
    if (depth_ == 0) {
      problem = fmt::format("expected a JSON object, got '{}'", shortened(value));
      return false;
    }
    auto at = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), key_) - keys.begin());
    if (at == keys.size()) {
      const bool was_nested = std::find(nested.begin(), nested.end(), key_) != nested.end();
      if (was_nested) return value.empty() || stop("holds a value, expected an object or a list as before");
      if (!discovering) return stop("does not occur in the first line");
      keys.push_back(key_);
      values.emplace_back();
      seen_.push_back(false);
    }
    if (seen_[at]) return stop("occurs twice");
    seen_[at] = true;
    values[at].assign(value);
    return true;
  }

  std::vector<bool> seen_;
  std::string key_;
  std::int64_t depth_ = 0;
};

class JsonParser : public RowParser {
 public:
  explicit JsonParser(CheckedLines& lines) {
    read(lines, first_);
    object_.discovering = false;
    columns_ = object_.keys;
    nested_keys_ = object_.nested;
    if (columns_.empty())
      fail(Code::kData, "{}:{}: the object has no key with a text or a number", lines.path(), first_.line);
  }

  bool next(CheckedLines& lines, Row& row) override {
    if (first_pending_) {
      first_pending_ = false;
      row = first_;
      return true;
    }
    return read(lines, row);
  }

 private:
  bool read(CheckedLines& lines, Row& row) {
    if (!lines.next_filled(line_)) return false;
    row.line = lines.line_number();
    object_.begin_line();
    if (!read_json(line_, object_)) {
      fail(Code::kData, "{}:{}: {}", lines.path(), row.line, object_.problem);
    }
    row.cells.assign(object_.values.begin(), object_.values.end());
    return true;
  }

  FlatObject object_;
  std::string line_;
  Row first_;
  bool first_pending_ = true;
};

}  // namespace

std::unique_ptr<RowParser> make_json_parser(CheckedLines& lines) { return std::make_unique<JsonParser>(lines); }

}  // namespace carousel
