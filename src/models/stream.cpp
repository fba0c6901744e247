#include "carousel/stream.h"

#include "base/denormals.h"
#include "base/fail.h"
#include "models/stream_program.h"

namespace carousel {

struct Stream::Program {
  std::unique_ptr<detail::StreamOp> op;  // of one slot
  Tensor table;                          // of the embedding; empty: none
  std::vector<float> output;
  std::vector<std::byte, AlignedAllocator<std::byte>> workspace;
};

Stream::Stream(const Model& model, const StreamOptions& options) : Stream(model.network(), options) {}

Stream::Stream(Sequential& network, const StreamOptions& options) : program_(std::make_unique<Program>()) {
  const Embedding* embedding = detail::first_embedding(network);
  program_->op = detail::compile_sequential(
      network, {.format = parse_weight_format(options.dtype), .capacity = 1, .embedding = embedding});
  if (embedding) program_->table = embedding->weight.value;
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
  if (table.elements() == 0) fail(Code::kUsage, "the network takes numbers, got a token id");
  if (token < 0 || token >= table.shape()[0]) {
    fail(Code::kUsage, "token id {} is out of range, expected 0 to {}", token, table.shape()[0] - 1);
  }
  return step({table.data() + token * input_size(), static_cast<std::size_t>(input_size())});
}

std::int64_t Stream::input_size() const noexcept { return program_->op->input_size; }
std::int64_t Stream::output_size() const noexcept { return program_->op->output_size; }
void Stream::reset() noexcept { program_->op->reset(0); }
State Stream::state() const { return detail::state_of(*program_->op, 0); }
void Stream::set_state(const State& state) { detail::set_state(*program_->op, 0, state); }

}  // namespace carousel
