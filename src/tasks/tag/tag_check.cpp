#include "tasks/tag/tag_check.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "base/fail.h"

namespace carousel {
namespace {

using Counts = std::map<std::string, std::int64_t>;

void add_counts(const Counts& counts, const std::string& what, DataReport& report) {
  std::int64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  std::vector<std::pair<std::string, std::int64_t>> list(counts.begin(), counts.end());
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [name, count] : list) {
    report.facts.emplace_back(
        fmt::format("{} {}", what, name),
        fmt::format("{} ({:.1f} %)", count, 100.0 * static_cast<double>(count) / static_cast<double>(sum)));
  }
}

// The first few, and how many more there are.
void add_invalid(const TagData& data, TagScheme scheme, DataReport& report) {
  constexpr std::int64_t kShown = 10;
  std::int64_t count = 0;
  for (const TaggedSentence& sentence : data.sentences) {
    const std::int64_t at = find_invalid(sentence.tags, scheme);
    if (at < 0 || ++count > kShown) continue;
    const bool end = at == std::ssize(sentence.tags);
    const auto token = static_cast<std::size_t>(end ? at - 1 : at);
    report.problems.push_back(fmt::format("{}: token {}: tag '{}' {} (scheme {})", sentence.place(token), token + 1,
                                          sentence.tags[token],
                                          end          ? "cannot be the last one"
                                          : token == 0 ? "cannot be the first one"
                                                       : fmt::format("cannot follow '{}'", sentence.tags[token - 1]),
                                          scheme_name(scheme)));
  }
  if (count > kShown) report.problems.push_back(fmt::format("{} more sentences with invalid tags", count - kShown));
}

}  // namespace

DataReport check_tags(const DataOptions& options) {
  const TagData data = read_tag_data(options, false);
  DataReport report;
  Counts tags, spans, intents;
  std::vector<std::vector<std::string>> sequences;
  std::int64_t tokens = 0, longest = 0;
  for (const TaggedSentence& sentence : data.sentences) {
    tokens += std::ssize(sentence.tokens);
    longest = std::max(longest, std::ssize(sentence.tokens));
    for (const std::string& tag : sentence.tags) ++tags[tag];
    sequences.push_back(sentence.tags);
    if (!sentence.label.empty()) ++intents[sentence.label];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : tags) names.push_back(name);
  const TagScheme scheme = recognise_scheme(names, sequences);
  std::vector<std::int64_t> all(data.sentences.size());
  std::iota(all.begin(), all.end(), 0);
  report.facts = {{"sentences", std::to_string(data.size())},
                  {"tokens", fmt::format("{}, at most {} in a sentence", tokens, longest)},
                  {"level", std::string(level_name(tag_level(options, data, all)))},
                  {"tags", std::to_string(tags.size())},
                  {"scheme", std::string(scheme_name(scheme))}};
  if (scheme != TagScheme::kPlain) {
    for (const auto& sequence : sequences) {
      for (const TagSpan& span : find_spans(sequence)) ++spans[std::string(span.type)];
    }
    add_counts(spans, "span", report);
  }
  add_counts(tags, "tag", report);
  add_counts(intents, "intent", report);
  if (!data.notes.empty()) report.facts.emplace_back("notes", fmt::format("{}", fmt::join(data.notes, "; ")));
  report.problems = odd_tags(data, all);
  add_invalid(data, scheme, report);
  if (tags.size() < 2) report.problems.push_back("all tokens have the same tag: nothing can be learnt");
  return report;
}

std::vector<std::string> odd_tags(const TagData& data, std::span<const std::int64_t> samples) {
  constexpr std::int64_t kManyMore = 10;
  Counts odd;
  std::map<std::string, std::string> places;  // of the first one
  std::int64_t all = 0, of_spans = 0;
  for (const std::int64_t n : samples) {
    const TaggedSentence& sentence = data.sentences[static_cast<std::size_t>(n)];
    for (std::size_t t = 0; t < sentence.tags.size(); ++t) {
      const std::string& tag = sentence.tags[t];
      if (tag == "O") continue;
      if (tags_have_spans({&tag, 1})) {
        ++of_spans;
      } else {
        ++all;
        if (++odd[tag] == 1) places[tag] = sentence.place(t);
      }
    }
  }
  std::vector<std::string> lines;
  if (of_spans < kManyMore * all) return lines;
  for (const auto& [tag, count] : odd) {
    lines.push_back(
        fmt::format("tag '{}' says nothing of a span, as nearly all others do: {} times, first at {}; so no spans are "
                    "found (scheme "
                    "plain)",
                    tag, count, places[tag]));
  }
  return lines;
}

void note_invalid(const TagData& data, const TagInfo& info, std::span<const std::int64_t> training,
                  Observer& observer) {
  std::string first;
  std::int64_t count = 0;
  for (const std::int64_t n : training) {
    const TaggedSentence& sentence = data.sentences[static_cast<std::size_t>(n)];
    const std::int64_t at = find_invalid(sentence.tags, info.scheme);
    if (at < 0 || ++count > 1) continue;
    first = sentence.place(static_cast<std::size_t>(std::min(at, std::ssize(sentence.tags) - 1)));
  }
  if (count == 0) return;
  observer.note(fmt::format(
      "{} of {} training sentences are not valid in scheme {}, first at {}; decoding can never give their tags", count,
      training.size(), scheme_name(info.scheme), first));
}

void note_unknown(const TagData& data, const TagInfo& info, std::span<const std::int64_t> samples, Observer& observer) {
  Counts tags, intents;
  std::map<std::string, std::string> places;  // of the first one
  const auto add = [&](Counts& counts, const std::string& name, const std::string& place) {
    if (++counts[name] == 1) places[name] = place;
  };
  for (const std::int64_t n : samples) {
    const auto k = static_cast<std::size_t>(n);
    const TaggedSentence& sentence = data.sentences[k];
    for (std::size_t t = 0; t < data.tags[k].size(); ++t) {
      if (data.tags[k][t] < 0) add(tags, sentence.tags[t], sentence.place(t));
    }
    if (data.intents[k] < 0 && !sentence.label.empty() && !info.intents.empty()) {
      add(intents, sentence.label, sentence.place(0));
    }
  }
  for (const auto& [counts, what] : {std::pair(&tags, "tag"), std::pair(&intents, "intent")}) {
    for (const auto& [name, count] : *counts) {
      observer.note(fmt::format("{} '{}' was not in the training part: {} times, first at {}; each counts as an error",
                                what, name, count, places[name]));
    }
  }
}

}  // namespace carousel
