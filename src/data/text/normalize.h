// normalize.h: one spelling for what reads the same: NFKC (Unicode's compatibility composition, which also turns
// full-width letters and digits into plain ones) or NFC (composition alone), then lower case without regard to a
// language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

struct NormalizeOptions {
  bool nfkc = true;
  bool lowercase = true;
  bool nfc = false;  // without nfkc
};

// Doing it twice changes nothing more. REQUIRES: well-formed UTF-8.
std::string normalize_text(std::string_view text, const NormalizeOptions& options = {});

// A normalised text that knows where it comes from: its byte k was made of the bytes [begin[k], end[k]) of the raw
// text, so its bytes [a, b) of [begin[a], end[b - 1]). Bytes that were made of one thing together, as both letters of a
// ligature, share their origin.
struct NormalizedText {
  std::string text;
  std::vector<std::int32_t> begin, end;
};

// text is that of normalize_text(). Costs 8 bytes and a walk per byte more.
NormalizedText normalize_with_origin(std::string_view text, const NormalizeOptions& options = {});

}  // namespace carousel
