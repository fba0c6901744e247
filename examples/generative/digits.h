// digits.h: handwritten digits from idx files, the form in which MNIST is handed out: two zero bytes, the type (8: one
// byte per value), the number of axes, the size of each axis as four bytes, the highest first, then the values.
#pragma once

#include <carousel/error.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace generative {

struct IdxFile {
  std::vector<int> sizes;
  std::vector<std::uint8_t> values;
};

// Throws carousel::Error naming the file and what is wrong with it.
inline IdxFile read_idx(const std::string& path, std::size_t axes) {
  const auto wrong = [&](const std::string& why) { return carousel::Error(carousel::Code::kData, path + ": " + why); };
  std::ifstream file(path, std::ios::binary);
  if (!file) throw carousel::Error(carousel::Code::kIo, path + ": cannot be read");
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::size_t head = 4 + 4 * axes;
  if (bytes.size() > 1 && bytes[0] == 0x1f && bytes[1] == 0x8b) throw wrong("is compressed, unpack it: gunzip -k FILE");
  if (bytes.size() < head || bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != axes) {
    throw wrong("expected an idx file of bytes with " + std::to_string(axes) + " axes");
  }
  IdxFile idx;
  std::size_t expected = 1;
  for (std::size_t at = 4; at < head; at += 4) {
    const std::size_t size = (std::size_t{bytes[at]} << 24) + (std::size_t{bytes[at + 1]} << 16) +
                             (std::size_t{bytes[at + 2]} << 8) + bytes[at + 3];
    if (size == 0 || size > bytes.size() / expected) throw wrong("is shorter than its sizes say");
    expected *= size;
    idx.sizes.push_back(static_cast<int>(size));
  }
  if (bytes.size() - head != expected) {
    throw wrong("has " + std::to_string(bytes.size() - head) + " values, expected " + std::to_string(expected));
  }
  idx.values.assign(bytes.begin() + static_cast<std::ptrdiff_t>(head), bytes.end());
  return idx;
}

constexpr int kSide = 28, kPixels = kSide * kSide;

struct Digits {
  std::vector<std::uint8_t> pixels;  // [count, 28, 28], 0 paper .. 255 ink
  std::vector<std::uint8_t> labels;  // [count], 0 .. 9; empty if they were not read
  int count() const { return static_cast<int>(pixels.size()) / kPixels; }
  const std::uint8_t* image(int n) const { return pixels.data() + std::ptrdiff_t{n} * kPixels; }
};

// Without a path of labels, images alone. Throws carousel::Error as read_idx().
inline Digits read_digits(const std::string& image_path, const std::string& label_path = {}) {
  const auto wrong = [](const std::string& what) { return carousel::Error(carousel::Code::kData, what); };
  IdxFile images = read_idx(image_path, 3);
  if (images.sizes[1] != kSide || images.sizes[2] != kSide) throw wrong(image_path + ": expected images of 28 x 28");
  Digits digits{std::move(images.values), {}};
  if (label_path.empty()) return digits;
  digits.labels = read_idx(label_path, 1).values;
  if (static_cast<int>(digits.labels.size()) != digits.count()) {
    throw wrong(label_path + ": has " + std::to_string(digits.labels.size()) + " labels for " +
                std::to_string(digits.count()) + " images");
  }
  for (const std::uint8_t label : digits.labels) {
    if (label > 9) throw wrong(label_path + ": expected labels from 0 to 9, got " + std::to_string(label));
  }
  return digits;
}

// The first four fifths of the digits for training, the last fifth for the test. Throws carousel::Error if there are
// too few for both.
struct DigitParts {
  Digits train, test;
};
inline DigitParts split(const Digits& all) {
  const int known = all.count() * 4 / 5;
  if (known == 0) throw carousel::Error(carousel::Code::kData, "expected at least 2 digits, for training and test");
  const auto part = [&](int first, int last) {
    Digits some{{all.image(first), all.image(last)}, {}};
    if (!all.labels.empty()) some.labels.assign(all.labels.begin() + first, all.labels.begin() + last);
    return some;
  };
  return {part(0, known), part(known, all.count())};
}

}  // namespace generative
