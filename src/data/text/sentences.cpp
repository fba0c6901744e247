#include "data/text/sentences.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <limits>

#include "base/fail.h"

namespace carousel {
namespace {

void check_sentence_rules(UErrorCode status) {
  if (U_FAILURE(status)) fail(Code::kInternal, "finding the ends of sentences failed: {}", u_errorName(status));
}

}  // namespace

struct SentenceSplitter::Implementation {
  Implementation() {
    UErrorCode status = U_ZERO_ERROR;
    boundaries.reset(icu::BreakIterator::createSentenceInstance(icu::Locale::getRoot(), status));
    check_sentence_rules(status);
  }
  ~Implementation() { utext_close(&handle); }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  std::unique_ptr<icu::BreakIterator> boundaries;
  UText handle = UTEXT_INITIALIZER;
};

SentenceSplitter::SentenceSplitter() : implementation_(std::make_unique<Implementation>()) {}
SentenceSplitter::~SentenceSplitter() = default;
SentenceSplitter::SentenceSplitter(SentenceSplitter&&) noexcept = default;
SentenceSplitter& SentenceSplitter::operator=(SentenceSplitter&&) noexcept = default;

void SentenceSplitter::split(std::string_view text, std::vector<std::string_view>& sentences) {
  sentences.clear();
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(Code::kData, "a text has {} bytes, expected less than 2 GiB", text.size());
  }
  UErrorCode status = U_ZERO_ERROR;
  utext_openUTF8(&implementation_->handle, text.data(), static_cast<std::int64_t>(text.size()), &status);
  check_sentence_rules(status);
  icu::BreakIterator& boundaries = *implementation_->boundaries;
  boundaries.setText(&implementation_->handle, status);
  check_sentence_rules(status);
  std::int32_t begin = boundaries.first();
  for (std::int32_t end = boundaries.next(); end != icu::BreakIterator::DONE; end = boundaries.next()) {
    sentences.push_back(text.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
    begin = end;
  }
}

}  // namespace carousel
