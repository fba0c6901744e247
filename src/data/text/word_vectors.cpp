#include "data/text/word_vectors.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "data/lines.h"
#include "data/nearest.h"
#include "data/number.h"

namespace carousel {
namespace {

constexpr std::string_view kBlanks = " \t";

// The last field of the line, which loses it; empty if there is none.
std::string_view take_last_field(std::string_view& line) {
  line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
  const std::size_t blank = line.find_last_of(kBlanks);
  const std::size_t start = blank == std::string_view::npos ? 0 : blank + 1;
  const std::string_view field = line.substr(start);
  line = line.substr(0, start);
  return field;
}

std::int64_t count_fields(std::string_view line) {
  std::int64_t count = 0;
  while (!take_last_field(line).empty()) ++count;
  return count;
}

bool is_number(std::string_view field, float& value) {
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  return error == std::errc() && end == field.data() + field.size() && std::isfinite(value);
}

bool is_count(std::string_view field) {
  return !field.empty() && std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class VectorReader {
 public:
  explicit VectorReader(const std::string& path) : lines_(path) {}

  // The next word and its numbers; false at the end. `values` keeps the size that the first line gave it.
  bool next(std::string& word, std::vector<float>& values) {
    if (!lines_.next_filled(line_)) return false;
    if (values.empty() && lines_.line_number() == 1 && is_header(values) && !lines_.next_filled(line_)) return false;
    if (values.empty()) values.resize(static_cast<std::size_t>(std::max<std::int64_t>(count_fields(line_) - 1, 0)));
    if (values.empty()) fail_here("expected a word and its numbers", line_);
    std::string_view rest = line_;
    for (std::size_t k = values.size(); k-- > 0;) {
      const std::string_view field = take_last_field(rest);
      if (!is_number(field, values[k])) fail_here(fmt::format("expected a word and {} numbers", values.size()), field);
    }
    word = trim_blanks(rest);
    if (word.empty()) fail_here(fmt::format("expected a word and {} numbers", values.size()), line_);
    return true;
  }

 private:
  // "COUNT SIZE": a line of two fields that are whole numbers.
  bool is_header(std::vector<float>& values) const {
    std::string_view rest = line_;
    const std::string_view size = take_last_field(rest), count = take_last_field(rest);
    if (!rest.empty() || !is_count(size) || !is_count(count)) return false;
    std::int64_t number = 0;
    const auto parsed = std::from_chars(size.data(), size.data() + size.size(), number);
    constexpr std::int64_t kMost = 100000;
    if (parsed.ec != std::errc() || number < 1 || number > kMost) {
      fail_here(fmt::format("expected vectors of 1 to {} numbers", kMost), size);
    }
    values.resize(static_cast<std::size_t>(number));
    return true;
  }

  [[noreturn]] void fail_here(const std::string& expected, std::string_view got) const {
    fail(Code::kData, "{}:{}: {}, got '{}'", lines_.path(), lines_.line_number(), expected, shortened(got));
  }

  CheckedLines lines_;
  std::string line_;
};

}  // namespace

std::int64_t WordVectors::found_words() const { return std::count(found.begin(), found.end(), true); }

WordVectors read_word_vectors(const std::string& path, const Vocabulary& vocabulary,
                              const NormalizeOptions& normalize) {
  VectorReader reader(path);
  WordVectors result;
  result.found.resize(static_cast<std::size_t>(vocabulary.size()));
  std::vector<bool> exact(result.found.size());
  std::string word;
  for (std::vector<float> values; reader.next(word, values);) {
    if (result.words_in_file++ == 0) result.rows = Tensor({vocabulary.size(), std::ssize(values)});
    const std::string normalized = normalize_text(word, normalize);
    const auto id = static_cast<std::size_t>(vocabulary.id(normalized));
    const bool as_it_is = normalized == word;
    if (id < Vocabulary::kSpecials || exact[id] || (result.found[id] && !as_it_is)) continue;
    std::copy(values.begin(), values.end(), result.rows.data() + static_cast<std::int64_t>(id) * result.size());
    result.found[id] = true;
    exact[id] = as_it_is;
  }
  if (result.words_in_file == 0) fail(Code::kData, "{}: there are no vectors in it", path);
  return result;
}

}  // namespace carousel
