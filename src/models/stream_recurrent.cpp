// stream_recurrent.cpp: a stack of recurrent layers, one step of some sequences.
#include <algorithm>

#include "base/fail.h"
#include "kernels/packed_matrix.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"
#include "layers/scan/stream_transition.h"
#include "models/stream_program.h"

namespace carousel::detail {
namespace {

class RecurrentStep final : public StreamOp {
 public:
  RecurrentStep(Recurrent& layer, const StreamPlan& plan) : cell_(find_cell(layer.options().cell)) {
    const RecurrentOptions& o = layer.options();
    if (o.bidirectional) fail(Code::kUsage, "a bidirectional network needs the whole sequence: it cannot be streamed");
    hidden_size_ = o.hidden_size;
    input_size = o.input_size;
    output_size = layer.output_size();
    layers_ = static_cast<std::size_t>(o.layers);
    for (std::int64_t l = 0; l < o.layers; ++l) connections_.emplace_back(layer, l);
    for (std::int64_t l = 0; l < (o.tied ? 1 : o.layers); ++l) {
      kernels_.emplace_back(layer, l, 0, plan.format, plan.rows());
      workspace_ = std::max(workspace_, kernels_.back().workspace_bytes());
    }
    if (cell_.entry) pack_entry(layer, plan.rows());
    for (int k = 0; k < cell_.state_count(); ++k) {
      widths_[k] = layer.state_shape(k, 1)[2];
      begins_[k + 1] = begins_[k] + kernels_[0].state_length(k);
    }
    states_.resize(static_cast<std::size_t>(plan.capacity * slot_size()));
    if (o.connection != "none") {
      joined_bytes_ = (plan.rows() * output_size * 4 + kAlignment - 1) / kAlignment * kAlignment;
    }
    if (o.learned_initial_state) start_from(layer, plan.capacity);
  }

  void run(StreamSlots slots, const float* input, float* output, std::byte* workspace) noexcept override {
    StreamRows rows;
    rows.count = static_cast<int>(slots.size());
    for (int r = 0; r < rows.count; ++r) rows.x[r] = input + r * input_size;
    if (cell_.entry) enter(rows, input, reinterpret_cast<float*>(workspace + workspace_));
    auto* joined = reinterpret_cast<float*>(workspace + workspace_ + entry_bytes_);
    for (std::size_t l = 0; l < layers_; ++l) {
      const StreamConnection& connection = connections_[l];
      for (int r = 0; r < rows.count && connection; ++r) {  // x, which goes past the layer
        float* x = joined + r * output_size;
        if (rows.x[r] != x) std::copy_n(rows.x[r], output_size, x);
        rows.x[r] = x;
      }
      for (int k = 0; k < cell_.state_count(); ++k) {
        for (int r = 0; r < rows.count; ++r) rows.states[k][r] = state(slots[static_cast<std::size_t>(r)], l, k);
      }
      kernels_[l % kernels_.size()].step(rows, workspace);
      if (connection) {
        connection.apply(rows.count, joined, rows.states[0], joined,
                         reinterpret_cast<float*>(workspace + workspace_ + entry_bytes_ + joined_bytes_));
      } else {
        std::copy_n(rows.states[0], rows.count, rows.x);
      }
      if (cell_.lower) std::copy_n(rows.states[1], rows.count, rows.lower);
    }
    for (int r = 0; r < rows.count; ++r) std::copy_n(rows.x[r], output_size, output + r * output_size);
  }

  void reset(std::int32_t slot) noexcept override {
    if (start_.empty()) {
      std::fill_n(state(slot, 0, 0), slot_size(), 0.0f);
    } else {
      std::copy(start_.begin(), start_.end(), state(slot, 0, 0));
    }
  }

  void save(std::int32_t slot, std::vector<Tensor>& values) const override {
    for (int k = 0; k < cell_.state_count(); ++k) {
      Tensor value(shape(k));
      for (std::size_t l = 0; l < layers_; ++l) {
        std::copy_n(states_.data() + offset(slot, l, k), width(k),
                    value.data() + static_cast<std::int64_t>(l) * width(k));
      }
      values.push_back(std::move(value));
    }
  }

  void check(std::span<const Tensor> values, std::size_t& next) const override {
    for (int k = 0; k < cell_.state_count(); ++k, ++next) {
      if (next < values.size() && values[next].shape() == shape(k)) continue;
      fail(Code::kUsage, "state tensor {} has shape {}, the network needs {}", next,
           next < values.size() ? values[next].shape().to_string() : "(none)", shape(k).to_string());
    }
  }

  void load(std::int32_t slot, std::span<const Tensor> values, std::size_t& next) noexcept override {
    for (int k = 0; k < cell_.state_count(); ++k, ++next) {
      for (std::size_t l = 0; l < layers_; ++l) {
        std::copy_n(values[next].data() + static_cast<std::int64_t>(l) * width(k), width(k), state(slot, l, k));
      }
    }
  }

  std::int64_t workspace_bytes() const noexcept override { return workspace_ + entry_bytes_ + 2 * joined_bytes_; }

 private:
  // The learned states, for every slot.
  void start_from(const Recurrent& layer, int capacity) {
    start_.resize(static_cast<std::size_t>(slot_size()));
    for (std::size_t l = 0; l < layers_; ++l) {
      for (int k = 0; k < cell_.state_count(); ++k) {
        const std::span<const float> row = initial_state(layer, static_cast<std::int64_t>(l), 0, k);
        std::copy(row.begin(), row.end(), start_.begin() + offset(0, l, k));
      }
    }
    for (std::int32_t slot = 0; slot < capacity; ++slot) reset(slot);
  }

  // W_in^T, packed so that both halves of its rows begin at whole vectors, as the lowest layer reads them.
  void pack_entry(const Recurrent& layer, int rows) {
    const std::int64_t padded = kernels_[0].state_length(0), C = input_size;
    StreamBuffer weight(static_cast<std::size_t>(2 * padded * C));
    const Parameter *source = layer.parameter("weight_in"), *bias = layer.parameter("bias_in");
    entry_bias_.resize(static_cast<std::size_t>(2 * padded));
    for (int half = 0; half < 2; ++half) {
      std::copy_n(source->value.data() + half * hidden_size_ * C, hidden_size_ * C, weight.data() + half * padded * C);
      if (bias) std::copy_n(bias->value.data() + half * hidden_size_, hidden_size_, entry_bias_.data() + half * padded);
    }
    entry_.resize(static_cast<std::size_t>(kernels::packed_size(C, 2 * padded)));
    kernels::pack<float>(kernels::Op::kTransposed, C, 2 * padded, weight.data(), C, entry_.data());
    entry_bytes_ = (rows * 2 * padded * 4 + kAlignment - 1) / kAlignment * kAlignment;
  }

  // x and l of the lowest layer, in `values` [rows, 2 padded].
  void enter(StreamRows& rows, const float* input, float* values) const noexcept {
    const std::int64_t width = std::ssize(entry_bias_);
    for (int r = 0; r < rows.count; ++r) {
      std::copy(entry_bias_.begin(), entry_bias_.end(), values + r * width);
      rows.x[r] = values + r * width;
      rows.lower[r] = rows.x[r] + width / 2;
    }
    kernels::multiply_packed<float>(rows.count, width, input_size, input, input_size, entry_.data(), 1.0f, values,
                                    width);
  }

  std::int64_t width(int state) const noexcept { return widths_[state]; }
  Shape shape(int state) const { return {static_cast<std::int64_t>(layers_), 1, width(state)}; }

  // states_ is [capacity, layers, the states of the cell one after another].
  std::int64_t layer_size() const noexcept { return begins_[cell_.state_count()]; }
  std::int64_t slot_size() const noexcept { return static_cast<std::int64_t>(layers_) * layer_size(); }
  std::int64_t offset(std::int32_t slot, std::size_t layer, int state) const noexcept {
    return slot * slot_size() + static_cast<std::int64_t>(layer) * layer_size() + begins_[state];
  }
  float* state(std::int32_t slot, std::size_t layer, int state) noexcept {
    return states_.data() + offset(slot, layer, state);
  }

  const Cell& cell_;
  std::size_t layers_ = 0;
  std::int64_t hidden_size_ = 0;
  std::int64_t widths_[kMaxStates] = {}, begins_[kMaxStates + 1] = {};  // of the states in a layer; with room behind
  std::int64_t workspace_ = 0, entry_bytes_ = 0;                        // of the layers, and of what enters them
  std::int64_t joined_bytes_ = 0;                                       // of what goes past them, and of its gates
  StreamBuffer entry_, entry_bias_;                                     // packed; empty: none
  std::vector<StreamTransition> kernels_;                               // of each layer; one if they are tied
  std::vector<StreamConnection> connections_;
  StreamBuffer states_, start_;  // start_ [layers, states]: what a slot begins with; empty: zero
};

}  // namespace

std::unique_ptr<StreamOp> compile_recurrent(Recurrent& layer, const StreamPlan& plan) {
  return std::make_unique<RecurrentStep>(layer, plan);
}

}  // namespace carousel::detail
