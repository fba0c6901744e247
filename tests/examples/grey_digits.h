// grey_digits.h: digits that no hand has written: each label an even grey of its own.
#pragma once

#include "examples/generative/digits.h"

namespace carousel {

// `each` images of every label 0 .. 9; all pixels of label k are 20 (k + 1).
inline generative::Digits grey_digits(int each) {
  generative::Digits digits;
  for (int n = 0; n < 10 * each; ++n) {
    digits.labels.push_back(static_cast<std::uint8_t>(n % 10));
    digits.pixels.insert(digits.pixels.end(), generative::kPixels, static_cast<std::uint8_t>(20 * (n % 10 + 1)));
  }
  return digits;
}

}  // namespace carousel
