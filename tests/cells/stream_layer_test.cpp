// Oracle: the equations of the cell in double (Cell::step on double, fed with products summed in double), with the
// weights and inputs rounded first the way the format says: what is left is the rounding of float sums.
#include "cells/stream_layer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/random.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

Floats random_floats(std::int64_t count, std::uint64_t seed, float deviation) {
  Floats values(static_cast<std::size_t>(count));
  fill_normal({seed, Purpose::kTest, 0}, 0.0f, deviation, std::span(values));
  return values;
}

// bf16 by arithmetic: to a multiple of 2^(e-7) for a value in [2^e, 2^(e+1)), ties to even.
double as_bf16(float value) {
  if (value == 0) return 0;
  const double unit = std::ldexp(1.0, std::ilogb(value) - 7);
  return std::nearbyint(value / unit) * unit;
}

// values rounded to scale * integer, |integer| <= steps, scale from the largest of them.
Doubles as_integers(const float* values, std::int64_t count, double steps) {
  float largest = 0;
  for (std::int64_t k = 0; k < count; ++k) largest = std::max(largest, std::abs(values[k]));
  const double scale = largest / steps;
  Doubles list;
  for (std::int64_t k = 0; k < count; ++k) list.push_back(scale > 0 ? scale * std::nearbyint(values[k] / scale) : 0);
  return list;
}

struct Case {
  const Cell& cell;
  std::int64_t C, H;
  WeightFormat format;
  Floats weight_ih, weight_hh, bias_ih, bias_hh;

  Case(const Cell& cell_, std::int64_t input_size, std::int64_t hidden_size, WeightFormat format_)
      : cell(cell_), C(input_size), H(hidden_size), format(format_) {
    const std::int64_t rows = cell.gate_count() * H;
    weight_ih = random_floats(rows * C, 1, 0.4f);
    weight_hh = random_floats(rows * H, 2, 0.3f);
    bias_ih = random_floats(rows, 3, 0.5f);
    bias_hh = random_floats(rows, 4, 0.5f);
  }

  StreamLayer layer() const {
    return StreamLayer({&cell, C, H, H, weight_ih.data(), weight_hh.data(), bias_ih.data(), bias_hh.data()}, format);
  }

  Doubles rounded(const Floats& weights, std::int64_t columns) const {
    Doubles list;
    for (std::size_t row = 0; row * static_cast<std::size_t>(columns) < weights.size(); ++row) {
      const float* at = weights.data() + row * static_cast<std::size_t>(columns);
      if (format == WeightFormat::kInt8) {
        const Doubles values = as_integers(at, columns, 127);
        list.insert(list.end(), values.begin(), values.end());
      } else {
        for (std::int64_t k = 0; k < columns; ++k)
          list.push_back(format == WeightFormat::kBf16 ? as_bf16(at[k]) : at[k]);
      }
    }
    return list;
  }

  Doubles inputs(const float* values, std::int64_t count) const {
    return format == WeightFormat::kInt8 ? as_integers(values, count, 1023) : Doubles(values, values + count);
  }

  // states: [state][H], replaced by the next ones.
  void reference_step(const Floats& x, const Floats& h, std::vector<Doubles>& states) const {
    const Doubles w = rounded(weight_ih, C), r = rounded(weight_hh, H);
    const Doubles xs = inputs(x.data(), C), hs = inputs(h.data(), H);
    const std::int64_t rows = cell.gate_count() * H;
    Doubles a, q;
    for (std::int64_t j = 0; j < rows; ++j) {
      const auto row = static_cast<std::size_t>(j);
      double ih = bias_ih[row], hh = bias_hh[row];
      for (std::int64_t k = 0; k < C; ++k)
        ih += w[static_cast<std::size_t>(j * C + k)] * xs[static_cast<std::size_t>(k)];
      for (std::int64_t k = 0; k < H; ++k)
        hh += r[static_cast<std::size_t>(j * H + k)] * hs[static_cast<std::size_t>(k)];
      a.push_back(cell.split_gates ? ih : ih + hh);
      q.push_back(hh);
    }
    StepForward<double> s;
    s.rows = 1;
    s.hidden_size = H;
    s.a = a.data();
    s.q = cell.split_gates ? q.data() : nullptr;
    for (int k = 0; k < cell.state_count(); ++k) s.previous[k] = s.next[k] = states[static_cast<std::size_t>(k)].data();
    cell.step(s);
  }
};

// Five steps, each from the float states of the step before, so that roundings do not add up.
void expect_steps_follow_reference(const Case& c, double tolerance) {
  StreamLayer layer = c.layer();
  const int S = c.cell.state_count();
  const auto padded = static_cast<std::size_t>(layer.padded_units());
  std::vector<Floats> states(static_cast<std::size_t>(S), Floats(padded));
  Floats next_h(padded);
  for (std::uint64_t t = 0; t < 5; ++t) {
    const Floats x = random_floats(c.C, 10 + t, 1.0f);
    std::vector<Doubles> expected;
    for (const Floats& state : states) expected.emplace_back(state.begin(), state.begin() + c.H);
    c.reference_step(x, states[0], expected);
    const float* previous[kMaxStates] = {};
    float* next[kMaxStates] = {};
    for (int k = 0; k < S; ++k) previous[k] = next[k] = states[static_cast<std::size_t>(k)].data();
    next[0] = next_h.data();
    layer.step(x.data(), states[0].data(), previous, next);
    std::swap(states[0], next_h);
    for (int k = 0; k < S; ++k) {
      const Floats& state = states[static_cast<std::size_t>(k)];
      const Doubles got(state.begin(), state.begin() + c.H);
      expect_near(got, expected[static_cast<std::size_t>(k)], tolerance,
                  fmt::format("{} C {} H {} format {} step {} state {}", c.cell.name, c.C, c.H,
                              kWeightFormats[static_cast<int>(c.format)], t, k));
    }
  }
}

TEST(StreamLayer, EveryCellInEveryFormatFollowsItsEquationsForAllSizesUpToTwoVectorsAndOne) {
  for (const Cell& cell : all_cells()) {
    for (int format = 0; format < 3; ++format) {
      for (std::int64_t size = 1; size <= 33; ++size) {
        expect_steps_follow_reference({cell, 34 - size, size, static_cast<WeightFormat>(format)}, 2e-6);
      }
    }
  }
}

TEST(StreamLayer, AnInputThatIsNoNumberIsNotHidden) {
  for (int format = 0; format < 3; ++format) {
    const Case c(find_cell("lstm"), 3, 5, static_cast<WeightFormat>(format));
    StreamLayer layer = c.layer();
    Floats h(static_cast<std::size_t>(layer.padded_units())), cell = h, next = h;
    const float* previous[kMaxStates] = {h.data(), cell.data()};
    float* to[kMaxStates] = {next.data(), cell.data()};
    const float x[] = {1.0f, NAN, 0.5f};
    layer.step(x, h.data(), previous, to);
    for (std::size_t unit = 0; unit < 5; ++unit) EXPECT_TRUE(std::isnan(next[unit])) << format;
  }
}

TEST(StreamLayer, AStepAllocatesNothingAndInt8HasItsLimit) {
  const Case c(find_cell("gru"), 7, 9, WeightFormat::kInt8);
  StreamLayer layer = c.layer();
  Floats h(static_cast<std::size_t>(layer.padded_units())), next = h;
  const Floats x = random_floats(7, 5, 1.0f);
  const float* previous[kMaxStates] = {h.data()};
  float* to[kMaxStates] = {next.data()};
  AllocationCounter counter;
  layer.step(x.data(), h.data(), previous, to);
  EXPECT_EQ(0, counter.count());
  expect_error(Code::kUsage, {"16001", "bf16"}, [] {
    const Floats wide(3 * 16001), narrow(3), bias(3);
    StreamLayer({&find_cell("gru"), 16001, 1, 1, wide.data(), narrow.data(), nullptr, nullptr}, WeightFormat::kInt8);
  });
  expect_error(Code::kUsage, {"f16", "bf16"}, [] { parse_weight_format("f16"); });
}

}  // namespace
}  // namespace carousel
