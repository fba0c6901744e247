#include "data/text/normalize.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>

#include <limits>

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

std::string composed(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const nfkc = icu::Normalizer2::getNFKCInstance(status);
  check_normalized(status);
  if (nfkc->isNormalizedUTF8(piece(text), status)) return std::string(text);
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(text.size()));
  nfkc->normalizeUTF8(0, piece(text), sink, nullptr, status);
  check_normalized(status);
  return out;
}

std::string lowered(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  std::string out;
  icu::StringByteSink<std::string> sink(&out, static_cast<std::int32_t>(text.size()));
  icu::CaseMap::utf8ToLower("", 0, piece(text), sink, nullptr, status);
  check_normalized(status);
  return out;
}

}  // namespace

std::string normalize_text(std::string_view text, const NormalizeOptions& options) {
  if (ascii_prefix(text) == static_cast<std::int64_t>(text.size())) {  // NFKC leaves ASCII alone
    std::string out(text);
    for (char& c : out) c = options.lowercase && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    return out;
  }
  std::string out = options.nfkc ? composed(text) : std::string(text);
  if (!options.lowercase) return out;
  out = lowered(out);
  // A lower-case letter may compose with what follows where its capital did not.
  return options.nfkc ? composed(out) : out;
}

}  // namespace carousel
