#include "tasks/samples.h"

#include <algorithm>

#include "base/fail.h"

namespace carousel {

std::int64_t Samples::length(std::int64_t sample) const {
  const auto n = static_cast<std::size_t>(sample);
  return tokens() ? std::ssize(ids[n]) : sequences[n].values.shape()[0];
}

std::vector<std::int32_t> Samples::lengths(std::span<const std::int64_t> samples) const {
  std::vector<std::int32_t> list;
  list.reserve(samples.size());
  for (const std::int64_t sample : samples) list.push_back(static_cast<std::int32_t>(length(sample)));
  return list;
}

std::int64_t Samples::common_length() const {
  const std::int64_t first = length(0);
  for (std::int64_t n = 0; n < size(); ++n) {
    if (length(n) == first && first > 0) continue;
    fail(Code::kUsage, "--cell none needs samples of one length: sample 0 has {} steps, sample {} has {}", first, n,
         length(n));
  }
  return first;
}

void SampleBatch::assign(const Samples& samples, std::span<const std::int64_t> indices) {
  tokens = samples.tokens();
  if (tokens) {
    ids = pad_ids(samples.ids, indices);
  } else {
    sequences = pad_sequences(samples.sequences, indices);
  }
}

detail::PassInput SampleBatch::pass_input() const {
  detail::PassInput input;
  if (tokens) {
    input.ids = &ids.ids;
    input.lengths = ids.lengths;
  } else {
    input.values = &sequences.values;
    input.lengths = sequences.lengths;
  }
  return input;
}

Tensor predict_samples(Module& network, const Samples& samples, std::span<const std::int64_t> indices) {
  const std::vector<std::int32_t> lengths = samples.lengths(indices);
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  SampleBatch batch;
  Tensor all;
  for (std::vector<std::int64_t>& places :
       batches_by_length(lengths, {.batch_size = kInferenceBatch, .shuffle = false})) {
    std::vector<std::int64_t> chosen(places);
    for (std::int64_t& place : chosen) place = indices[static_cast<std::size_t>(place)];
    batch.assign(samples, chosen);
    tape.reset();
    const Variable output = detail::run_pass(network, tape, layout, batch.pass_input(), false, {});
    const std::int64_t width = output.shape().back();
    if (all.elements() == 0) all = Tensor({std::ssize(indices), width});
    for (std::size_t k = 0; k < places.size(); ++k) {
      std::copy_n(output.value().data + static_cast<std::int64_t>(k) * width, width, all.data() + places[k] * width);
    }
  }
  return all;
}

}  // namespace carousel
