#include "carousel/stream.h"

#include <numeric>

#include "base/denormals.h"
#include "base/fail.h"
#include "layers/module.h"
#include "layers/tokens/token_inputs.h"
#include "models/stream_program.h"

namespace carousel {
namespace {

// What the layer makes of each token, [V, E].
Tensor token_table(Module& token_input, std::int64_t tokens) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens));
  std::iota(ids.begin(), ids.end(), 0);
  Tape<float> tape;
  tape.set_recording(false);
  detail::Flow flow;
  flow.tape = &tape;
  flow.ids = ids;
  token_input.forward(flow);
  return Tensor(flow.x.value());
}

}  // namespace

struct Stream::Program {
  std::unique_ptr<detail::StreamOp> op;  // of one slot
  Tensor table;                          // of what takes token ids; empty: nothing does, or 1 of N
  std::vector<float> one_hot;            // x of 1 of N, zeros between steps
  std::vector<float> output;
  std::vector<std::byte, AlignedAllocator<std::byte>> workspace;
};

Stream::Stream(const Model& model, const StreamOptions& options) : Stream(model.network(), options) {}

Stream::Stream(Sequential& network, const StreamOptions& options) : program_(std::make_unique<Program>()) {
  detail::StreamPlan plan{.format = parse_weight_format(options.dtype), .capacity = 1};
  if (Module* token_input = detail::first_token_input(network)) {
    plan.token_input = token_input;
    plan.token_size = std::get<std::int64_t>(token_input->describe().settings.at("vocabulary_size"));
    if (!dynamic_cast<OneHot*>(token_input)) {
      program_->table = token_table(*token_input, plan.token_size);
      plan.token_size = program_->table.shape()[1];
    }
  }
  program_->op = detail::compile_sequential(network, plan);
  if (plan.token_input && program_->table.elements() == 0) {
    program_->one_hot.resize(static_cast<std::size_t>(plan.token_size));
  }
  program_->output.resize(static_cast<std::size_t>(program_->op->output_size));
  program_->workspace.resize(static_cast<std::size_t>(program_->op->workspace_bytes()));
}

Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

std::span<const float> Stream::step(std::span<const float> x) {
  if (std::ssize(x) != input_size())
    fail(Code::kUsage, "x has {} numbers, expected input_size {}", x.size(), input_size());
  constexpr std::int32_t kSlots[] = {0};
  const FlushDenormals flush;
  program_->op->run(kSlots, x.data(), program_->output.data(), program_->workspace.data());
  return program_->output;
}

std::span<const float> Stream::step(std::int32_t token) {
  const Tensor& table = program_->table;
  std::vector<float>& one_hot = program_->one_hot;
  const std::int64_t tokens = one_hot.empty() ? table.shape()[0] : std::ssize(one_hot);
  if (tokens == 0) fail(Code::kUsage, "the network takes numbers, got a token id");
  if (token < 0 || token >= tokens) {
    fail(Code::kUsage, "token id {} is out of range, expected 0 to {}", token, tokens - 1);
  }
  if (!one_hot.empty()) {
    one_hot[static_cast<std::size_t>(token)] = 1;
    const std::span<const float> output = step(one_hot);
    one_hot[static_cast<std::size_t>(token)] = 0;
    return output;
  }
  return step({table.data() + token * input_size(), static_cast<std::size_t>(input_size())});
}

std::int64_t Stream::input_size() const noexcept { return program_->op->input_size; }
std::int64_t Stream::output_size() const noexcept { return program_->op->output_size; }
void Stream::reset() noexcept { program_->op->reset(0); }
State Stream::state() const { return detail::state_of(*program_->op, 0); }
void Stream::set_state(const State& state) { detail::set_state(*program_->op, 0, state); }

}  // namespace carousel
