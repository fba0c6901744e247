#include "layers/attention/decoder.h"

#include <algorithm>
#include <numeric>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/concatenate_rows.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/ops/tanh.h"

namespace carousel {
namespace {

// One run of a decoder. What goes from step to step are the states of the cell and with input feeding, behind them, y.
template <class T>
class Decoding {
 public:
  explicit Decoding(const DecoderInput<T>& input)
      : input_(input), layout_(*input.layout), arena_(input.x.tape().arena()), weights_(input.weights) {
    steps_ = make_array<Attended<T>>(layout_.longest());
    outputs_ = make_array<BasicVariable<T>>(layout_.longest());
    for (int k = 0; k < carried(); ++k) history_[k] = make_array<BasicVariable<T>>(layout_.longest() + 1);
  }

  DecoderOutput<T> run() {
    DecoderOutput<T> result;
    const std::int64_t H = input_.weights.weight_ih.shape()[0] / input_.cell->gate_count();
    result.memory = input_.memory_rows.rows ? input_.memory_rows : sample_rows(input_.memory, layout_);
    coverage_ = input_.coverage;
    memory_ = make_memory(input_.score, result.memory, H);
    for (int k = 0; k < carried(); ++k) {
      const bool is_feed = k == states();
      history_[k][0] = state_[k] =
          is_feed ? initial(input_.feed, input_.weight_c.shape()[0]) : initial(input_.weights.initial[k], H);
    }
    for (std::int64_t t = 0; t < layout_.longest(); ++t) step(t);
    const std::int64_t width = looks_first() ? H : input_.weight_c.shape()[0];
    result.output = outputs_.empty() ? zeros(0, width) : concatenate_rows(std::span<const BasicVariable<T>>(outputs_));
    result.steps = steps_;
    result.coverage = coverage_;
    if (input_.wants_final) find_final(result);
    return result;
  }

 private:
  int states() const { return input_.cell->state_count(); }
  bool looks_first() const { return !input_.weight_c; }
  int carried() const { return states() + (input_.input_feeding ? 1 : 0); }

  template <class U>
  std::span<U> make_array(std::int64_t count) {
    U* array = arena_.allocate<U>(count);
    for (std::int64_t k = 0; k < count; ++k) new (array + k) U;
    return {array, static_cast<std::size_t>(count)};
  }

  BasicVariable<T> zeros(std::int64_t rows, std::int64_t width) {
    T* values = arena_.allocate<T>(rows * width);
    std::fill_n(values, rows * width, T(0));
    return input_.x.tape().constant({values, {rows, width}});
  }

  // [N, width] in the sorted order of the samples; zeros if it is empty.
  BasicVariable<T> initial(BasicVariable<T> state, std::int64_t width) {
    const std::int64_t N = layout_.samples();
    if (!state) return zeros(N, width);
    if (!(state.shape() == Shape{N, width})) {
      fail(Code::kUsage, "decoder: an initial state has shape {}, expected {}", state.shape().to_string(),
           Shape{N, width}.to_string());
    }
    const std::span<std::int64_t> order = make_array<std::int64_t>(N);
    for (std::int64_t k = 0; k < N; ++k) order[static_cast<std::size_t>(k)] = layout_.sample(k);
    return select_rows(state, std::span<const std::int64_t>(order));
  }

  // Rows begin .. begin + count.
  BasicVariable<T> rows(BasicVariable<T> x, std::int64_t begin, std::int64_t count) {
    if (x.shape()[0] == count) return x;
    const std::span<std::int64_t> index = make_array<std::int64_t>(count);
    std::iota(index.begin(), index.end(), begin);
    return select_rows(x, std::span<const std::int64_t>(index));
  }

  void step(std::int64_t t) {
    const std::int64_t n = layout_.batch_size(t);
    const auto at = static_cast<std::size_t>(t);
    for (int k = 0; k < carried(); ++k) state_[k] = rows(state_[k], 0, n);
    const BasicVariable<T> x = rows(input_.x, layout_.offset(t), n);
    if (looks_first()) {
      look(t);
      step_cell(concatenate_columns({x, steps_[at].context}));
      outputs_[at] = state_[0];
    } else {
      step_cell(input_.input_feeding ? concatenate_columns({x, state_[states()]}) : x);
      look(t);
      outputs_[at] = tanh(linear(concatenate_columns({steps_[at].context, state_[0]}), input_.weight_c));
    }
    if (input_.input_feeding) state_[states()] = outputs_[at];
    for (int k = 0; k < carried(); ++k) history_[k][at + 1] = state_[k];
  }

  void look(std::int64_t t) {
    const auto at = static_cast<std::size_t>(t);
    if (coverage_) {
      const std::int64_t pairs = memory_.blocks.first(state_[0].shape()[0]).pairs();
      coverage_ = reshape(rows(reshape(coverage_, {coverage_.shape()[0], 1}), 0, pairs), {pairs});
    }
    steps_[at] = attend(memory_, state_[0], coverage_);
    if (!memory_.score.coverage) return;
    coverage_ = coverage_ ? add(coverage_, steps_[at].weights) : steps_[at].weights;
  }

  void step_cell(BasicVariable<T> x) {
    std::copy_n(state_, states(), weights_.initial);
    ScanInput<T> input;
    input.cell = input_.cell;
    input.layout = &layout_.one_step(x.shape()[0]);
    input.x = x;
    input.directions = {&weights_, 1};
    const ScanOutput<T> out = scan(input);
    std::copy_n(out.final[0], states(), state_);
  }

  // The rows of a history are the N samples before the first step, then the packed rows of the steps.
  void find_final(DecoderOutput<T>& result) {
    const std::int64_t N = layout_.samples();
    const std::span<std::int64_t> last = make_array<std::int64_t>(N);
    for (std::int64_t k = 0; k < N; ++k) {
      const auto sample = static_cast<std::size_t>(layout_.sample(k));
      const std::int64_t row = layout_.last_rows()[sample];
      last[sample] = row < 0 ? k : N + row;
    }
    for (int k = 0; k < carried(); ++k) {
      const BasicVariable<T> all = concatenate_rows(std::span<const BasicVariable<T>>(history_[k]));
      result.final[k] = select_rows(all, std::span<const std::int64_t>(last));
    }
  }

  const DecoderInput<T>& input_;
  const SequenceLayout& layout_;
  Arena& arena_;
  AttentionMemory<T> memory_;
  BasicVariable<T> coverage_;
  ScanWeights<T> weights_;
  BasicVariable<T> state_[kMaxStates + 1];               // of the samples that are still running
  std::span<BasicVariable<T>> history_[kMaxStates + 1];  // state_ before the first step and after each
  std::span<BasicVariable<T>> outputs_;
  std::span<Attended<T>> steps_;
};

}  // namespace

template <class T>
DecoderOutput<T> decode(const DecoderInput<T>& input) {
  return Decoding<T>(input).run();
}

template <class T>
BasicTensor<T> decoder_alignments(const DecoderInput<T>& input, const DecoderOutput<T>& output) {
  const SequenceLayout& layout = *input.layout;
  const std::int64_t N = layout.samples(), S = input.memory.states.shape()[0];
  BasicTensor<T> alignments({layout.time_steps(), N, S});
  for (std::int64_t t = 0; t < layout.longest(); ++t) {
    const T* weights = output.steps[static_cast<std::size_t>(t)].weights.value().data;
    for (std::int64_t k = 0; k < layout.batch_size(t); ++k) {
      const std::int64_t length = output.memory.lengths[static_cast<std::size_t>(k)];
      std::copy_n(weights, length, alignments.data() + (t * N + layout.sample(k)) * S);
      weights += length;
    }
  }
  return alignments;
}

#define CAROUSEL_INSTANTIATE(T)                             \
  template DecoderOutput<T> decode(const DecoderInput<T>&); \
  template BasicTensor<T> decoder_alignments(const DecoderInput<T>&, const DecoderOutput<T>&);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
