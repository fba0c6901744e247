// translate_case.h: a small translator with random weights, and sources for it.
#pragma once

#include "base/random.h"
#include "tasks/translate/translate_model.h"

namespace carousel {

// Sources of the letters a to e, targets of u, v, w; or of words of these letters, whose scores are scaled.
inline TranslateInfo letters_info(bool words = false) {
  TranslateInfo info;
  info.source.level = info.target.level = words ? TextLevel::kWord : TextLevel::kCharacter;
  info.source.nfkc = info.source.lowercase = false;
  info.source.add_eos = true;
  info.source_vocabulary = info.target_vocabulary = Vocabulary().tokens();
  for (const char* letter : {"a", "b", "c", "d", "e"}) info.source_vocabulary.emplace_back(letter);
  for (const char* letter : {"u", "v", "w"}) info.target_vocabulary.emplace_back(letter);
  return info;
}

struct SmallShape {
  std::string cell, attention;
  std::int64_t layers;
  bool coverage = false, words = false;
};

inline Sequential random_network(const SmallShape& shape, std::uint64_t seed) {
  ModelOptions options;
  options.cell = shape.cell;
  options.attention = shape.attention;
  options.layers = shape.layers;
  options.coverage = shape.coverage;
  options.hidden_size = 6;
  options.embedding_size = 5;
  options.bidirectional = "true";
  if (shape.attention == "dot") options.merge = "sum";  // as wide as the decoder
  options.dropout = 0;
  Sequential network = build_translator(options, letters_info(shape.words));
  network.initialize(seed);
  for (Parameter* parameter : network.parameters()) {  // away from even probabilities
    for (float& value : parameter->value.span()) value *= 2;
  }
  return network;
}

inline const std::vector<SmallShape> kShapes{{"lstm", "general", 1},
                                             {"gru", "additive", 2},
                                             {"lstm", "concat", 2},
                                             {"gru", "dot", 1},
                                             {"gru", "concat", 1, true},
                                             {"lstm", "additive", 2, true},
                                             {"lstm", "general", 1, false, true},
                                             {"gru", "dot", 1, false, true}};

// Sources of letters of lengths 0 .. 6, <eos> last.
inline std::vector<TokenIds> random_sources(std::int64_t count) {
  std::vector<TokenIds> sources;
  for (std::int64_t n = 0; n < count; ++n) {
    TokenIds& ids = sources.emplace_back();
    for (std::int64_t k = 0; k < n % 7; ++k) {
      ids.push_back(4 + static_cast<std::int32_t>(uniform_below({8, Purpose::kTest, 0}, n * 7 + k, 5)));
    }
    ids.push_back(Vocabulary::kEnd);
  }
  return sources;
}

}  // namespace carousel
