#include "data/text/segment.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/fail.h"
#include "data/text/ascii_words.h"
#include "data/text/utf8.h"

namespace carousel {
namespace {

constexpr std::array<std::pair<std::string_view, TextLevel>, 5> kLevels = {{{"", TextLevel::kAuto},
                                                                            {"word", TextLevel::kWord},
                                                                            {"char", TextLevel::kCharacter},
                                                                            {"subword", TextLevel::kSubword},
                                                                            {"whitespace", TextLevel::kWhitespace}}};

void check_boundaries(UErrorCode status) {
  if (U_FAILURE(status)) fail(Code::kInternal, "finding text boundaries failed: {}", u_errorName(status));
}

bool starts_with_white_space(std::string_view token) {
  std::size_t at = 0;
  return u_isUWhiteSpace(next_character(token, at)) != 0;
}

void split_at_white_space(std::string_view text, std::vector<std::string_view>& tokens) {
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t before = at;
    if (u_isUWhiteSpace(next_character(text, at)) == 0) continue;
    if (before > start) tokens.push_back(text.substr(start, before - start));
    start = at;
  }
  if (start < text.size()) tokens.push_back(text.substr(start));
}

}  // namespace

struct Segmenter::Implementation {
  explicit Implementation(TextLevel which) : level(which) {
    CAROUSEL_ASSERT(which != TextLevel::kAuto && which != TextLevel::kSubword);
    if (which == TextLevel::kWhitespace) return;
    UErrorCode status = U_ZERO_ERROR;
    const icu::Locale& root = icu::Locale::getRoot();
    boundaries.reset(which == TextLevel::kWord ? icu::BreakIterator::createWordInstance(root, status)
                                               : icu::BreakIterator::createCharacterInstance(root, status));
    check_boundaries(status);
  }
  ~Implementation() { utext_close(&handle); }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  // No rule reaches across ASCII white space, unless a mark that combines with it comes next: what stands between is
  // cut by itself, and ICU takes only the stretches that are not plain, each with the white space before it.
  void cut_words(std::string_view text, std::vector<std::string_view>& tokens) {
    std::size_t begin = text.size(), end = 0;  // of a stretch for ICU, empty so far
    const auto flush = [&] {
      if (begin < end) cut(text.substr(begin, end - begin), tokens);
      begin = text.size();
    };
    for (std::size_t at = 0; at < text.size();) {
      if (is_ascii_space(text[at])) {
        ++at;
        continue;
      }
      const std::size_t start = at;
      bool plain = true;
      for (; at < text.size() && !is_ascii_space(text[at]); ++at) plain = plain && is_plain(text[at]);
      if (plain) {
        flush();
        append_ascii_words(text.substr(start, at - start), tokens);
      } else {
        begin = std::min(begin, start == 0 ? start : start - 1);
        end = at;
      }
    }
    flush();
  }

  void cut(std::string_view text, std::vector<std::string_view>& tokens) {
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&handle, text.data(), static_cast<std::int64_t>(text.size()), &status);
    check_boundaries(status);
    boundaries->setText(&handle, status);
    check_boundaries(status);
    const bool words = level == TextLevel::kWord;
    std::int32_t begin = boundaries->first();
    for (std::int32_t end = boundaries->next(); end != icu::BreakIterator::DONE; end = boundaries->next()) {
      const std::string_view token =
          text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
      if (!words || !starts_with_white_space(token)) tokens.push_back(token);
      begin = end;
    }
  }

  TextLevel level;
  std::unique_ptr<icu::BreakIterator> boundaries;
  UText handle = UTEXT_INITIALIZER;
};

Segmenter::Segmenter(TextLevel level) : implementation_(std::make_unique<Implementation>(level)) {}
Segmenter::~Segmenter() = default;
Segmenter::Segmenter(Segmenter&&) noexcept = default;
Segmenter& Segmenter::operator=(Segmenter&&) noexcept = default;

void Segmenter::segment(std::string_view text, std::vector<std::string_view>& tokens) {
  tokens.clear();
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(Code::kData, "a text has {} bytes, expected less than 2 GiB", text.size());
  }
  if (text.empty()) return;
  if (implementation_->level == TextLevel::kWhitespace) {
    split_at_white_space(text, tokens);
  } else if (implementation_->level == TextLevel::kWord) {
    implementation_->cut_words(text, tokens);
  } else {
    implementation_->cut(text, tokens);
  }
}

TextLevel parse_level(std::string_view name) {
  for (const auto& [known, level] : kLevels) {
    if (name == known) return level;
  }
  fail(Code::kUsage, "level '{}' is unknown, expected word, char, subword or whitespace", name);
}

std::string_view level_name(TextLevel level) {
  for (const auto& [name, known] : kLevels) {
    if (known == level) return name;
  }
  return "";
}

bool is_word_token(std::string_view token) {
  std::size_t at = 0;
  return u_isalnum(next_character(token, at)) != 0;
}

TextLevel choose_level(std::span<const std::string> texts, std::span<const std::int64_t> rows) {
  constexpr std::size_t kTexts = 1000;
  constexpr std::int64_t kLongestWord = 15;
  Segmenter words(TextLevel::kWord);
  std::vector<std::string_view> tokens;
  std::int64_t word_count = 0, character_count = 0;
  for (const std::int64_t row : rows.first(std::min(kTexts, rows.size()))) {
    words.segment(texts[static_cast<std::size_t>(row)], tokens);
    for (const std::string_view token : tokens) {
      if (!is_word_token(token)) continue;
      ++word_count;
      for (std::size_t at = 0; at < token.size(); ++character_count) next_character(token, at);
    }
  }
  return character_count > kLongestWord * word_count ? TextLevel::kCharacter : TextLevel::kWord;
}

}  // namespace carousel
