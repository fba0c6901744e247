#include "data/text/normalize.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>

#include <limits>
#include <numeric>

#include "base/fail.h"
#include "data/text/utf8.h"

namespace carousel {
namespace {

void check_normalized(UErrorCode status) {
  if (U_FAILURE(status)) fail(Code::kInternal, "Unicode normalization failed: {}", u_errorName(status));
}

icu::StringPiece piece(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / 4)) {
    fail(Code::kData, "a text has {} bytes, expected at most 512 MiB", text.size());
  }
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

// The form that the options ask for, null for none.
const icu::Normalizer2* normal_form(const NormalizeOptions& options) {
  if (!options.nfkc && !options.nfc) return nullptr;
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const form =
      options.nfkc ? icu::Normalizer2::getNFKCInstance(status) : icu::Normalizer2::getNFCInstance(status);
  check_normalized(status);
  return form;
}

// What changed goes into `edits`, unless it is null.
std::string composed(const icu::Normalizer2& form, std::string_view text, icu::Edits* edits) {
  UErrorCode status = U_ZERO_ERROR;
  if (!edits && form.isNormalizedUTF8(piece(text), status)) return std::string(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(text.size()));
  form.normalizeUTF8(0, piece(text), sink, edits, status);
  check_normalized(status);
  return out;
}

std::string lowered(std::string_view text, icu::Edits* edits) {
  UErrorCode status = U_ZERO_ERROR;
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(text.size()));
  icu::CaseMap::utf8ToLower("", 0, piece(text), sink, edits, status);
  check_normalized(status);
  return out;
}

// Calls step(out, function) for each step there is to do: function(text, edits) gives the text after it.
template <class Step>
void for_each_step(const NormalizeOptions& options, Step step) {
  const icu::Normalizer2* const form = normal_form(options);
  const auto compose = [form](std::string_view text, icu::Edits* edits) { return composed(*form, text, edits); };
  if (form) step(compose);
  if (!options.lowercase) return;
  step(lowered);
  if (form) step(compose);  // a lower-case letter may compose with what follows where its capital did not
}

// `origin` of a text becomes that of the text after these edits.
void follow(icu::Edits& edits, NormalizedText& origin) {
  std::vector<std::int32_t> begin, end;
  UErrorCode status = U_ZERO_ERROR;
  for (auto edit = edits.getFineIterator(); edit.next(status);) {
    const auto source = static_cast<std::size_t>(edit.sourceIndex());
    const auto old_length = static_cast<std::size_t>(edit.oldLength());
    for (std::size_t k = 0; k < static_cast<std::size_t>(edit.newLength()); ++k) {
      begin.push_back(origin.begin[edit.hasChange() ? source : source + k]);
      end.push_back(origin.end[edit.hasChange() ? source + old_length - 1 : source + k]);
    }
  }
  check_normalized(status);
  origin.begin = std::move(begin);
  origin.end = std::move(end);
}

bool is_ascii(std::string_view text) { return ascii_prefix(text) == static_cast<std::int64_t>(text.size()); }

// Every normal form leaves ASCII alone.
std::string ascii_normalized(std::string_view text, const NormalizeOptions& options) {
  std::string out(text);
  for (char& c : out) c = options.lowercase && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

}  // namespace

std::string normalize_text(std::string_view text, const NormalizeOptions& options) {
  if (is_ascii(text)) return ascii_normalized(text, options);
  std::string out(text);
  for_each_step(options, [&](const auto& step) { out = step(out, nullptr); });
  return out;
}

NormalizedText normalize_with_origin(std::string_view text, const NormalizeOptions& options) {
  NormalizedText result{std::string(text), std::vector<std::int32_t>(static_cast<std::size_t>(piece(text).size())), {}};
  std::iota(result.begin.begin(), result.begin.end(), 0);
  for (const std::int32_t at : result.begin) result.end.push_back(at + 1);
  for_each_step(options, [&](const auto& step) {
    icu::Edits edits;
    result.text = step(result.text, &edits);
    follow(edits, result);
  });
  return result;
}

}  // namespace carousel
