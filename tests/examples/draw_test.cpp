// Oracles: Gaussians added up in double; filters so narrow that reading is copying; what a model of zeros must give;
// central differences.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "examples/generative/draw_report.h"
#include "tests/examples/grey_digits.h"
#include "tests/support/expect_near.h"
#include "tests/support/random_tensor.h"

namespace carousel {
namespace {

using generative::Draw;
constexpr int kSide = generative::kSide, kPixels = generative::kPixels;

// Two samples, one looking beyond the border.
TEST(FilterBank, EqualsGaussiansInDouble) {
  Graph graph;
  const Tensor centre({2, 1}, std::vector<float>{11.25f, 26.5f}), stride({2, 1}, std::vector<float>{2.5f, 3}),
      variance({2, 1}, std::vector<float>{4, 0.7f});
  const Variable bank =
      generative::filter_bank(graph, 4, graph.input(centre), graph.input(stride), graph.input(variance));
  std::vector<double> expected;
  for (int n = 0; n < 2; ++n) {
    for (int i = 0; i < 4; ++i) {
      const double mean = centre[n] + (i - 1.5) * stride[n];
      double total = 0;
      const auto weight = [&](int a) { return std::exp(-(a - mean) * (a - mean) / (2.0 * variance[n])); };
      for (int a = 0; a < kSide; ++a) total += weight(a);
      for (int a = 0; a < kSide; ++a) expected.push_back(weight(a) / total);
    }
  }
  expect_near(bank.value(), BasicTensor<double>({2, 4, kSide}, expected), 1e-6, "bank");
}

TEST(Attention, ZerosAreAGridOverTheWholeImage) {
  Graph graph;
  const generative::Attention at = generative::attend(graph, 5, graph.input(Tensor({1, 5})));
  EXPECT_FLOAT_EQ(13.5f, at.centre_x.item());
  EXPECT_FLOAT_EQ(13.5f, at.centre_y.item());
  EXPECT_FLOAT_EQ(27.0f / 4, at.stride.item());
  EXPECT_FLOAT_EQ(1, at.variance.item());
  EXPECT_FLOAT_EQ(1, at.intensity.item());
}

// A filter on every pixel, each so narrow that it sees no other; log variance -6, intensity 2, one pixel to the right.
TEST(Attention, NarrowFiltersCopyTheImage) {
  Graph graph;
  const Tensor image = random_tensor({1, kSide, kSide}, 1);
  const float right = 1 / 14.5f, doubled = std::log(2.0f);
  const Tensor numbers({1, 5}, std::vector<float>{right, 0, -6, 0, doubled});
  const generative::Attention at = generative::attend(graph, kSide, graph.input(numbers));
  const Variable seen = generative::read(graph.input(image), at);
  const Variable written = generative::write(graph.input(image.reshaped({1, kPixels})), at);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x + 1 < kSide; ++x) {
      EXPECT_NEAR(2 * image[y * kSide + x + 1], seen.value().data[y * kSide + x], 1e-4);
      if (x + 2 < kSide) {  // two filters write to the last column
        EXPECT_NEAR(image[y * kSide + x] / 2, written.value().data[y * kSide + x + 1], 1e-4);
      }
    }
  }
}

constexpr generative::DrawOptions kSmall{
    .steps = 3, .read_filters = 3, .write_filters = 4, .hidden_size = 12, .latent_size = 5};

Tensor some_images(int count) {
  std::mt19937 random(3);
  return draw_images(grey_digits(1), count, random);
}

TEST(Draw, ModelOfZerosTossesACoinForEveryPixel) {
  Draw model(kSmall);
  for (Parameter* parameter : model.parameters()) parameter->value.fill(0);
  Graph graph;
  const Draw::Bound bound = model.bound(graph, some_images(2));
  for (int n = 0; n < 2; ++n) {
    EXPECT_NEAR(kPixels * std::numbers::ln2, bound.pixels.value().data[n], 1e-3);
    EXPECT_EQ(0, bound.divergence.value().data[n]);
  }
}

// Along the gradient the slope is its length. Of weights large enough that those of the encoder count.
TEST(Draw, LengthOfTheGradientIsTheSlopeOfTheBound) {
  Draw model(kSmall);
  const Tensor images = some_images(3);
  std::uint64_t seed = 10;
  for (Parameter* parameter : model.parameters()) {
    const Tensor values = random_tensor(parameter->value.shape(), seed++);
    for (std::int64_t i = 0; i < values.elements(); ++i) parameter->value[i] = 0.4f * values[i];
  }
  const auto loss = [&](Graph& graph) {  // every new Graph gives the same noise
    const Draw::Bound bound = model.bound(graph, images);
    return sum(bound.pixels + bound.divergence);
  };
  Graph recorded;
  backward(loss(recorded));
  for (Parameter* parameter : model.parameters()) {
    double length = 0;
    for (const float g : parameter->gradient.span()) length += static_cast<double>(g) * g;
    length = std::sqrt(length);
    const Tensor kept = parameter->value;
    const auto at = [&](double distance) {
      for (std::int64_t i = 0; i < kept.elements(); ++i) {
        parameter->value[i] = kept[i] + static_cast<float>(distance * parameter->gradient[i] / length);
      }
      Graph graph;
      graph.set_recording(false);
      return static_cast<double>(loss(graph).item());
    };
    // A loss of 1,700 in float is good to some 1e-4.
    const double step = 1e-2, slope = (at(step) - at(-step)) / (2 * step);
    parameter->value = kept;
    EXPECT_NEAR(length, slope, 0.003 * length + 0.01) << parameter->name;
  }
}

TEST(Draw, LearnsAndItsDivergenceIsNeverNegative) {
  Draw model(kSmall);
  const Tensor images = some_images(10);
  const std::vector<Parameter*> parameters = model.parameters();
  Adam adam(parameters, {.lr = 1e-2});
  Graph graph;
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    const Draw::Bound bound = model.bound(graph, images);
    for (const float kl : bound.divergence.value().span()) EXPECT_GE(kl, 0);
    const Variable loss = mean(bound.pixels + bound.divergence);
    last = loss.item();
    if (step == 0) first = last;
    backward(loss);
    adam.step();
    graph.reset();
  }
  EXPECT_LT(last, 0.95 * first);
  const generative::TestBound bound = generative::test_bound(model, images);
  EXPECT_NEAR(last, bound.pixels + bound.divergence, 0.05 * last);
}

TEST(Draw, GeneratesACanvasForEveryStepTheSameFromTheSameSeed) {
  Draw model(kSmall);
  const auto draw = [&](std::uint64_t seed) {
    Graph graph(seed);
    return model.generate(graph, 2);
  };
  const auto drawings = draw(1), again = draw(1), other = draw(2);
  ASSERT_EQ(2u, drawings.size());
  ASSERT_EQ(3u, drawings[0].size());
  EXPECT_EQ(784u, drawings[0][2].ink.size());
  EXPECT_EQ(drawings[1][2].ink, again[1][2].ink);
  EXPECT_NE(drawings[1][2].ink, other[1][2].ink);
  EXPECT_NE(drawings[1][2].ink, drawings[0][2].ink);
}

TEST(DrawReport, FrequencyOfInkIsCountedWithOneImageMoreOfEach) {
  generative::Digits digits;
  digits.pixels.assign(2 * kPixels, 255);
  std::fill_n(digits.pixels.begin(), kPixels, 51);  // a fifth
  Tensor images({1, kSide, kSide});
  images[0] = 1;
  const double p = (0.2 + 1 + 1) / 4;
  EXPECT_NEAR(-std::log(p) - 783 * std::log(1 - p), generative::frequency_bound(digits, images), 1e-9);
}

TEST(DrawReport, BinarisedPixelsAreInkAsOftenAsTheirGreySays) {
  std::mt19937 random(4);
  const Tensor images = generative::binarise(grey_digits(1), random);
  for (int n = 0; n < 10; ++n) {
    double ink = 0;
    for (int i = 0; i < kPixels; ++i) ink += images[n * kPixels + i];
    const double p = 20 * (n + 1) / 255.0;
    EXPECT_NEAR(p, ink / kPixels, 4 * std::sqrt(p * (1 - p) / kPixels)) << n;
  }
}

}  // namespace
}  // namespace carousel
