// Oracle: the equations of the cell in double (Cell::step on double, fed with products summed in double), with the
// weights and inputs rounded first the way the format says: what is left is the rounding of float sums.
#include "cells/stream_layer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/thread_pool.h"
#include "cells/matrix_step.h"
#include "cells/tables.h"
#include "tests/kernels/targets.h"
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

// Inputs as a kernel rounds them, the factor in float: a value near the middle of two integers goes the same way.
Doubles rounded_inputs(const float* values, std::int64_t count) {
  float largest = 0;
  for (std::int64_t k = 0; k < count; ++k) largest = std::max(largest, std::abs(values[k]));
  const float factor = largest > 0 ? 1023.0f / largest : 0.0f;
  Doubles list;
  for (std::int64_t k = 0; k < count; ++k) list.push_back(double{std::nearbyint(values[k] * factor)} * largest / 1023);
  return list;
}

// The state of a layer below: some function of this step's input.
template <class T>
void fill_lower_state(const Floats& x, std::vector<T>& lower) {
  for (std::size_t k = 0; k < lower.size(); ++k) lower[k] = std::sin(x[0] + static_cast<float>(k));
}

struct Case {
  const Cell& cell;
  std::int64_t C, H;
  WeightFormat format;
  Floats weight_ih, weight_hh, bias_ih, bias_hh, weight_ph;
  Floats weight_hr, bias_hr;  // of a cell with an output layer, [H, H] and [H]
  OutputLayer output{OutputActivation::kSoftmax, 0.5};

  Case(const Cell& cell_, std::int64_t input_size, std::int64_t hidden_size, WeightFormat format_)
      : cell(cell_), C(input_size), H(hidden_size), format(format_) {
    const std::int64_t rows = gate_rows(), recurrent = cell.recurrent_gates() * H;
    weight_ih = random_floats(rows * C, 1, 0.4f);
    weight_hh = random_floats(recurrent * recurrent_size(), 2, 0.3f);
    bias_ih = random_floats(rows, 3, 0.5f);
    bias_hh = random_floats(recurrent, 4, 0.5f);
    if (cell.output_layer) {
      weight_hr = random_floats(H * H, 6, 0.5f);
      bias_hr = random_floats(H, 7, 0.5f);
    }
    weight_ph = random_floats(cell.unit_weight_count() * H, 5, 0.5f);
    for (std::size_t k = 0; cell.fixed_unit_weights && k < weight_ph.size(); ++k)
      weight_ph[k] = static_cast<float>(k % 3 + 1);
  }

  std::int64_t recurrent_size() const { return std::ssize(cell.recurrent_states) * H; }
  std::int64_t heads() const { return cell.has_matrix() && H % 3 == 0 ? 3 : 1; }
  std::int64_t gate_rows() const { return cell.first_row(cell.gate_count(), H, heads()); }
  std::int64_t width(int state) const { return cell.state_width(state, {H, H, heads()}); }

  StreamLayer layer() const {
    return StreamLayer({.cell = &cell,
                        .input_size = C,
                        .output_size = H,
                        .hidden_size = H,
                        .heads = heads(),
                        .weight_ih = weight_ih.data(),
                        .weight_hh = weight_hh.data(),
                        .bias_ih = bias_ih.data(),
                        .bias_hh = bias_hh.data(),
                        .weight_ph = weight_ph.data(),
                        .weight_hr = cell.output_layer ? weight_hr.data() : nullptr,
                        .bias_hr = cell.output_layer ? bias_hr.data() : nullptr,
                        .output = output},
                       format);
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
    return format == WeightFormat::kInt8 ? rounded_inputs(values, count) : Doubles(values, values + count);
  }

  // Rows begin .. end - 1 of weights [.., columns] times values, biases added unless the step itself does; summed in
  // double.
  Doubles product(const Floats& weights, const Floats& bias, const Doubles& values, std::int64_t begin,
                  std::int64_t end) const {
    const auto columns = static_cast<std::int64_t>(values.size());
    const Doubles w = rounded(weights, columns);
    Doubles sums;
    for (std::int64_t j = begin; j < end; ++j) {
      double sum = cell.normalised || cell.has_matrix() ? 0 : bias[static_cast<std::size_t>(j)];
      for (std::int64_t k = 0; k < columns; ++k)
        sum += w[static_cast<std::size_t>(j * columns + k)] * values[static_cast<std::size_t>(k)];
      sums.push_back(sum);
    }
    return sums;
  }

  // The rest of the step of a cell with a matrix memory.
  void reference_matrix_step(const Doubles& a, std::vector<Doubles>& states) const {
    const Doubles bias(bias_ih.begin(), bias_ih.end());
    Doubles workspace(static_cast<std::size_t>(matrix_step_workspace(H, heads())));
    matrix_step<double>({.memory = cell.matrix_memory,
                         .hidden_size = H,
                         .heads = heads(),
                         .a = a.data(),
                         .bias = bias.data(),
                         .state = {states[0].data(), states[1].data(), states[2].data(), states[3].data()},
                         .workspace = workspace.data()});
  }

  // states: [state][width], replaced by the next ones.
  void reference_step(const Floats& x, std::vector<Doubles>& states) const {
    const std::int64_t first = cell.first_gates() * H, recurrent = cell.recurrent_gates() * H;
    Doubles a = product(weight_ih, bias_ih, inputs(x.data(), C), 0, gate_rows());
    if (cell.has_matrix()) return reference_matrix_step(a, states);
    Floats entering;
    for (const int state : cell.recurrent_states) {
      const Doubles& values = states[static_cast<std::size_t>(state)];
      entering.insert(entering.end(), values.begin(), values.end());
    }
    Doubles q;
    if (first > 0) q = product(weight_hh, bias_hh, inputs(entering.data(), std::ssize(entering)), 0, first);
    for (std::size_t j = 0; j < q.size() && !cell.split_gates; ++j) a[j] += q[j];
    const Doubles units(weight_ph.begin(), weight_ph.end());
    Doubles inner(static_cast<std::size_t>(H)), bias_a(bias_ih.begin(), bias_ih.end());
    Doubles normal(static_cast<std::size_t>(cell.normal_count() * H)), bias_q(bias_hh.begin(), bias_hh.end());
    double scale[kNormalisedRows];
    StepForward<double> s;
    s.rows = 1;
    s.hidden_size = H;
    s.a = a.data();
    s.q = cell.split_gates ? q.data() : nullptr;
    s.unit_weights = units.data();
    s.inner = inner.data();
    s.normal = normal.data();
    s.scale = scale;
    if (cell.normalised) {
      s.bias_a = bias_a.data();
      s.bias_q = bias_q.data();
    }
    Doubles lower(static_cast<std::size_t>(H));
    fill_lower_state(x, lower);
    s.lower = lower.data();
    for (int k = 0; k < cell.state_count(); ++k) s.previous[k] = s.next[k] = states[static_cast<std::size_t>(k)].data();
    if (cell.inner_gates > 0) {
      cell.steps<double>().step_inner(s);
      const Floats rounded_inner(inner.begin(), inner.end());
      const Doubles sums = product(weight_hh, bias_hh, inputs(rounded_inner.data(), H), first, recurrent);
      for (std::size_t j = 0; j < sums.size(); ++j) a[static_cast<std::size_t>(first) + j] += sums[j];
    }
    if (!cell.output_layer) return cell.steps<double>().step(s);
    Doubles u(static_cast<std::size_t>(H));
    s.next[0] = u.data();
    cell.steps<double>().step(s);
    Doubles y;
    for (std::int64_t j = 0; j < H; ++j) {
      double sum = bias_hr[static_cast<std::size_t>(j)];
      for (std::int64_t k = 0; k < H; ++k)
        sum += double{weight_hr[static_cast<std::size_t>(j * H + k)]} * u[static_cast<std::size_t>(k)];
      y.push_back(std::exp(sum));
    }
    const double total = std::accumulate(y.begin(), y.end(), 0.0);
    for (std::size_t j = 0; j < y.size(); ++j) {
      states[0][j] = y[j] / total;
      states[1][j] = 0.5 * states[1][j] + states[0][j];
    }
  }
};

// The cells with the kernels of the instruction set that is in use now: all_cells() keeps those it began with.
std::vector<Cell> cells_of_target() {
  std::vector<Cell> cells(all_cells().begin(), all_cells().end());
  for (std::size_t k = 0; k < cells.size(); ++k) {
    cells[k].float_steps = simd_cells()[k].steps;
    cells[k].stream_finish = simd_cells()[k].stream_finish;
    cells[k].stream_finish_inner = simd_cells()[k].stream_finish_inner;
  }
  return cells;
}

using Bytes = std::vector<std::byte, AlignedAllocator<std::byte>>;

// Sequences that advance together: [rows][state][state_length(state)], all zero at first.
struct Sequences {
  const StreamLayer& layer;
  std::vector<std::vector<Floats>> states;
  std::vector<Floats> lower;
  Bytes workspace;

  Sequences(const Case& c, const StreamLayer& layer_, int rows)
      : layer(layer_),
        states(static_cast<std::size_t>(rows)),
        lower(static_cast<std::size_t>(rows), Floats(static_cast<std::size_t>(layer_.state_length(1)))),
        workspace(static_cast<std::size_t>(layer_.workspace_bytes())) {
    for (std::vector<Floats>& row : states) {
      for (int k = 0; k < c.cell.state_count(); ++k) row.emplace_back(static_cast<std::size_t>(layer.state_length(k)));
    }
  }

  void step(const std::vector<Floats>& inputs) {
    StreamRows rows;
    rows.count = static_cast<int>(states.size());
    for (std::size_t r = 0; r < states.size(); ++r) {
      rows.x[r] = inputs[r].data();
      fill_lower_state(inputs[r], lower[r]);
      rows.lower[r] = lower[r].data();
      for (std::size_t k = 0; k < states[r].size(); ++k) rows.states[k][r] = states[r][k].data();
    }
    layer.step(rows, workspace.data());
  }
};

// Five steps, each from the float states of the step before, so that roundings do not add up.
void expect_steps_follow_reference(const Case& c, double tolerance) {
  const StreamLayer layer = c.layer();
  Sequences sequences(c, layer, 1);
  std::vector<Floats>& states = sequences.states[0];
  for (std::uint64_t t = 0; t < 5; ++t) {
    const Floats x = random_floats(c.C, 10 + t, 1.0f);
    std::vector<Doubles> expected;
    for (int k = 0; k < c.cell.state_count(); ++k) {
      const Floats& state = states[static_cast<std::size_t>(k)];
      expected.emplace_back(state.begin(), state.begin() + c.width(k));
    }
    c.reference_step(x, expected);
    sequences.step({x});
    for (std::size_t k = 0; k < states.size(); ++k) {
      const Doubles got(states[k].begin(), states[k].begin() + c.width(static_cast<int>(k)));
      // The output of a matrix memory is divided by n q, a sum of terms that may be far larger than it is.
      expect_near(got, expected[k], c.cell.has_matrix() && k == 0 ? 5e-5 : tolerance,
                  fmt::format("{} C {} H {} format {} step {} state {}", c.cell.name, c.C, c.H,
                              kWeightFormats[static_cast<int>(c.format)], t, k));
    }
  }
}

TEST(StreamLayer, EveryCellInEveryFormatFollowsItsEquationsForAllSizesUpToTwoVectorsAndOne) {
  testing::for_every_target([] {
    for (const Cell& cell : cells_of_target()) {
      for (int format = 0; format < 3; ++format) {
        for (std::int64_t size = 1; size <= 33; ++size) {
          // What enters a second product is computed: where it is near the middle of two integers, float and double
          // may round it apart, by 1/1023 times a weight.
          const bool apart = cell.inner_gates > 0 && format == static_cast<int>(WeightFormat::kInt8);
          expect_steps_follow_reference({cell, 34 - size, size, static_cast<WeightFormat>(format)},
                                        apart ? 1e-3 : 2e-6);
        }
      }
    }
  });
}

// Oracle: the equations. So many weights are packed by several threads, a few panels each; the last panel is not full.
TEST(StreamLayer, ALargeLayerFollowsItsEquations) {
  set_threads(4);
  for (const char* name : {"lstm", "gru", "gru_reset_before", "sru"}) {
    for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kBf16, WeightFormat::kInt8}) {
      const Cell& cell = find_cell(name);
      const bool apart = cell.inner_gates > 0 && format == WeightFormat::kInt8;  // as above
      expect_steps_follow_reference({cell, 91, 117, format}, apart ? 1e-3 : 5e-6);
    }
  }
  set_threads(0);
}

// Oracle: the same sequences one by one, bit for bit, for every number of rows and on every instruction set.
TEST(StreamLayer, ARowGetsTheSameBitsAloneAndBesideOthers) {
  testing::for_every_target([] {
    for (const Cell& cell : cells_of_target()) {
      for (int format = 0; format < 3; ++format) {
        const Case c(cell, 7, 19, static_cast<WeightFormat>(format));
        const StreamLayer layer = c.layer();
        for (int count = 1; count <= kStreamRows; count = count < 14 ? count + 1 : count + 18) {
          Sequences together(c, layer, count);
          std::vector<Sequences> alone(static_cast<std::size_t>(count), Sequences(c, layer, 1));
          for (std::uint64_t t = 0; t < 3; ++t) {
            std::vector<Floats> inputs;
            for (int r = 0; r < count; ++r) {
              inputs.push_back(random_floats(7, 100 * t + static_cast<std::uint64_t>(r), 1.0f));
              alone[static_cast<std::size_t>(r)].step({inputs.back()});
            }
            together.step(inputs);
          }
          for (std::size_t r = 0; r < alone.size(); ++r) {
            EXPECT_EQ(together.states[r], alone[r].states[0]) << cell.name << " " << format << " " << count << " " << r;
          }
        }
      }
    }
  });
}

TEST(StreamLayer, AnInputThatIsNoNumberIsNotHiddenAndHarmsNoOtherRow) {
  for (int format = 0; format < 3; ++format) {
    const Case c(find_cell("lstm"), 3, 5, static_cast<WeightFormat>(format));
    const StreamLayer layer = c.layer();
    Sequences sequences(c, layer, 3);
    const Floats good{1.0f, 2.0f, 0.5f};
    sequences.step({good, {1.0f, NAN, 0.5f}, good});
    for (std::size_t unit = 0; unit < 5; ++unit) {
      EXPECT_TRUE(std::isnan(sequences.states[1][0][unit])) << format;
      EXPECT_TRUE(std::isfinite(sequences.states[0][0][unit])) << format;
      EXPECT_EQ(sequences.states[0][0][unit], sequences.states[2][0][unit]) << format;
    }
  }
}

TEST(StreamLayer, AStepAllocatesNothingAndInt8HasItsLimit) {
  const Case c(find_cell("gru"), 7, 9, WeightFormat::kInt8);
  const StreamLayer layer = c.layer();
  Sequences sequences(c, layer, 5);
  const std::vector<Floats> inputs(5, random_floats(7, 5, 1.0f));
  AllocationCounter counter;
  sequences.step(inputs);
  EXPECT_EQ(0, counter.count());
  expect_error(Code::kUsage, {"16001", "bf16"}, [] {
    const Floats wide(3 * 16001), narrow(3), bias(3);
    StreamLayer({.cell = &find_cell("gru"),
                 .input_size = 16001,
                 .output_size = 1,
                 .hidden_size = 1,
                 .weight_ih = wide.data(),
                 .weight_hh = narrow.data()},
                WeightFormat::kInt8);
  });
  expect_error(Code::kUsage, {"f16", "bf16"}, [] { parse_weight_format("f16"); });
}

}  // namespace
}  // namespace carousel
