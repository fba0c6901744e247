// samples.h: the samples of a task in memory, as token ids or as sequences of numbers, and batches of them.
//
// Sample n is ids[n] (tokens) or sequences[n] ([T_n, C]); exactly one of the two is used.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carousel/layers.h"
#include "data/sequences.h"
#include "data/text/batching.h"
#include "layers/module.h"
#include "layers/tokens/token_inputs.h"
#include "layers/training_memory.h"

namespace carousel {

struct Samples {
  std::vector<std::vector<std::int32_t>> ids;
  std::vector<Sequence> sequences;
  std::int64_t features = 0;  // C of the sequences; 0: token ids
  WordPieces unseen;          // words beyond the vocabulary, as in PassInput

  bool tokens() const noexcept { return features == 0; }
  std::int64_t size() const noexcept { return std::ssize(ids) + std::ssize(sequences); }
  std::int64_t length(std::int64_t sample) const;
  std::vector<std::int32_t> lengths(std::span<const std::int64_t> samples) const;
  // The length that all samples share, for feed-forward networks. Throws Error{kUsage} with the first that differs.
  std::int64_t common_length() const;
};

// The samples of an .npy file, [T, N, C] or, with batch_first, [N, T, C]. Steps at its end of which no feature has a
// value (NaN) do not belong to a sample: so the array holds samples of different lengths. Throws Error{kData} for
// another shape and for a sample without any value.
std::vector<Sequence> read_npy_sequences(const std::string& path, bool batch_first);

// The padded form of some samples; owns it, but for the pieces of words.
struct SampleBatch {
  PaddedIds ids;
  PaddedSequences sequences;
  bool tokens = true;
  const WordPieces* unseen = nullptr;  // of the samples, borrowed

  void assign(const Samples& samples, std::span<const std::int64_t> indices);
  detail::PassInput pass_input() const;
};

// The batch of at most `batch_size` of these samples with the most steps.
PassSizes largest_batch(const Samples& samples, std::span<const std::int64_t> indices, std::int64_t batch_size);
std::int64_t data_bytes(const Samples& samples);

// The largest batch of predict_samples().
PassSizes largest_prediction(const Samples& samples, std::span<const std::int64_t> indices);

inline constexpr std::int64_t kInferenceBatch = 64;  // samples of a pass without training, fewer if very long

// What the network gives for each of `indices`, in that order, without dropout: [indices, output_size], or, from a
// network that gives a row for every step, the valid steps of one sample after another, [sum of lengths, output_size].
Tensor predict_samples(Module& network, const Samples& samples, std::span<const std::int64_t> indices);

}  // namespace carousel
