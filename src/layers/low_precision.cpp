#include "layers/low_precision.h"

#include <algorithm>

#include "base/denormals.h"
#include "kernels/packed_matrix.h"

namespace carousel::detail {

LowPrecisionStack::LowPrecisionStack(const RecurrentOptions& options,
                                     std::span<const std::unique_ptr<Parameter>> parameters, WeightFormat format)
    : cell_(find_cell(options.cell)),
      directions_(options.bidirectional ? 2 : 1),
      layers_(options.layers),
      hidden_size_(options.hidden_size),
      output_units_(options.proj_size > 0 ? options.proj_size : options.hidden_size) {
  std::int64_t longest = output_units_;
  for (auto p = parameters.begin(); p != parameters.end(); p += 5) {
    const auto data = [&](int k) { return p[k] ? p[k]->value.data() : nullptr; };
    const StreamLayerWeights weights{.cell = &cell_,
                                     .input_size = p[0]->value.shape()[1],
                                     .recurrent_size = output_units_,
                                     .hidden_size = hidden_size_,
                                     .weight_ih = data(0),
                                     .weight_hh = data(1),
                                     .bias_ih = data(2),
                                     .bias_hh = data(3)};
    Scan scan{StreamLayer(weights, format), {}};
    if (p[4]) {
      scan.weight_hr.resize(static_cast<std::size_t>(kernels::packed_size(hidden_size_, output_units_)));
      kernels::pack<float>(kernels::Op::kTransposed, hidden_size_, output_units_, data(4), hidden_size_,
                           scan.weight_hr.data());
    }
    longest = std::max(longest, scan.kernel.padded_units());
    scans_.push_back(std::move(scan));
  }
  states_.assign(static_cast<std::size_t>(cell_.state_count()), Buffer(static_cast<std::size_t>(longest)));
  next_h_.resize(static_cast<std::size_t>(longest));
}

// states_ holds the initial state, and the final one afterwards.
void LowPrecisionStack::run_sample(Scan& scan, const Pass& pass) {
  const std::int64_t length = pass.layout.length(pass.sample);
  for (std::int64_t step = 0; step < length; ++step) {
    const std::int64_t row = pass.layout.offset(pass.reverse ? length - 1 - step : step) + pass.sample;
    const float* previous[kMaxStates] = {};
    float* next[kMaxStates] = {};
    for (std::size_t k = 0; k < states_.size(); ++k) previous[k] = next[k] = states_[k].data();
    next[0] = next_h_.data();
    scan.kernel.step(pass.input + row * pass.input_width, states_[0].data(), previous, next);
    if (scan.weight_hr.empty()) {
      std::swap(states_[0], next_h_);
    } else {
      kernels::multiply_packed<float>(1, output_units_, hidden_size_, next_h_.data(), hidden_size_,
                                      scan.weight_hr.data(), 0.0f, states_[0].data(), output_units_);
    }
    std::copy_n(states_[0].data(), output_units_, pass.output + row * pass.output_width);
  }
}

StackOutput<float> LowPrecisionStack::run(Variable x, const SequenceLayout& layout,
                                          std::span<const ScanWeights<float>> weights) {
  const FlushDenormals flush;
  Tape<float>& tape = x.tape();
  Arena& arena = tape.arena();
  const std::int64_t rows = layout.rows(), samples = layout.samples(), width = directions_ * output_units_;
  const auto states = std::ssize(states_), scans = std::ssize(scans_);
  auto* final = arena.allocate<Variable>(scans * states);
  for (std::int64_t l = 0; l < layers_; ++l) {
    float* output = arena.allocate<float>(rows * width);
    for (int d = 0; d < directions_; ++d) {
      const std::int64_t k = l * directions_ + d;
      float* last[kMaxStates] = {};
      for (std::int64_t s = 0; s < states; ++s) {
        const std::int64_t units = s == 0 ? output_units_ : hidden_size_;
        last[s] = arena.allocate<float>(samples * units);
        new (final + k * states + s) Variable(tape.constant({last[s], Shape{samples, units}}));
      }
      for (std::int64_t sorted = 0; sorted < samples; ++sorted) {
        const std::int64_t n = layout.sample(sorted);
        for (std::int64_t s = 0; s < states; ++s) {
          const std::int64_t units = s == 0 ? output_units_ : hidden_size_;
          Buffer& state = states_[static_cast<std::size_t>(s)];
          const Variable& initial = weights[static_cast<std::size_t>(k)].initial[s];
          std::fill(state.begin(), state.end(), 0.0f);
          if (initial) std::copy_n(initial.value().data + n * units, units, state.data());
        }
        run_sample(scans_[static_cast<std::size_t>(k)],
                   {layout, sorted, d == 1, x.value().data, x.shape().back(), output + d * output_units_, width});
        for (std::int64_t s = 0; s < states; ++s) {
          const std::int64_t units = s == 0 ? output_units_ : hidden_size_;
          std::copy_n(states_[static_cast<std::size_t>(s)].data(), units, last[s] + n * units);
        }
      }
    }
    x = tape.constant({output, Shape{rows, width}});
  }
  return {x, {final, static_cast<std::size_t>(scans * states)}};
}

}  // namespace carousel::detail
