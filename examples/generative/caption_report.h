// caption_report.h: how good captions are, the captions that need no eyes, and a picture of where each word looked.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "captioner.h"
#include "picture.h"

namespace generative {

// Shares, 0 to 1. A word counts as right if it stands where the true caption has it.
struct CaptionScore {
  double words = 0, digits = 0, relations = 0;
  double captions = 0;  // right from the first word to the last
  double on_digit = 0;  // of the weight of a digit's word, what lies on patches with their centre on that digit
};

inline double share_on(const Tensor& weights, const Place& place) {
  double total = 0;
  for (int p = 0; p < kPatches; ++p) {
    const int x = p % kGridSide * kPatchSide + kPatchSide / 2, y = p / kGridSide * kPatchSide + kPatchSide / 2;
    const bool inside = x >= place.x && x < place.x + kSide && y >= place.y && y < place.y + kSide;
    if (inside) total += weights[p];
  }
  return total;
}

inline CaptionScore score(std::span<const Scene> scenes, const Told& told) {
  CaptionScore right;
  double words = 0, digits = 0, relations = 0;
  for (std::size_t n = 0; n < scenes.size(); ++n) {
    const std::vector<int>&truth = scenes[n].caption, &caption = told.captions[n];
    std::size_t digit = 0;
    for (std::size_t t = 0; t < truth.size(); ++t) {
      const bool same = t < caption.size() && caption[t] == truth[t];
      words += 1, right.words += same;
      if (is_relation(truth[t])) relations += 1, right.relations += same;
      if (!is_digit(truth[t])) continue;
      digits += 1, right.digits += same;
      if (t < told.at[n].size()) right.on_digit += share_on(told.at[n][t], scenes[n].places[digit]);
      ++digit;
    }
    right.captions += caption == truth;
  }
  return {right.words / words, right.digits / digits, right.relations / relations,
          right.captions / static_cast<double>(scenes.size()), right.on_digit / digits};
}

// For every scene the same: the most frequent word of each place among the captions of `known`.
inline Told most_frequent(std::span<const Scene> known, std::size_t count) {
  std::vector<int> caption;
  for (std::size_t t = 0; t < kLongest; ++t) {
    std::array<int, kWordCount> seen{};
    for (const Scene& scene : known) {
      if (t < scene.caption.size()) ++seen[static_cast<std::size_t>(scene.caption[t])];
    }
    caption.push_back(static_cast<int>(std::max_element(seen.begin(), seen.end()) - seen.begin()));
  }
  return {std::vector<std::vector<int>>(count, caption), std::vector<std::vector<Tensor>>(count)};
}

inline std::string sentence(std::span<const int> caption) {
  std::string text;
  for (const int word : caption) text += (text.empty() || word == kStop ? "" : " ") + std::string(kWords[word]);
  return text;
}

// One row for each scene: the canvas, then for every word its weights as orange squares, the strongest patch opaque.
inline void draw_captions(std::span<const Scene> scenes, const Told& told, const std::string& path) {
  constexpr double kPanel = 2 * kCanvasSide, kAcross = kPanel + 8, kDown = kPanel + 40;
  const auto rows = static_cast<double>(scenes.size());
  Picture picture(8 + (kLongest + 1) * kAcross, 8 + rows * kDown);
  for (std::size_t n = 0; n < scenes.size(); ++n) {
    const double top = 8 + static_cast<double>(n) * kDown;
    const bool right = told.captions[n] == scenes[n].caption;
    picture.text(8, top + kPanel + 30, sentence(told.captions[n]) + (right ? "" : " (wrong)"),
                 right ? "font-weight=\"bold\"" : "font-weight=\"bold\" fill=\"#b00\"");
    for (std::size_t t = 0; t <= told.captions[n].size(); ++t) {
      const double left = 8 + static_cast<double>(t) * kAcross;
      picture.image({left, top, kPanel, kPanel}, scenes[n].canvas, kCanvasSide);
      picture.box({left, top, kPanel, kPanel}, "fill=\"none\" stroke=\"#999\"");
      if (t == 0) continue;
      const Tensor& weights = told.at[n][t - 1];
      const float strongest = *std::max_element(weights.span().begin(), weights.span().end());
      for (int p = 0; p < kPatches; ++p) {
        const double size = kPanel / kGridSide, opacity = 0.8 * static_cast<double>(weights[p] / strongest);
        if (opacity < 0.02) continue;
        picture.box({left + p % kGridSide * size, top + p / kGridSide * size, size, size},
                    "fill=\"#f80\"" + Picture::attribute("fill-opacity", opacity));
      }
      picture.text(left, top + kPanel + 14, kWords[told.captions[n][t - 1]]);
    }
  }
  picture.save(path);
}

}  // namespace generative
