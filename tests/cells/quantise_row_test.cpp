// Rows of weights in int8. Oracle: named by each test.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "cells/stream_layer.h"

namespace carousel {
namespace {

using Floats = std::vector<float>;

Floats random_floats(std::int64_t count, std::uint64_t seed, float deviation) {
  Floats values(static_cast<std::size_t>(count));
  fill_normal({seed, Purpose::kTest, 0}, 0.0f, deviation, std::span(values));
  return values;
}

// Oracle: the first rounding.
TEST(QuantiseRow, ScaleTimesIntegersGivesTheSameScaleAndTheSameIntegers) {
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    const float deviation = std::ldexp(1.0f, static_cast<int>(seed % 200) - 120);
    const Floats row = random_floats(7, seed, deviation);
    std::int8_t first[7], again[7];
    const float scale = quantise_row(row, first);
    Floats rounded;
    for (const std::int8_t q : first) rounded.push_back(scale * q);
    EXPECT_EQ(scale, quantise_row(rounded, again)) << seed;
    for (std::size_t k = 0; k < 7; ++k) {
      EXPECT_EQ(first[k], again[k]) << seed;
      EXPECT_NEAR(rounded[k], row[k], 0.5001f * scale + 1e-35f) << seed;
    }
  }
  const Floats tiny{1e-40f, -3e-39f, 2e-38f}, zero(3);
  std::int8_t q[3];
  EXPECT_EQ(0.0f, quantise_row(tiny, q));
  EXPECT_EQ(0, q[2]);
  EXPECT_EQ(0.0f, quantise_row(zero, q));
}

// Oracle: the contract.
TEST(QuantiseRow, WhatIsNotFiniteMakesTheScaleSo) {
  std::int8_t q[3] = {5, 5, 5};
  EXPECT_TRUE(std::isnan(quantise_row(Floats{1.0f, NAN, INFINITY}, q)));
  EXPECT_EQ(0, q[0]);
  EXPECT_TRUE(std::isinf(quantise_row(Floats{1.0f, -INFINITY, 2.0f}, q)));
  EXPECT_EQ(0, q[1]);
}

// Oracle: the largest |w| / 127, and std::lround of each quotient; with halves and what lies next to them.
TEST(QuantiseRow, RoundsHalvesAwayFromZero) {
  const float edges[] = {0.5f, 0.49999997f, 1.5f, 2.5f, 126.5f, 63.49999f, 0.0f, 1e-30f};
  for (std::size_t size = 1; size <= 40; ++size) {
    Floats row = random_floats(static_cast<std::int64_t>(size), size, 40.0f);
    for (std::size_t k = 0; k < size; k += 2) row[k] = (k % 4 == 0 ? 1.0f : -1.0f) * edges[k / 2 % 8];
    row[size / 3] = size % 2 == 0 ? -127.0f : 127.0f;  // so that the scale is 1 unless another is larger
    float largest = 0;
    for (const float value : row) largest = std::max(largest, std::abs(value));
    std::vector<std::int8_t> q(size);
    EXPECT_EQ(largest / 127, quantise_row(row, q.data())) << size;
    for (std::size_t k = 0; k < size; ++k) EXPECT_EQ(std::lround(row[k] / (largest / 127)), q[k]) << size << " " << k;
  }
}

}  // namespace
}  // namespace carousel
