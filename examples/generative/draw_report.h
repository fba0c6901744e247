// draw_report.h: digits as black and white images, the bounds on their probability, and a picture of drawings.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "draw.h"
#include "picture.h"

namespace generative {

// 1 with the probability pixel / 255, else 0.
inline float binarise(std::uint8_t pixel, std::mt19937& random) { return random() % 255 < pixel ? 1.0f : 0.0f; }

inline Tensor binarise(const Digits& digits, std::mt19937& random) {  // [count, 28, 28]
  Tensor images({digits.count(), kSide, kSide});
  for (std::int64_t i = 0; i < images.elements(); ++i) {
    images[i] = binarise(digits.pixels[static_cast<std::size_t>(i)], random);
  }
  return images;
}

// `count` of the digits, drawn at random, [count, 28, 28].
inline Tensor draw_images(const Digits& digits, int count, std::mt19937& random) {
  Digits drawn;
  for (int n = 0; n < count; ++n) {
    const std::uint8_t* image = digits.image(static_cast<int>(random() % static_cast<unsigned>(digits.count())));
    drawn.pixels.insert(drawn.pixels.end(), image, image + kPixels);
  }
  return binarise(drawn, random);
}

struct TestBound {
  double pixels = 0, divergence = 0;  // nats per image
};

// Means over `images` [N, 28, 28], with one sample of z for each.
inline TestBound test_bound(Draw& model, const Tensor& images) {
  constexpr std::int64_t kAtOnce = 100;
  Graph graph(3);
  graph.set_recording(false);
  TestBound total;
  const std::int64_t count = images.shape()[0];
  for (std::int64_t first = 0; first < count; first += kAtOnce) {
    const std::int64_t samples = std::min(kAtOnce, count - first);
    const carousel::View<const float> some{images.data() + first * kPixels, {samples, kSide, kSide}};
    const Draw::Bound bound = model.bound(graph, Tensor(some));
    total.pixels += sum(bound.pixels).item() / static_cast<double>(count);
    total.divergence += sum(bound.divergence).item() / static_cast<double>(count);
    graph.reset();
  }
  return total;
}

// -log p of `images`, nats per image, if every pixel is ink as often as it is in `known`, whatever the others are.
inline double frequency_bound(const Digits& known, const Tensor& images) {
  std::vector<double> ink(kPixels, 1);  // one more image of ink and one of paper, so that nothing is impossible
  for (int n = 0; n < known.count(); ++n) {
    for (int i = 0; i < kPixels; ++i) ink[static_cast<std::size_t>(i)] += known.image(n)[i] / 255.0;
  }
  double nats = 0;
  for (std::int64_t i = 0; i < images.elements(); ++i) {
    const double p = ink[static_cast<std::size_t>(i % kPixels)] / (known.count() + 2);
    nats -= std::log(images[i] > 0 ? p : 1 - p);
  }
  return nats / static_cast<double>(images.shape()[0]);
}

// Twelve generated digits, one in a row: the canvas after each step and the square that the step wrote to.
inline void draw_drawings(Draw& model, const std::string& path) {
  constexpr int kDrawings = 12;
  constexpr double kPanel = 2 * kSide, kAcross = kPanel + 6;
  Graph graph(4);
  graph.set_recording(false);
  const std::vector<std::vector<Draw::Stroke>> drawings = model.generate(graph, kDrawings);
  Picture picture(6 + static_cast<double>(drawings[0].size()) * kAcross, 6 + kDrawings * kAcross);
  for (std::size_t n = 0; n < drawings.size(); ++n) {
    for (std::size_t t = 0; t < drawings[n].size(); ++t) {
      const Draw::Stroke& stroke = drawings[n][t];
      const double left = 6 + static_cast<double>(t) * kAcross, top = 6 + static_cast<double>(n) * kAcross;
      picture.image({left, top, kPanel, kPanel}, stroke.ink, kSide);
      const auto clip = [&](float at) { return std::clamp(2 * (static_cast<double>(at) + 0.5), 0.0, kPanel); };
      const float half = stroke.side / 2;
      const double x = clip(stroke.x - half), y = clip(stroke.y - half);
      picture.box({left + x, top + y, clip(stroke.x + half) - x, clip(stroke.y + half) - y},
                  "fill=\"none\" stroke=\"#e22\"" +
                      Picture::attribute("stroke-width", std::min(4.0, static_cast<double>(stroke.deviation))));
    }
  }
  picture.save(path);
}

}  // namespace generative
