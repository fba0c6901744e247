#include "carousel/stream.h"

#include "base/denormals.h"
#include "base/fail.h"
#include "models/stream_program.h"

namespace carousel {

struct Stream::Program {
  std::unique_ptr<detail::StreamOp> op;
  std::vector<float> output;
};

Stream::Stream(const Model& model, const StreamOptions& options) : Stream(model.network(), options) {}

Stream::Stream(Sequential& network, const StreamOptions& options) : program_(std::make_unique<Program>()) {
  program_->op = detail::compile_sequential(network, parse_weight_format(options.dtype));
  program_->output.resize(static_cast<std::size_t>(program_->op->output_size));
}

Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

std::span<const float> Stream::step(std::span<const float> x) {
  if (std::ssize(x) != input_size())
    fail(Code::kUsage, "x has {} numbers, expected input_size {}", x.size(), input_size());
  const FlushDenormals flush;
  program_->op->run(x.data(), program_->output.data());
  return program_->output;
}

std::int64_t Stream::input_size() const noexcept { return program_->op->input_size; }
std::int64_t Stream::output_size() const noexcept { return program_->op->output_size; }
void Stream::reset() noexcept { program_->op->reset(); }

State Stream::state() const {
  State state;
  program_->op->save(state.values);
  return state;
}

void Stream::set_state(const State& state) {
  std::size_t next = 0;
  program_->op->check(state.values, next);
  if (next != state.values.size())
    fail(Code::kUsage, "the state has {} tensors, the network needs {}", state.values.size(), next);
  next = 0;
  program_->op->load(state.values, next);
}

}  // namespace carousel
