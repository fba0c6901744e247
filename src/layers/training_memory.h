// training_memory.h: how much memory a pass of a network takes, before it is taken.
#pragma once

#include <cstdint>

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

// The most bytes of the tape's arena that are in use at one moment of a training pass, forward and backward, or of a
// pass that records nothing. The loss is not in it. Follows from the descriptions of the layers alone, so it is known
// before anything is built; tests/layers/training_memory_test.cpp holds it to what the arena measures.
std::int64_t training_pass_bytes(const LayerDescription& network, const PassSizes& sizes);
std::int64_t inference_pass_bytes(const LayerDescription& network, const PassSizes& sizes);

}  // namespace carousel
