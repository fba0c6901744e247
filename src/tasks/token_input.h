// token_input.h: the first layer of a network that reads tokens: an embedding (trained, or given and kept), one number
// per token of the vocabulary, or letter trigrams.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carousel/layers.h"
#include "data/text/pipeline.h"
#include "data/text/word_vectors.h"
#include "layers/tokens/token_inputs.h"
#include "tasks/options.h"

namespace carousel {

inline constexpr std::int64_t kTrigramBuckets = 20000;  // if no number is asked for

// Throws Error{kUsage} if options of data and model that are about the first layer contradict each other. every_word:
// trigrams take every word, so that limits of the vocabulary would mean nothing.
void check_token_input(const DataOptions& data, const ModelOptions& model, bool every_word);

// The buckets of letter trigrams, 0 for every other first layer: TextSettings::buckets.
std::int64_t trigram_buckets(const ModelOptions& options);

// The letter trigrams of each word, as buckets.
WordPieces hash_words(std::span<const std::string> words, std::int64_t buckets);

// The first layer for a note: ", embedding_size 100, vectors kept as they are". `options` is resolved.
std::string token_input_text(const ModelOptions& options);

// Of DataOptions::vectors; nothing if none is named. `vocabulary` is that of the training texts, written as `normalize`
// says. Throws as read_word_vectors(), and Error{kUsage} if model.embedding_size asks for another size.
std::optional<WordVectors> read_vectors(const DataOptions& data, const ModelOptions& model,
                                        const Vocabulary& vocabulary, const NormalizeOptions& normalize);
std::optional<WordVectors> read_vectors(const DataOptions& data, const ModelOptions& model,
                                        const TextPipeline& pipeline);

// "vectors: glove.txt has 4100 of 5000 words (82.0 %), 95.1 % of the tokens", by the ids of the training texts.
std::string describe_vectors(const WordVectors& vectors, const std::string& path,
                             std::span<const std::vector<std::int32_t>> ids);

// Adds the layer "embedding" for these tokens. Returns the numbers per token. `options` is resolved.
std::int64_t add_token_input(Sequential& network, const ModelOptions& options, const std::vector<std::string>& tokens);

// Puts the vectors that were found into the layer "embedding", which add_token_input() made.
void set_vectors(Sequential& network, const WordVectors& vectors);

}  // namespace carousel
