#include "tasks/translate/translate_decode.h"

#include <algorithm>
#include <cmath>

#include "kernels/softmax.h"
#include "tasks/samples.h"

namespace carousel {
namespace {

// The probabilities that several models give, one after another, as log of their mean. One model: its log-softmax.
class MeanProbability {
 public:
  explicit MeanProbability(std::size_t models) : models_(models) {}

  void start(std::int64_t elements) { values_.assign(static_cast<std::size_t>(elements), 0.0f); }

  void add(std::int64_t rows, std::int64_t classes, const float* logits) {
    if (models_ == 1) {
      kernels::log_softmax<float>(rows, classes, logits, values_.data());
      return;
    }
    one_.resize(values_.size());
    kernels::softmax<float>(rows, classes, logits, one_.data());
    for (std::size_t k = 0; k < values_.size(); ++k) values_[k] += one_[k];
  }

  std::span<const float> finish() {
    for (float& value : values_) {
      if (models_ > 1) value = std::log(value / static_cast<float>(models_));
    }
    return values_;
  }

 private:
  std::size_t models_;
  std::vector<float> values_, one_;
};

// Where the part of each sample begins in rows that stand one sample after another.
std::vector<std::int64_t> starts_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> starts{0};
  for (const std::int64_t length : lengths) starts.push_back(starts.back() + length);
  return starts;
}

// The rows of these samples, `lengths` being those of all, one after another.
Tensor picked_parts(const Tensor& rows, const std::vector<std::int64_t>& lengths,
                    const std::vector<std::int64_t>& samples) {
  if (rows.elements() == 0) return {};
  const std::vector<std::int64_t> starts = starts_of(lengths);
  std::int64_t count = 0;
  for (const std::int64_t sample : samples) count += lengths[static_cast<std::size_t>(sample)];
  const bool flat = rows.shape().rank() == 1;
  const std::int64_t width = flat ? 1 : rows.shape()[1];
  Tensor parts(flat ? Shape{count} : Shape{count, width});
  float* next = parts.data();
  for (const std::int64_t sample : samples) {
    const auto n = static_cast<std::size_t>(sample);
    next = std::copy_n(rows.data() + starts[n] * width, lengths[n] * width, next);
  }
  return parts;
}

// A model with the sources of one batch encoded, stepped along many prefixes.
class Stepper {
 public:
  Stepper(const Translator& model, const PaddedIds& sources) : model_(model) {
    tape_.set_recording(false);
    detail::Layouts layouts;
    const Translator::Encoded encoded = model.encode(tape_, layouts, sources, false, {});
    sources_ = model.attention().make_cache(Tensor(encoded.memory.value()), sources.lengths);
    for (const Variable& state : encoded.initial) {
      state_.values.push_back(Tensor(state.value()).reshaped({1, state.shape()[0], state.shape()[1]}));
    }
  }

  // Logits [rows, V], valid until the next call.
  const float* step(const SearchRows& rows, bool first) {
    const auto& parents = first ? rows.samples : rows.parents;
    const std::int64_t R = std::ssize(parents);
    State initial;
    for (const Tensor& value : state_.values) initial.values.push_back(picked_columns(value, parents));
    look_from(rows.samples, parents, first);
    const IdTensor ids({1, R}, rows.tokens);
    detail::PassInput input;
    input.ids = &ids;
    input.initial = &initial;
    input.final = &state_;
    input.cache = &rows_;
    input.packed = true;
    tape_.reset();
    return detail::run_pass(model_.decoder(), tape_, layout_, input, false, {}).value().data;
  }

 private:
  // [1, N, width] -> [1, index.size(), width]
  static Tensor picked_columns(const Tensor& from, const std::vector<std::int64_t>& index) {
    const std::int64_t width = from.shape()[2];
    Tensor to({1, std::ssize(index), width});
    float* next = to.data();
    for (const std::int64_t n : index) next = std::copy_n(from.data() + n * width, width, next);
    return to;
  }

  // Makes rows_ what the rows of these samples look at. They have the coverage of their parents.
  void look_from(const std::vector<std::int64_t>& samples, const std::vector<std::int64_t>& parents, bool first) {
    rows_.coverage = first ? picked_parts(sources_.coverage, sources_.lengths, samples)
                           : picked_parts(rows_.coverage, rows_.lengths, parents);
    if (samples == samples_) return;
    samples_ = samples;
    rows_.states = picked_parts(sources_.states, sources_.lengths, samples);
    rows_.keys = picked_parts(sources_.keys, sources_.lengths, samples);
    rows_.lengths.clear();
    for (const std::int64_t sample : samples)
      rows_.lengths.push_back(sources_.lengths[static_cast<std::size_t>(sample)]);
  }

  const Translator& model_;
  Tape<float> tape_;
  SequenceLayout layout_;
  detail::AttentionCache sources_, rows_;  // of the samples; of the rows of the last step
  State state_;                            // of the rows of the last step; at first of the samples
  std::vector<std::int64_t> samples_;      // that rows_ is for
};

class TranslatorTokens final : public NextTokens {
 public:
  TranslatorTokens(std::span<const Translator> models, const PaddedIds& sources)
      : size_(models.front().target_size()), mean_(models.size()) {
    for (const Translator& model : models) steppers_.push_back(std::make_unique<Stepper>(model, sources));
  }

  std::int64_t vocabulary_size() const override { return size_; }

  std::span<const float> step(const SearchRows& rows) override {
    const std::int64_t R = std::ssize(rows.tokens);
    mean_.start(R * size_);
    for (const auto& stepper : steppers_) mean_.add(R, size_, stepper->step(rows, first_));
    first_ = false;
    return mean_.finish();
  }

 private:
  std::int64_t size_;
  MeanProbability mean_;
  std::vector<std::unique_ptr<Stepper>> steppers_;
  bool first_ = true;
};

std::vector<std::int32_t> lengths_of(std::span<const TokenIds> texts) {
  std::vector<std::int32_t> lengths;
  for (const TokenIds& text : texts) lengths.push_back(static_cast<std::int32_t>(text.size()));
  return lengths;
}

// Calls body(indices) with batches of at most `size` sources of similar length.
template <class Body>
void for_batches(std::span<const TokenIds> sources, std::int64_t size, Body body) {
  for (const auto& batch : batches_by_length(lengths_of(sources), {.batch_size = size, .shuffle = false})) body(batch);
}

}  // namespace

std::vector<std::vector<SearchResult>> translate(std::span<const Translator> models, const TranslateInfo& info,
                                                 std::span<const TokenIds> sources, const SearchOptions& options) {
  std::vector<std::vector<SearchResult>> results(sources.size());
  for_batches(sources, std::max<std::int64_t>(kRowsPerStep / options.beam, 1), [&](const auto& batch) {
    const PaddedIds padded = pad_ids(sources, batch);
    std::vector<std::int64_t> limits;
    for (const std::int32_t length : padded.lengths) limits.push_back(info.output_limit(length));
    TranslatorTokens tokens(models, padded);
    auto found = beam_search(tokens, limits, options);
    for (std::size_t n = 0; n < batch.size(); ++n) results[static_cast<std::size_t>(batch[n])] = std::move(found[n]);
  });
  return results;
}

std::vector<Forced> force(std::span<const Translator> models, std::span<const TokenIds> sources,
                          std::span<const TokenIds> targets, bool alignments) {
  std::vector<Forced> results(sources.size());
  Tape<float> tape;
  tape.set_recording(false);
  detail::Layouts layouts;
  MeanProbability mean(models.size());
  const std::int64_t V = models.front().target_size();
  for_batches(sources, kInferenceBatch, [&](const auto& batch) {
    const PaddedIds source = pad_ids(sources, batch), target = pad_ids(targets, batch);
    const PaddedIds inputs = decoder_inputs(target);
    const SequenceLayout layout(inputs.ids.shape()[0], inputs.lengths);
    Tensor attended;  // the sum over the models, [T, N, S]
    mean.start(layout.rows() * V);
    for (const Translator& model : models) {
      tape.reset();
      const Translator::Encoded encoded = model.encode(tape, layouts, source, false, {});
      std::vector<Tensor> seen;
      const Variable logits =
          model.decode(tape, layouts, {inputs, encoded, source.lengths, alignments ? &seen : nullptr}, false, {});
      mean.add(layout.rows(), V, logits.value().data);
      if (!alignments) continue;
      if (attended.elements() == 0) attended = Tensor(seen.front().shape());
      for (std::int64_t k = 0; k < attended.elements(); ++k) attended[k] += seen.front()[k];
    }
    const std::span<const float> log_p = mean.finish();
    const TokenIds labels = packed_targets(target, layout);
    for (std::int64_t row = 0; row < layout.rows(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      const auto sample = static_cast<std::size_t>(layout.row_samples()[at]);
      Forced& forced = results[static_cast<std::size_t>(batch[sample])];
      const float* p = log_p.data() + row * V;
      forced.log_p.push_back(p[labels[at]]);
      forced.right += std::max_element(p, p + V) - p == labels[at] ? 1 : 0;
    }
    for (std::size_t n = 0; alignments && n < batch.size(); ++n) {
      const std::int64_t T = target.lengths[n], S = source.lengths[n], N = std::ssize(batch), all = attended.shape()[2];
      Tensor& one = results[static_cast<std::size_t>(batch[n])].alignment = Tensor({T, S});
      for (std::int64_t t = 0; t < T; ++t) {
        for (std::int64_t s = 0; s < S; ++s) {
          one[t * S + s] =
              attended[(t * N + static_cast<std::int64_t>(n)) * all + s] / static_cast<float>(models.size());
        }
      }
    }
  });
  return results;
}

}  // namespace carousel
