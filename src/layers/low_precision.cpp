#include "layers/low_precision.h"

#include <algorithm>

#include "base/thread_pool.h"

namespace carousel::detail {

LowPrecisionStack::LowPrecisionStack(const RecurrentOptions& options,
                                     std::span<const std::unique_ptr<Parameter>> parameters, WeightFormat format)
    : cell_(find_cell(options.cell)),
      directions_(options.bidirectional ? 2 : 1),
      layers_(options.layers),
      hidden_size_(options.hidden_size),
      output_units_(options.proj_size > 0 ? options.proj_size : options.hidden_size) {
  for (auto p = parameters.begin(); p != parameters.end(); p += 5) {
    const auto data = [&](int k) { return p[k] ? p[k]->value.data() : nullptr; };
    kernels_.emplace_back(StreamLayerWeights{.cell = &cell_,
                                             .input_size = p[0]->value.shape()[1],
                                             .recurrent_size = output_units_,
                                             .hidden_size = hidden_size_,
                                             .weight_ih = data(0),
                                             .weight_hh = data(1),
                                             .bias_ih = data(2),
                                             .bias_hh = data(3),
                                             .weight_hr = data(4)},
                          format);
  }
}

// Samples first .. first + kStreamRows - 1 of the sorted order. states: [states of the cell, kStreamRows, length].
void LowPrecisionStack::run_block(const Scan& scan, std::int64_t first, float* states, std::byte* workspace) const {
  const SequenceLayout& layout = scan.layout;
  const std::int64_t samples = std::min<std::int64_t>(kStreamRows, layout.samples() - first);
  const std::int64_t length = scan.kernel.state_length(), output_width = directions_ * output_units_;
  StreamRows rows;
  for (int k = 0; k < cell_.state_count(); ++k) {
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
    for (std::int64_t r = 0; r < running; ++r) rows.x[r] = scan.x.data + row_of(r) * scan.x.shape.back();
    scan.kernel.step(rows, workspace);
    for (std::int64_t r = 0; r < running; ++r) {
      std::copy_n(rows.states[0][r], output_units_, scan.output + row_of(r) * output_width);
    }
  }
  for (int k = 0; k < cell_.state_count(); ++k) {
    for (std::int64_t r = 0; r < samples; ++r) {
      std::copy_n(rows.states[k][r], width(k), scan.final[k] + layout.sample(first + r) * width(k));
    }
  }
}

StackOutput<float> LowPrecisionStack::run(Variable x, const SequenceLayout& layout,
                                          std::span<const ScanWeights<float>> weights) const {
  Tape<float>& tape = x.tape();
  Arena& arena = tape.arena();
  const std::int64_t samples = layout.samples(), output_width = directions_ * output_units_;
  const std::int64_t blocks = (samples + kStreamRows - 1) / kStreamRows;
  const std::int64_t states = cell_.state_count(), scans = std::ssize(kernels_);
  auto* final = arena.allocate<Variable>(scans * states);
  auto* final_values = arena.allocate<float*>(scans * states);
  for (std::int64_t l = 0; l < layers_; ++l) {
    auto* output = arena.allocate<float>(layout.rows() * output_width);
    for (std::int64_t k = l * directions_ * states; k < (l + 1) * directions_ * states; ++k) {
      const Shape shape{samples, width(static_cast<int>(k % states))};
      final_values[k] = arena.allocate<float>(shape.elements());
      new (final + k) Variable(tape.constant({final_values[k], shape}));
    }
    const std::int64_t work = kernels_[static_cast<std::size_t>(l * directions_)].workspace_bytes();
    const std::int64_t room = states * kStreamRows * kernels_[0].state_length();
    auto* workspaces = arena.allocate<std::byte>(directions_ * blocks * work);
    auto* rooms = arena.allocate<float>(directions_ * blocks * room);
    parallel_for(directions_ * blocks, [&](std::int64_t task) {
      const std::int64_t d = task % directions_, k = l * directions_ + d;
      const Scan scan{.kernel = kernels_[static_cast<std::size_t>(k)],
                      .layout = layout,
                      .reverse = d == 1,
                      .x = x.value(),
                      .output = output + d * output_units_,
                      .initial = weights[static_cast<std::size_t>(k)].initial,
                      .final = final_values + k * states};
      run_block(scan, task / directions_ * kStreamRows, rooms + task * room, workspaces + task * work);
    });
    x = tape.constant({output, Shape{layout.rows(), output_width}});
  }
  return {x, {final, static_cast<std::size_t>(scans * states)}};
}

}  // namespace carousel::detail
