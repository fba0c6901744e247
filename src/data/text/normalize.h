// normalize.h: one spelling for what reads the same: NFKC (Unicode's compatibility composition, which also turns
// full-width letters and digits into plain ones), then lower case without regard to a language.
#pragma once

#include <string>
#include <string_view>

namespace carousel {

struct NormalizeOptions {
  bool nfkc = true;
  bool lowercase = true;
};

// Doing it twice changes nothing more. REQUIRES: well-formed UTF-8.
std::string normalize_text(std::string_view text, const NormalizeOptions& options = {});

}  // namespace carousel
