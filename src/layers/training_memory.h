// training_memory.h: how much memory a pass of a network takes, before it is taken.
#pragma once

#include <cstdint>
#include <span>

#include "carousel/layers.h"

namespace carousel {

// One batch. T the longest, N samples.
struct PassSizes {
  std::int64_t time_steps = 1, samples = 1;
  std::int64_t rows = 1;             // valid steps: the sum of the lengths
  std::int64_t features = 0;         // C; 0: token ids
  std::int64_t distinct_tokens = 0;  // of the batch
  // Of documents: sentences, the steps of the longest one, and the most of them in one sample.
  std::int64_t sentences = 0, sentence_steps = 0, document_sentences = 0;
  // Of the memory that an attention decoder looks at: valid steps, and the sum over the samples of their valid steps
  // times those of the memory.
  std::int64_t memory_rows = 0, memory_pairs = 0;
  std::int64_t checkpoint_steps = 0;  // as in ScanInput
  bool packed = false;                // as in PassInput
};

// A part of what is recorded on one tape: the layers of a pass, or one operation of the caller's.
struct PassPart {
  LayerDescription network = {};  // without a type: the operation below
  PassSizes sizes = {};
  bool reads_values = true;  // false: the network reads what a part before gives, sizes.features wide
  // Of an operation, in floats: its value and what its backward pass reads; the gradient of the value; what it needs
  // and gives back during its backward pass, and while it is recorded.
  std::int64_t kept = 0, gradient = 0, work = 0, forward_work = 0;
};

// The most bytes of the tape's arena that are in use at one moment of a training pass, forward and backward, or of a
// pass that records nothing. The loss is not in it. Follows from the descriptions of the layers alone, so it is known
// before anything is built; tests/layers/training_memory_test.cpp holds it to what the arena measures.
std::int64_t training_pass_bytes(const LayerDescription& network, const PassSizes& sizes);
// The same of parts in the order in which they are recorded, with one backward pass through all of them.
std::int64_t training_pass_bytes(std::span<const PassPart> parts);
std::int64_t inference_pass_bytes(const LayerDescription& network, const PassSizes& sizes);

}  // namespace carousel
