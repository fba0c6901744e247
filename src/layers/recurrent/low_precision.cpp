#include "layers/recurrent/low_precision.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "layers/recurrent/recurrent_structure.h"

namespace carousel::detail {

LowPrecisionStack::LowPrecisionStack(const Recurrent& layer, WeightFormat format)
    : cell_(find_cell(layer.options().cell)),
      directions_(layer.directions()),
      sizes_(cell_sizes(layer.options())),
      layers_(layer.options().layers),
      hidden_size_(layer.options().hidden_size),
      output_units_(cell_sizes(layer.options()).output_size),
      merge_(parse_merge(layer.options().merge)) {
  for (std::int64_t l = 0; l < layers_; ++l) {
    connections_.emplace_back(layer, l);
    if (l > 0 && layer.options().tied) continue;
    for (int d = 0; d < directions_; ++d) kernels_.emplace_back(layer, l, d, format, kStreamRows);
  }
}

// Samples first .. first + kStreamRows - 1 of the sorted order. states: for each state of the cell [kStreamRows, its
// length], and then the same for whole vectors of `lower`.
void LowPrecisionStack::run_block(const Scan& scan, std::int64_t first, float* states, std::byte* workspace) const {
  const SequenceLayout& layout = scan.layout;
  const std::int64_t samples = std::min<std::int64_t>(kStreamRows, layout.samples() - first);
  const std::int64_t output_width = directions_ * output_units_, lower_width = directions_ * hidden_size_;
  StreamRows rows;
  for (int k = 0; k < cell_.state_count(); ++k) {
    const std::int64_t length = scan.kernel.state_length(k);
    for (std::int64_t r = 0; r < samples; ++r, states += length) {
      rows.states[k][r] = states;
      std::fill_n(states, length, 0.0f);
      if (!scan.initial[k]) continue;
      std::copy_n(scan.initial[k].value().data + layout.sample(first + r) * width(k), width(k), states);
    }
  }
  for (std::int64_t step = 0, running = samples; step < layout.length(first); ++step) {
    while (layout.length(first + running - 1) <= step) --running;  // the longest stand first
    const auto row_of = [&](std::int64_t r) {
      const std::int64_t time = scan.reverse ? layout.length(first + r) - 1 - step : step;
      return layout.offset(time) + first + r;
    };
    rows.count = static_cast<int>(running);
    for (std::int64_t r = 0; r < running; ++r) {
      rows.x[r] = scan.x.data + row_of(r) * scan.x.shape.back();
      if (scan.lower) {
        float* lower = states + r * scan.kernel.state_length(1);
        std::copy_n(scan.lower + row_of(r) * lower_width, hidden_size_, lower);
        rows.lower[r] = lower;
      }
    }
    scan.kernel.step(rows, workspace);
    for (std::int64_t r = 0; r < running; ++r) {
      std::copy_n(rows.states[0][r], output_units_, scan.output + row_of(r) * output_width);
      if (scan.upper) std::copy_n(rows.states[1][r], hidden_size_, scan.upper + row_of(r) * lower_width);
    }
  }
  for (int k = 0; k < cell_.state_count(); ++k) {
    for (std::int64_t r = 0; r < samples; ++r) {
      std::copy_n(rows.states[k][r], width(k), scan.final[k] + layout.sample(first + r) * width(k));
    }
  }
}

// What goes on from a layer that read x and whose directions gave `output`, as in run_stack, with a stream's steps.
Variable LowPrecisionStack::join(std::int64_t layer, Variable x, Variable output) const {
  if (directions_ == 2) output = merge_halves(output, merge_);
  const StreamConnection& connection = connections_[static_cast<std::size_t>(layer)];
  if (!connection) return output;
  Arena& arena = output.tape().arena();
  const std::int64_t rows = output.shape()[0], width = output.shape()[1];
  float *joined = output.node()->data(), *gates = arena.allocate<float>(rows * width);
  parallel_for((rows + kStreamRows - 1) / kStreamRows, [&](std::int64_t block) {
    const std::int64_t first = block * kStreamRows, count = std::min<std::int64_t>(kStreamRows, rows - first);
    const float* given[kStreamRows];
    for (std::int64_t r = 0; r < count; ++r) given[r] = joined + (first + r) * width;
    connection.apply(count, x.value().data + first * width, given, joined + first * width, gates + first * width);
  });
  return output;
}

StackOutput<float> LowPrecisionStack::run(Variable x, Variable lower, const SequenceLayout& layout,
                                          std::span<const ScanWeights<float>> weights) const {
  Tape<float>& tape = x.tape();
  Arena& arena = tape.arena();
  const std::int64_t samples = layout.samples(), output_width = directions_ * output_units_;
  const std::int64_t blocks = (samples + kStreamRows - 1) / kStreamRows;
  const std::int64_t states = cell_.state_count(), scans = layers_ * directions_, kernels = std::ssize(kernels_);
  const std::size_t cells =
      weights.size() / static_cast<std::size_t>(scans);  // of a step: the first one has the states
  auto* final = arena.allocate<Variable>(scans * states);
  auto* final_values = arena.allocate<float*>(scans * states);
  for (std::int64_t l = 0; l < layers_; ++l) {
    auto* output = arena.allocate<float>(layout.rows() * output_width);
    const bool reads_lower = cell_of_layer(cell_, l).lower;
    const float* below = reads_lower ? lower.value().data : nullptr;
    float* upper = cell_.lower ? arena.allocate<float>(layout.rows() * directions_ * hidden_size_) : nullptr;
    for (std::int64_t k = l * directions_ * states; k < (l + 1) * directions_ * states; ++k) {
      const Shape shape{samples, width(static_cast<int>(k % states))};
      final_values[k] = arena.allocate<float>(shape.elements());
      new (final + k) Variable(tape.constant({final_values[k], shape}));
    }
    const std::int64_t work = kernels_[static_cast<std::size_t>(l * directions_ % kernels)].workspace_bytes();
    std::int64_t room = cell_.lower ? kStreamRows * kernels_[0].state_length(1) : 0;
    for (int k = 0; k < states; ++k) room += kStreamRows * kernels_[0].state_length(k);
    auto* workspaces = arena.allocate<std::byte>(directions_ * blocks * work);
    auto* rooms = arena.allocate<float>(directions_ * blocks * room);
    parallel_for(directions_ * blocks, [&](std::int64_t task) {
      const std::int64_t d = task % directions_, k = l * directions_ + d;
      const Scan scan{.kernel = kernels_[static_cast<std::size_t>(k % kernels)],
                      .layout = layout,
                      .reverse = d == 1,
                      .x = x.value(),
                      .output = output + d * output_units_,
                      .lower = below ? below + d * hidden_size_ : nullptr,
                      .upper = upper ? upper + d * hidden_size_ : nullptr,
                      .initial = weights[static_cast<std::size_t>(k) * cells].initial,
                      .final = final_values + k * states};
      run_block(scan, task / directions_ * kStreamRows, rooms + task * room, workspaces + task * work);
    });
    x = join(l, x, tape.constant({output, Shape{layout.rows(), output_width}}));
    if (upper) lower = tape.constant({upper, Shape{layout.rows(), directions_ * hidden_size_}});
  }
  return {x, {final, static_cast<std::size_t>(scans * states)}};
}

}  // namespace carousel::detail
