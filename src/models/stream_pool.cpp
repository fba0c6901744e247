#include "carousel/stream_pool.h"

#include <algorithm>

#include "base/denormals.h"
#include "base/fail.h"
#include "base/thread_pool.h"
#include "models/stream_program.h"

namespace carousel {
namespace {

constexpr std::int64_t kMostStreams = 1'000'000;

// What a slot is doing. An id is its generation, above the number of the slot.
struct Slot {
  std::uint32_t generation = 1;
  bool open = false, fed = false, has_output = false;
};

std::int64_t checked_capacity(std::int64_t capacity) {
  if (capacity < 1 || capacity > kMostStreams)
    fail(Code::kUsage, "capacity: got {}, expected 1 to {}", capacity, kMostStreams);
  return capacity;
}

// A pool is fed numbers alone.
Sequential& without_ids(Sequential& network) {
  if (detail::first_token_input(network)) {
    fail(Code::kUsage, "a StreamPool takes no token ids, as this network does; use a Stream for each sequence");
  }
  return network;
}

}  // namespace

struct StreamPool::Program {
  Program(Sequential& network, const StreamPoolOptions& options)
      : capacity(checked_capacity(options.capacity)),
        parallel(options.parallel),
        op(detail::compile_sequential(without_ids(network), {.format = parse_weight_format(options.dtype),
                                                             .capacity = static_cast<int>(capacity)})),
        slots(static_cast<std::size_t>(capacity)),
        inputs(static_cast<std::size_t>(capacity * op->input_size)),
        outputs(static_cast<std::size_t>(capacity * op->output_size)) {
    const std::int64_t rows = std::min<std::int64_t>(capacity, kStreamRows), line = kAlignment / sizeof(float);
    gathered_bytes = (rows * op->input_size + line - 1) / line * kAlignment;
    given_bytes = (rows * op->output_size + line - 1) / line * kAlignment;
    workspace_bytes = gathered_bytes + given_bytes + op->workspace_bytes();
    workspaces.resize(static_cast<std::size_t>(blocks_of(capacity) * workspace_bytes));
    fed.reserve(slots.size());
    free.reserve(slots.size());
    for (std::int64_t slot = capacity; slot-- > 0;) free.push_back(static_cast<std::int32_t>(slot));
  }

  static std::int64_t blocks_of(std::int64_t rows) { return (rows + kStreamRows - 1) / kStreamRows; }

  std::int32_t slot_of(Id id) const {
    const std::uint64_t slot = id & 0xffffffffU;
    if (slot < slots.size() && slots[slot].open && slots[slot].generation == id >> 32)
      return static_cast<std::int32_t>(slot);
    fail(Code::kUsage, "stream {}: no open stream of this pool has this id; it was closed, or never opened", id);
  }
  Slot& at(std::int32_t slot) { return slots[static_cast<std::size_t>(slot)]; }

  void drop_input(std::int32_t slot) {
    if (std::exchange(at(slot).fed, false)) fed.erase(std::find(fed.begin(), fed.end(), slot));
  }

  // Block `index` of `count`: its rows gathered, advanced, and their outputs put where output() finds them.
  void run_block(std::int64_t index, std::int64_t count) noexcept {
    const auto total = std::ssize(fed), first = total * index / count;
    const detail::StreamSlots rows(fed.data() + first, static_cast<std::size_t>(total * (index + 1) / count - first));
    std::byte* workspace = workspaces.data() + index * workspace_bytes;
    auto* gathered = reinterpret_cast<float*>(workspace);
    auto* given = reinterpret_cast<float*>(workspace + gathered_bytes);
    float* next = gathered;
    for (const std::int32_t slot : rows) next = std::copy_n(input(slot), op->input_size, next);
    const FlushDenormals flush;
    op->run(rows, gathered, given, workspace + gathered_bytes + given_bytes);
    for (const std::int32_t slot : rows) {
      std::copy_n(given, op->output_size, output(slot));
      given += op->output_size;
    }
  }

  float* input(std::int32_t slot) noexcept { return inputs.data() + slot * op->input_size; }
  float* output(std::int32_t slot) noexcept { return outputs.data() + slot * op->output_size; }

  std::int64_t capacity;
  bool parallel;
  std::unique_ptr<detail::StreamOp> op;
  std::vector<Slot> slots;
  std::vector<std::int32_t> free, fed;                        // slots; those fed in the order in which they were
  detail::StreamBuffer inputs, outputs;                       // [capacity, input_size], [capacity, output_size]
  std::int64_t gathered_bytes, given_bytes, workspace_bytes;  // parts of a block's workspace, and all of it
  std::vector<std::byte, AlignedAllocator<std::byte>> workspaces;
};

StreamPool::StreamPool(const Model& model, const StreamPoolOptions& options) : StreamPool(model.network(), options) {}
StreamPool::StreamPool(Sequential& network, const StreamPoolOptions& options)
    : program_(std::make_unique<Program>(network, options)) {}
StreamPool::~StreamPool() = default;
StreamPool::StreamPool(StreamPool&&) noexcept = default;
StreamPool& StreamPool::operator=(StreamPool&&) noexcept = default;

StreamPool::Id StreamPool::open() {
  Program& p = *program_;
  if (p.free.empty()) fail(Code::kUsage, "the pool is full: all {} streams are open; close one first", p.capacity);
  const std::int32_t slot = p.free.back();
  p.free.pop_back();
  p.at(slot).open = true;
  p.op->reset(slot);
  return Id{p.at(slot).generation} << 32 | static_cast<std::uint32_t>(slot);
}

void StreamPool::close(Id id) {
  const std::int32_t slot = program_->slot_of(id);
  program_->drop_input(slot);
  program_->at(slot) = {.generation = program_->at(slot).generation + 1};
  program_->free.push_back(slot);
}

void StreamPool::reset(Id id) {
  const std::int32_t slot = program_->slot_of(id);
  program_->drop_input(slot);
  program_->at(slot).has_output = false;
  program_->op->reset(slot);
}

void StreamPool::feed(Id id, std::span<const float> x) {
  const std::int32_t slot = program_->slot_of(id);
  if (std::ssize(x) != input_size())
    fail(Code::kUsage, "x has {} numbers, expected input_size {}", x.size(), input_size());
  if (std::exchange(program_->at(slot).fed, true))
    fail(Code::kUsage, "stream {}: an input waits already; call step() before the next", id);
  std::copy_n(x.data(), input_size(), program_->input(slot));
  program_->fed.push_back(slot);
}

std::int64_t StreamPool::step() {
  Program& p = *program_;
  const std::int64_t count = std::ssize(p.fed), blocks = Program::blocks_of(count);
  const auto run = [&](std::int64_t index) { p.run_block(index, blocks); };
  if (p.parallel && blocks > 1) {
    parallel_for(blocks, run);
  } else {
    for (std::int64_t index = 0; index < blocks; ++index) run(index);
  }
  for (const std::int32_t slot : p.fed) {
    p.at(slot).fed = false;
    p.at(slot).has_output = true;
  }
  p.fed.clear();
  return count;
}

std::span<const float> StreamPool::output(Id id) const {
  const std::int32_t slot = program_->slot_of(id);
  if (!program_->at(slot).has_output) fail(Code::kUsage, "stream {} has no output yet: feed it, then call step()", id);
  return {program_->output(slot), static_cast<std::size_t>(output_size())};
}

State StreamPool::state(Id id) const { return detail::state_of(*program_->op, program_->slot_of(id)); }
void StreamPool::set_state(Id id, const State& state) {
  detail::set_state(*program_->op, program_->slot_of(id), state);
}

std::int64_t StreamPool::input_size() const noexcept { return program_->op->input_size; }
std::int64_t StreamPool::output_size() const noexcept { return program_->op->output_size; }
std::int64_t StreamPool::capacity() const noexcept { return program_->capacity; }
std::int64_t StreamPool::size() const noexcept { return program_->capacity - std::ssize(program_->free); }

}  // namespace carousel
