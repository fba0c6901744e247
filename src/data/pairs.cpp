#include "data/pairs.h"

#include <algorithm>
#include <iterator>

#include "base/fail.h"
#include "data/lines.h"
#include "data/nearest.h"
#include "data/number.h"

namespace carousel {
namespace {

void note_empty(TextPairs& pairs) {
  const auto count = [](const std::vector<std::string>& texts) {
    return std::count(texts.begin(), texts.end(), std::string());
  };
  if (const auto empty = count(pairs.sources)) pairs.notes.push_back(fmt::format("empty sources: {}", empty));
  if (const auto empty = count(pairs.targets)) pairs.notes.push_back(fmt::format("empty targets: {}", empty));
}

std::string name_of(char separator) { return separator == '\t' ? "tab" : fmt::format("'{}'", separator); }

std::vector<std::string> read_side(const std::vector<std::string>& paths) {
  std::vector<std::string> texts;
  std::string line;
  for (const std::string& path : paths) {
    CheckedLines lines(path);
    while (lines.next(line)) texts.emplace_back(trim_blanks(line));
  }
  return texts;
}

}  // namespace

TextPairs read_pairs(const std::vector<std::string>& paths, char separator, bool targets_required) {
  TextPairs pairs;
  std::int64_t blank = 0, longer = 0;
  std::string line;
  for (const std::string& path : paths) {
    CheckedLines lines(path);
    while (targets_required ? lines.next_filled(line) : lines.next(line)) {
      const std::string_view whole(line);
      const std::size_t middle = whole.find(separator), end = std::min(whole.size(), middle);
      if (middle == std::string_view::npos && targets_required) {
        fail(Code::kData, "{}:{}: expected source, {} and target, got '{}' (--separator names another one)", path,
             lines.line_number(), name_of(separator), shortened(whole));
      }
      pairs.sources.emplace_back(trim_blanks(whole.substr(0, end)));
      if (middle == std::string_view::npos) continue;
      const std::string_view rest = whole.substr(middle + 1);
      longer += rest.find(separator) == std::string_view::npos ? 0 : 1;
      pairs.targets.emplace_back(trim_blanks(rest.substr(0, rest.find(separator))));
    }
    blank += lines.blank_lines();
  }
  if (pairs.targets.size() < pairs.sources.size()) pairs.targets.clear();
  if (blank > 0) pairs.notes.push_back(fmt::format("{} blank lines passed over", blank));
  if (longer > 0) {
    pairs.notes.push_back(
        fmt::format("{} lines have more than two columns: those behind the target are passed over", longer));
  }
  note_empty(pairs);
  return pairs;
}

TextPairs read_parallel(const std::vector<std::string>& sources, const std::vector<std::string>& targets) {
  TextPairs pairs{read_side(sources), read_side(targets), {}};
  if (!targets.empty() && pairs.sources.size() != pairs.targets.size()) {
    fail(Code::kData, "{} has {} lines, {} has {}: line n of the one belongs to line n of the other, expected as many",
         fmt::join(sources, ", "), pairs.sources.size(), fmt::join(targets, ", "), pairs.targets.size());
  }
  note_empty(pairs);
  return pairs;
}

void append(TextPairs& pairs, TextPairs more) {
  if (pairs.targets.empty() != more.targets.empty()) {
    fail(Code::kData, "some of the data have targets, some have none");
  }
  std::move(more.sources.begin(), more.sources.end(), std::back_inserter(pairs.sources));
  std::move(more.targets.begin(), more.targets.end(), std::back_inserter(pairs.targets));
  std::move(more.notes.begin(), more.notes.end(), std::back_inserter(pairs.notes));
}

}  // namespace carousel
