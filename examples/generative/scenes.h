// scenes.h: two handwritten digits on one canvas and the words that describe it, "a seven left of a three".
#pragma once

#include <carousel/carousel.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "digits.h"

namespace generative {

using carousel::Tensor;

constexpr int kCanvasSide = 56;

// A caption ends with kStop, which also stands before its first word.
enum Word { kStop, kA, kAn, kZero, kLeft = kZero + 10, kRight, kAbove, kBelow, kOf, kWordCount };
inline constexpr std::array<const char*, kWordCount> kWords{".",     "a",    "an",    "zero",  "one",   "two",
                                                            "three", "four", "five",  "six",   "seven", "eight",
                                                            "nine",  "left", "right", "above", "below", "of"};
constexpr int kLongest = 7;  // a seven left of a three .

struct Place {
  int x, y;  // of the upper left corner of a digit's 28 x 28 pixels
};

struct Scene {
  std::vector<std::uint8_t> canvas;  // [56, 56], 0 paper .. 255 ink
  std::vector<int> caption;
  std::array<Place, 2> places;  // of the digits, in the order in which the caption names them
};

inline bool is_digit(int word) { return word >= kZero && word < kLeft; }
inline bool is_relation(int word) { return word >= kLeft && word < kOf; }

// Two places apart by 20 to 28 pixels along one axis and at most 10 along the other.
inline std::array<Place, 2> draw_places(bool side_by_side, std::mt19937& random) {
  const auto below = [&](int end) { return static_cast<int>(random() % static_cast<unsigned>(end)); };
  constexpr int kRoom = kCanvasSide - kSide, kApart = 20;
  const int near = below(kRoom - kApart + 1), far = near + kApart + below(kRoom - kApart - near + 1);
  const int one = below(kRoom + 1), other = std::clamp(one + below(21) - 10, 0, kRoom);
  if (side_by_side) return {{{near, one}, {far, other}}};
  return {{{one, near}, {other, far}}};
}

// Two digits drawn at random. The larger number is named first, of two equal ones the left or upper one, so that there
// is one right caption, which nobody finds without having seen both digits and where they stand.
inline Scene draw_scene(const Digits& digits, std::mt19937& random) {
  const auto draw = [&] { return static_cast<int>(random() % static_cast<unsigned>(digits.count())); };
  std::array<int, 2> chosen{draw(), draw()};
  const auto label = [&](int k) { return static_cast<int>(digits.labels[static_cast<std::size_t>(chosen[k])]); };
  if (label(0) < label(1)) std::swap(chosen[0], chosen[1]);
  const bool side_by_side = random() % 2 == 0;
  Scene scene{std::vector<std::uint8_t>(kCanvasSide * kCanvasSide), {}, draw_places(side_by_side, random)};
  const bool turned = label(0) != label(1) && random() % 2 == 0;  // the digit named first stands right or below
  if (turned) std::swap(scene.places[0], scene.places[1]);
  for (int k = 0; k < 2; ++k) {
    const std::uint8_t* image = digits.image(chosen[k]);
    for (int i = 0; i < kPixels; ++i) {
      const Place& place = scene.places[k];
      std::uint8_t& pixel =
          scene.canvas[static_cast<std::size_t>((place.y + i / kSide) * kCanvasSide + place.x + i % kSide)];
      pixel = std::max(pixel, image[i]);
    }
  }
  const auto article = [](int digit) -> int { return digit == 8 ? kAn : kA; };
  const int relation = side_by_side ? (turned ? kRight : kLeft) : (turned ? kBelow : kAbove);
  scene.caption = {article(label(0)), kZero + label(0), relation};
  if (side_by_side) scene.caption.push_back(kOf);
  scene.caption.insert(scene.caption.end(), {article(label(1)), kZero + label(1), kStop});
  return scene;
}

inline std::vector<Scene> draw_scenes(const Digits& digits, int count, std::mt19937& random) {
  std::vector<Scene> scenes;
  for (int n = 0; n < count; ++n) scenes.push_back(draw_scene(digits, random));
  return scenes;
}

// Each of the 7 x 7 patches is 8 x 8 pixels of the canvas and is seen with 8 more on every side.
constexpr int kPatchSide = 8, kWindowSide = 3 * kPatchSide, kGridSide = kCanvasSide / kPatchSide;
constexpr int kPatches = kGridSide * kGridSide, kPatchSize = kWindowSide * kWindowSide + 2 * kGridSide;

// [patches, samples, kPatchSize]: of every patch the pixels of its window in [0, 1], then a 1 for its row and its
// column.
inline Tensor cut_patches(std::span<const Scene> scenes) {
  const auto samples = static_cast<int>(scenes.size());
  Tensor patches({kPatches, samples, kPatchSize});
  for (int p = 0; p < kPatches; ++p) {
    const int row = p / kGridSide, column = p % kGridSide;
    for (int n = 0; n < samples; ++n) {
      float* values = patches.view().row(p * samples + n);
      for (int i = 0; i < kWindowSide * kWindowSide; ++i) {
        const int y = (row - 1) * kPatchSide + i / kWindowSide, x = (column - 1) * kPatchSide + i % kWindowSide;
        const bool inside = y >= 0 && y < kCanvasSide && x >= 0 && x < kCanvasSide;
        const auto at = static_cast<std::size_t>(y * kCanvasSide + x);
        if (inside) values[i] = static_cast<float>(scenes[static_cast<std::size_t>(n)].canvas[at]) / 255;
      }
      values[kWindowSide * kWindowSide + row] = values[kWindowSide * kWindowSide + kGridSide + column] = 1;
    }
  }
  return patches;
}

}  // namespace generative
