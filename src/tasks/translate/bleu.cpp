#include "tasks/translate/bleu.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>

#include "base/fail.h"
#include "data/text/segment.h"

namespace carousel {
namespace {

constexpr std::size_t kOrders = 4;
using Counts = std::map<std::vector<std::string_view>, std::int64_t>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

// Those of 13a: { to ~, [ to `, blank to &, ( to +, : to @, and /.
bool is_symbol(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Every pair of neighbours that `fits` becomes what `spaced` says, from the left, no character taking part twice.
template <class Fits>
std::string space_pairs(const std::string& text, Fits fits, bool before, bool between, bool behind) {
  std::string result;
  for (std::size_t k = 0; k < text.size(); ++k) {
    if (k + 1 == text.size() || !fits(text[k], text[k + 1])) {
      result += text[k];
      continue;
    }
    if (before) result += ' ';
    result += text[k];
    if (between) result += ' ';
    result += text[++k];
    if (behind) result += ' ';
  }
  return result;
}

Counts ngrams(const std::vector<std::string>& tokens, std::size_t order) {
  Counts counts;
  for (std::size_t k = 0; k + order <= tokens.size(); ++k) {
    ++counts[{tokens.begin() + static_cast<std::ptrdiff_t>(k),
              tokens.begin() + static_cast<std::ptrdiff_t>(k + order)}];
  }
  return counts;
}

struct Statistics {
  std::array<std::int64_t, kOrders> matches{}, totals{};
  std::int64_t output_length = 0, reference_length = 0;

  void add(const std::string& output, const std::vector<std::string>& references) {
    const std::vector<std::string> tokens = tokenize_13a(output);
    std::vector<std::vector<std::string>> others;
    for (const std::string& reference : references) others.push_back(tokenize_13a(reference));
    const std::int64_t length = std::ssize(tokens);
    const auto farther = [&](const auto& a, const auto& b) {
      const std::int64_t x = std::abs(std::ssize(a) - length), y = std::abs(std::ssize(b) - length);
      return x != y ? x < y : a.size() < b.size();
    };
    output_length += length;
    reference_length += std::ssize(*std::min_element(others.begin(), others.end(), farther));
    for (std::size_t n = 0; n < kOrders; ++n) {
      Counts most;
      for (const auto& other : others) {
        for (const auto& [gram, count] : ngrams(other, n + 1)) most[gram] = std::max(most[gram], count);
      }
      for (const auto& [gram, count] : ngrams(tokens, n + 1)) {
        totals[n] += count;
        const auto found = most.find(gram);
        if (found != most.end()) matches[n] += std::min(count, found->second);
      }
    }
  }
};

}  // namespace

std::vector<std::string> tokenize_13a(std::string_view text) {
  std::string line = fmt::format(" {} ", text);
  constexpr std::pair<std::string_view, std::string_view> kReplaced[] = {
      {"<skipped>", ""}, {"-\n", ""}, {"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}};
  for (const auto& [from, to] : kReplaced) replace_all(line, from, to);
  std::string spaced;
  for (const char c : line) spaced += is_symbol(c) ? std::string{' ', c, ' '} : std::string(1, c);
  spaced = space_pairs(
      spaced, [](char a, char b) { return !is_digit(a) && is_point(b); }, false, true, true);
  spaced = space_pairs(
      spaced, [](char a, char b) { return is_point(a) && !is_digit(b); }, true, true, false);
  spaced = space_pairs(
      spaced, [](char a, char b) { return is_digit(a) && b == '-'; }, false, true, true);
  for (char& c : spaced) {
    if (c >= '\x1C' && c <= '\x1F') c = ' ';  // blanks to Python's split(), not to Unicode
  }
  std::vector<std::string_view> words;
  Segmenter(TextLevel::kWhitespace).segment(spaced, words);
  return {words.begin(), words.end()};
}

double corpus_bleu(std::span<const std::string> outputs, std::span<const std::vector<std::string>> references) {
  CAROUSEL_ASSERT(outputs.size() == references.size());
  Statistics sums;
  for (std::size_t k = 0; k < outputs.size(); ++k) sums.add(outputs[k], references[k]);
  const auto none = [](std::int64_t count) { return count == 0; };
  if (std::all_of(sums.matches.begin(), sums.matches.end(), none)) return 0;
  if (std::any_of(sums.totals.begin(), sums.totals.end(), none)) return 0;
  double log_sum = 0, smoothing = 1;
  for (std::size_t n = 0; n < kOrders; ++n) {
    const auto total = static_cast<double>(sums.totals[n]);
    if (sums.matches[n] == 0) smoothing *= 2;
    log_sum += std::log(sums.matches[n] == 0 ? 1 / (smoothing * total) : static_cast<double>(sums.matches[n]) / total);
  }
  const double ratio = static_cast<double>(sums.reference_length) / static_cast<double>(sums.output_length);
  return 100 * std::exp(log_sum / kOrders) * (ratio > 1 ? std::exp(1 - ratio) : 1);
}

}  // namespace carousel
