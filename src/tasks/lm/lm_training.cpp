#include "tasks/lm/lm_training.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/fail.h"
#include "carousel/optim.h"
#include "tasks/gate_probe.h"
#include "tasks/training_run.h"
#include "train/weights.h"

namespace carousel {
namespace {

constexpr std::int64_t kScoreRows = 256;  // tokens scored at once

}  // namespace

StreamBatches::StreamBatches(std::span<const std::int32_t> ids, std::int32_t start, std::int64_t streams,
                             std::int64_t chunk_steps)
    : ids_(ids), start_(start), streams_(streams), chunk_steps_(chunk_steps) {
  if (streams > std::ssize(ids)) {
    fail(Code::kUsage, "the text has {} tokens, batch_size {} needs at least as many: choose a smaller --batch-size",
         ids.size(), streams);
  }
}

std::int64_t StreamBatches::longest() const noexcept { return (std::ssize(ids_) + streams_ - 1) / streams_; }

void StreamBatches::assign(std::int64_t chunk) {
  const std::int64_t begin = chunk * chunk_steps_, steps = std::min(chunk_steps_, longest() - begin);
  const std::int64_t count = std::ssize(ids_), length = count / streams_, longer = count % streams_;
  inputs_ = IdTensor({steps, streams_});
  lengths_.assign(static_cast<std::size_t>(streams_), static_cast<std::int32_t>(steps));
  labels_.clear();
  for (std::int64_t t = 0; t < steps; ++t) {
    for (std::int64_t n = 0; n < streams_; ++n) {
      if (begin + t >= length + (n < longer ? 1 : 0)) {
        lengths_[static_cast<std::size_t>(n)] = static_cast<std::int32_t>(t);
        continue;
      }
      const std::int64_t at = n * length + std::min(n, longer) + begin + t;
      inputs_[t * streams_ + n] = at == 0 ? start_ : ids_[static_cast<std::size_t>(at - 1)];
      labels_.push_back(ids_[static_cast<std::size_t>(at)]);
    }
  }
}

detail::PassInput StreamBatches::pass_input() const { return {.ids = &inputs_, .lengths = lengths_, .packed = true}; }

namespace {

// Chunk after chunk, the state carried; `after` is handed the mean loss of each.
template <class After>
StreamScore score_chunks(const LmNetwork& parts, StreamBatches& batches, Tape<float>& tape, After after) {
  StreamScore score;
  SequenceLayout layout;
  State states[2];
  for (std::int64_t chunk = 0; chunk < batches.chunks(); ++chunk) {
    batches.assign(chunk);
    tape.reset();
    detail::PassInput input = batches.pass_input();
    input.initial = chunk == 0 ? nullptr : &states[chunk % 2];
    input.final = &states[(chunk + 1) % 2];
    const Variable rows = detail::run_pass(parts.body(), tape, layout, input, false, {});
    const std::size_t done = score.losses.size(), count = batches.labels().size();
    score.losses.resize(done + count);
    after(parts.loss(rows, batches.labels(), std::span(score.losses).subspan(done)));
  }
  for (const double loss : score.losses) score.sum += loss;
  return score;
}

}  // namespace

StreamScore score_stream(Sequential& network, std::span<const std::int32_t> ids, std::int32_t start,
                         std::int64_t streams) {
  StreamBatches batches(ids, start, streams, std::max<std::int64_t>(1, kScoreRows / streams));
  Tape<float> tape;
  tape.set_recording(false);
  return score_chunks(LmNetwork(network), batches, tape, [](const Variable&) {});
}

StreamScore score_dynamically(Sequential& network, std::span<const std::int32_t> ids, std::int32_t start, double lr) {
  constexpr std::int64_t kSteps = 20;  // between two changes of the weights
  const WeightCopy before(network.parameters());
  Sgd sgd(network.parameters(), {.lr = lr});
  sgd.zero_gradients();
  StreamBatches batches(ids, start, 1, kSteps);
  Tape<float> tape;
  StreamScore score = score_chunks(LmNetwork(network), batches, tape, [&](const Variable& loss) {
    tape.backward(loss);
    sgd.step();
  });
  before.put_back();
  return score;
}

Metrics lm_metrics(double sum, const TokenStream& text, TextLevel level) {
  const double perplexity = std::exp(sum / static_cast<double>(text.ids.size()));
  const double bits = sum / std::numbers::ln2 / static_cast<double>(text.characters);
  if (level == TextLevel::kCharacter) return {{"bits_per_char", bits}, {"perplexity", perplexity}};
  return {{"perplexity", perplexity}, {"bits_per_char", bits}};
}

LmProblem::LmProblem(Sequential& network, const Data& data, const TrainOptions& options)
    : TaskProblem(network),
      parts_(network),
      data_(data),
      options_(options),
      batches_(data.train->ids, data.start, options.batch_size, 1) {
  const std::int64_t steps = options.bptt == 0 ? batches_.longest() : std::min(options.bptt, batches_.longest());
  batches_ = StreamBatches(data.train->ids, data.start, options.batch_size, steps);
}

void LmProblem::prepare(std::int64_t, std::int64_t batch) { batches_.assign(batch); }

void LmProblem::restart_streams(State& state) {
  constexpr float kShare = 0.01f;  // of the streams, before each chunk
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kShuffle, passes_};
  const std::int64_t streams = options_.batch_size;
  State fresh;  // of two texts; what the second leaves, which has no tokens
  for (std::int64_t n = 0; n < streams; ++n) {
    if (uniform(key, static_cast<std::uint64_t>(n)) >= kShare) continue;
    if (fresh.values.empty()) {
      const IdTensor tokens({1, 2});
      const std::int32_t lengths[] = {1, 0};
      Tape<float> tape;
      tape.set_recording(false);
      SequenceLayout layout;
      detail::run_pass(parts_.body(), tape, layout, {.ids = &tokens, .lengths = lengths, .final = &fresh}, false, {});
    }
    for (std::size_t k = 0; k < state.values.size(); ++k) {
      const Shape& shape = state.values[k].shape();
      for (std::int64_t entry = 0; entry < shape[0]; ++entry) {
        std::copy_n(fresh.values[k].data() + (entry * 2 + 1) * shape[2], shape[2],
                    state.values[k].data() + (entry * streams + n) * shape[2]);
      }
    }
  }
}

Variable LmProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t batch) {
  if (batch > 0) restart_streams(states_[batch % 2]);
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  detail::PassInput input = batches_.pass_input();
  input.initial = batch == 0 ? nullptr : &states_[batch % 2];
  input.final = &states_[(batch + 1) % 2];
  input.checkpoint_steps = checkpoint_steps;
  const Variable rows = detail::run_pass(parts_.body(), tape, layout_, input, true, key);
  if (!data_.sampled) return parts_.loss(rows, batches_.labels());
  return parts_.sampled_loss(rows, batches_.labels(), {key.seed, Purpose::kSample, key.step});
}

std::optional<Validation> LmProblem::validate() {
  const StreamScore score = score_stream(network_, data_.valid->ids, data_.start);
  const Metrics metrics = lm_metrics(score.sum, *data_.valid, data_.level);
  return Validation{score.sum / static_cast<double>(score.losses.size()), metrics[0].first, metrics[0].second, false};
}

std::vector<std::pair<std::string, double>> LmProblem::gate_saturation(Tape<float>& tape) {
  batches_.assign(0);
  return probe_gates(parts_.body(), tape, layout_, batches_.pass_input(), checkpoint_steps);
}

Carried LmProblem::carried(std::int64_t batch) const { return {passes_, states_[batch % 2].values}; }

void LmProblem::carry(std::int64_t batch, Carried carried) {
  passes_ = carried.passes;
  states_[batch % 2].values = std::move(carried.tensors);
}

MemoryNeeds LmProblem::memory_needs() {
  const LayerDescription input = parts_.body().modules().front().second->describe();
  const auto vocabulary_size = std::get<std::int64_t>(input.settings.at("vocabulary_size"));
  const auto sizes = [&](std::int64_t steps, std::int64_t samples) {
    const std::int64_t rows = steps * samples;
    return PassSizes{.time_steps = steps,
                     .samples = samples,
                     .rows = rows,
                     .distinct_tokens = std::min(rows, vocabulary_size),
                     .packed = true};
  };
  batches_.assign(0);
  const auto bytes = static_cast<std::int64_t>(sizeof(std::int32_t));
  MemoryNeeds needs{parts_.body().describe(), sizes(batches_.pass_input().ids->shape()[0], options_.batch_size),
                    sizes(kScoreRows, 1), bytes * std::ssize(data_.train->ids) + bytes * std::ssize(data_.valid->ids)};
  const std::int64_t rows = needs.training.rows;
  needs.above = {data_.sampled ? parts_.sampled_loss_memory(rows) : parts_.loss_memory(rows)};
  return needs;
}

}  // namespace carousel
