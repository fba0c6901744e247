#include "layers/attention/sequence_to_sequence.h"

#include <iterator>
#include <numeric>

#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_columns.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {
namespace {

constexpr const char* kName = "sequence_to_sequence";

}  // namespace

SequenceToSequence::SequenceToSequence(Sequential parts, const SequenceToSequenceOptions& options)
    : Sequential(std::move(parts)), options_(options) {
  constexpr const char* kParts[] = {"encoder", "bridge", "decoder"};
  bool fits = modules().size() == std::size(kParts);
  for (std::size_t k = 0; fits && k < std::size(kParts); ++k) {
    fits = modules()[k].first == kParts[k] && dynamic_cast<Sequential*>(modules()[k].second.get());
  }
  if (!fits) fail(Code::kUsage, "{}: expected three networks: encoder, bridge, decoder", kName);
  const auto& [steps, first, known, blocks] = options_;
  if (steps < 1 || first < 0 || known < 0 || blocks < 1) {
    fail(Code::kUsage, "{}: steps {}, first_known {}, known_count {}, blocks {}: one of them is out of range", kName,
         steps, first, known, blocks);
  }
}

LayerDescription SequenceToSequence::describe() const {
  return {kName,
          {{"steps", options_.steps},
           {"first_known", options_.first_known},
           {"known_count", options_.known_count},
           {"blocks", options_.blocks}},
          Sequential::describe().branches};
}

// What is known of each step, and where it stands among them: [H N, known_count + 1].
Variable SequenceToSequence::decoder_inputs(const Variable& x, std::int64_t time_steps, std::int64_t samples) const {
  Arena& arena = x.tape().arena();
  const std::int64_t H = options_.steps, rows = H * samples;
  float* places = arena.allocate<float>(rows);
  for (std::int64_t r = 0; r < rows; ++r) places[r] = static_cast<float>(r / samples + 1) / static_cast<float>(H);
  const Variable place = x.tape().constant({places, {rows, 1}});
  if (options_.known_count == 0) return place;
  auto* index = arena.allocate<std::int64_t>(rows);
  std::iota(index, index + rows, (time_steps - H) * samples);
  const Variable last = select_rows(x, std::span<const std::int64_t>(index, static_cast<std::size_t>(rows)));
  return concatenate_columns({select_columns(last, options_.first_known, options_.known_count), place});
}

// Row (h, n), W blocks of K, to W blocks of H K in row n.
Variable SequenceToSequence::by_blocks(const Variable& rows, std::int64_t samples) const {
  const std::int64_t H = options_.steps, W = options_.blocks, width = rows.shape().back();
  if (width % W != 0) {
    fail(Code::kUsage, "{}: the decoder gives rows of {}, expected a multiple of {} blocks", kName, width, W);
  }
  auto* index = rows.tape().arena().allocate<std::int64_t>(samples * W * H);
  auto* next = index;
  for (std::int64_t n = 0; n < samples; ++n) {
    for (std::int64_t w = 0; w < W; ++w) {
      for (std::int64_t h = 0; h < H; ++h) *next++ = (h * samples + n) * W + w;
    }
  }
  const Variable pieces = reshape(rows, {H * samples * W, width / W});
  return reshape(select_rows(pieces, std::span<const std::int64_t>(index, next)), {samples, H * width});
}

void SequenceToSequence::run(detail::Flow& flow, Module& encoder) {
  if (flow.has_initial() || flow.final) {
    fail(Code::kUsage, "{}: every sequence starts anew; leave the states out", kName);
  }
  if (flow.memory) fail(Code::kUsage, "{}: looks at what its own encoder gives; leave the memory out", kName);
  if (flow.bptt > 0) {
    fail(Code::kUsage, "{}: back-propagation goes through the whole sequence, not {} steps", kName, flow.bptt);
  }
  const Variable x = flow.rows(kName);
  const SequenceLayout& window = *flow.layout;
  const std::int64_t T = window.time_steps(), N = window.samples(), H = options_.steps, known = options_.known_count;
  const std::int64_t least = known > 0 ? H : 1;
  if (!flow.is_sequence || !window.uniform() || T < least) {
    fail(Code::kUsage, "{}: expected sequences of one length, at least {} time steps, got up to {}", kName, least, T);
  }
  if (options_.first_known + known > x.shape().back()) {
    fail(Code::kUsage, "{}: the known columns are {} to {}, the input has {}", kName, options_.first_known,
         options_.first_known + known - 1, x.shape().back());
  }
  encoder.forward(flow);
  const Variable memory = flow.rows(kName);
  if (!flow.is_sequence || flow.layout != &window) {
    fail(Code::kUsage, "{}: the encoder does not give a row for every step", kName);
  }
  bridge().forward(flow);
  const std::vector<Variable> initial = split_states(flow.rows(kName), decoder());
  SequenceLayout& steps = window.another();
  steps.assign(H, N, {});
  flow.layout = &steps;
  flow.x = decoder_inputs(x, T, N);
  flow.is_sequence = true;
  flow.initial_variables = initial;
  flow.states_used = 0;
  flow.memory = reshape(memory, {T, N, memory.shape().back()});
  decoder().forward(flow);
  if (!flow.is_sequence) fail(Code::kUsage, "{}: the decoder does not give a row for every step", kName);
  flow.x = by_blocks(flow.rows(kName), N);
  flow.layout = &window;
  flow.is_sequence = false;
  flow.initial_variables = {};
  flow.memory = {};
  flow.memory_used = false;
  flow.last = {};
}

std::vector<Variable> split_states(const Variable& states, const Sequential& network) {
  std::vector<Variable> list;
  std::int64_t first = 0;
  const State zero = network.zero_state(1);
  for (const Tensor& state : zero.values) first += state.elements();
  if (states.shape().back() != first) {
    fail(Code::kUsage, "the initial states of a network are {} numbers, got {}", first, states.shape().back());
  }
  first = 0;
  for (const Tensor& state : zero.values) {
    list.push_back(select_columns(states, first, state.elements()));
    first += state.elements();
  }
  return list;
}

}  // namespace carousel
