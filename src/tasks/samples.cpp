#include "tasks/samples.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/fail.h"
#include "data/text/vocabulary.h"
#include "formats/npy.h"

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

std::vector<Sequence> read_npy_sequences(const std::string& path, bool batch_first) {
  Tensor values = read_npy<float>(path, NpyConversion::kRound);
  if (values.shape().rank() != 3 || values.elements() == 0) {
    fail(Code::kData, "{}: has shape {}, expected {}", path, values.shape().to_string(),
         batch_first ? "[N, T, C]" : "[T, N, C]");
  }
  if (!batch_first) values = transpose_time_and_batch(static_cast<const Tensor&>(values).view());
  const std::int64_t N = values.shape()[0], C = values.shape()[2];
  std::vector<Sequence> list;
  for (std::int64_t n = 0; n < N; ++n) {
    const float* sample = values.data() + n * values.shape()[1] * C;
    std::int64_t elements = values.shape()[1] * C;
    while (elements > 0 && std::isnan(sample[elements - 1])) --elements;
    if (elements == 0) fail(Code::kData, "{}: sample {} has no value", path, n);
    const std::int64_t T = (elements + C - 1) / C;
    list.push_back({Tensor({T, C}, {sample, sample + T * C}), "", n + 1});
  }
  return list;
}

void SampleBatch::assign(const Samples& samples, std::span<const std::int64_t> indices) {
  tokens = samples.tokens();
  unseen = &samples.unseen;
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
    input.unseen = unseen;
    input.lengths = ids.lengths;
  } else {
    input.values = &sequences.values;
    input.lengths = sequences.lengths;
  }
  return input;
}

namespace {

// Of a text with marks between its sentences; one without is one sentence.
void add_sentences(const std::vector<std::int32_t>& ids, PassSizes& sizes) {
  std::int64_t sentences = 0;
  for (auto begin = ids.begin(); begin < ids.end();) {
    const auto end = std::find(begin, ids.end(), Vocabulary::kEnd);
    ++sentences;
    sizes.sentence_steps = std::max<std::int64_t>(sizes.sentence_steps, end - begin);
    begin = end == ids.end() ? end : end + 1;
  }
  sizes.sentences += sentences;
  sizes.document_sentences = std::max(sizes.document_sentences, sentences);
}

}  // namespace

PassSizes largest_batch(const Samples& samples, std::span<const std::int64_t> indices, std::int64_t batch_size) {
  std::vector<std::int64_t> longest(indices.begin(), indices.end());
  std::stable_sort(longest.begin(), longest.end(),
                   [&](std::int64_t a, std::int64_t b) { return samples.length(a) > samples.length(b); });
  longest.resize(std::min(longest.size(), static_cast<std::size_t>(batch_size)));
  PassSizes sizes{.time_steps = longest.empty() ? 1 : std::max<std::int64_t>(samples.length(longest[0]), 1),
                  .samples = std::ssize(longest),
                  .rows = 0,
                  .features = samples.features};
  std::unordered_set<std::int32_t> tokens;
  for (const std::int64_t sample : longest) {
    sizes.rows += samples.length(sample);
    if (!samples.tokens()) continue;
    const auto& ids = samples.ids[static_cast<std::size_t>(sample)];
    tokens.insert(ids.begin(), ids.end());
    add_sentences(ids, sizes);
  }
  sizes.distinct_tokens = std::ssize(tokens);
  return sizes;
}

std::int64_t data_bytes(const Samples& samples) {
  std::int64_t values = 0;
  for (std::int64_t n = 0; n < samples.size(); ++n) {
    values += samples.length(n) * std::max<std::int64_t>(samples.features, 1);
  }
  return 4 * values;
}

namespace {

// kInferenceBatch samples, fewer where they are very long.
std::int64_t prediction_batch_size(std::span<const std::int32_t> lengths) {
  constexpr std::int64_t kRows = 1 << 20;
  const std::int64_t longest = lengths.empty() ? 1 : *std::max_element(lengths.begin(), lengths.end());
  return std::clamp<std::int64_t>(kRows / std::max<std::int64_t>(longest, 1), 1, kInferenceBatch);
}

}  // namespace

PassSizes largest_prediction(const Samples& samples, std::span<const std::int64_t> indices) {
  return largest_batch(samples, indices, prediction_batch_size(samples.lengths(indices)));
}

Tensor predict_samples(Module& network, const Samples& samples, std::span<const std::int64_t> indices) {
  const std::vector<std::int32_t> lengths = samples.lengths(indices);
  const std::int64_t batch_size = prediction_batch_size(lengths);
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  SampleBatch batch;
  std::vector<std::int64_t> first_rows(1, 0);  // of each of `indices`, if the output has a row for every step
  for (const std::int32_t length : lengths) first_rows.push_back(first_rows.back() + length);
  Tensor all;
  for (std::vector<std::int64_t>& places : batches_by_length(lengths, {.batch_size = batch_size, .shuffle = false})) {
    std::vector<std::int64_t> chosen(places);
    for (std::int64_t& place : chosen) place = indices[static_cast<std::size_t>(place)];
    batch.assign(samples, chosen);
    tape.reset();
    const Variable output = detail::run_pass(network, tape, layout, batch.pass_input(), false, {});
    const bool per_step = output.shape().rank() == 3;
    const std::int64_t width = output.shape().back(), N = std::ssize(places);
    if (all.elements() == 0) all = Tensor({per_step ? first_rows.back() : std::ssize(indices), width});
    for (std::int64_t n = 0; n < N; ++n) {
      const auto place = static_cast<std::size_t>(places[static_cast<std::size_t>(n)]);
      const std::int64_t first = per_step ? first_rows[place] : places[static_cast<std::size_t>(n)];
      for (std::int64_t t = 0; t < (per_step ? lengths[place] : 1); ++t) {
        std::copy_n(output.value().data + (t * N + n) * width, width, all.data() + (first + t) * width);
      }
    }
  }
  return all;
}

}  // namespace carousel
