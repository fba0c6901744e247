#include "tasks/token_input.h"

#include <algorithm>

#include "base/fail.h"
#include "data/text/trigrams.h"
#include "tasks/training_run.h"

namespace carousel {

void check_token_input(const DataOptions& data, const ModelOptions& model, bool every_word) {
  const bool trigrams = model.token_input == "trigrams", embedding = model.token_input == "embedding";
  const auto refuse = [](bool wrong, const char* text) {
    if (wrong) fail(Code::kUsage, "{}", text);
  };
  refuse(model.freeze_vectors && data.vectors.empty(), "--freeze-vectors: needs --vectors");
  refuse(!data.vectors.empty() && !embedding && !model.token_input.empty(),
         "--vectors: are for --token-input embedding");
  refuse(model.buckets > 0 && !trigrams, "--buckets: are for --token-input trigrams");
  refuse(trigrams && !(data.level.empty() || data.level == "word" || data.level == "whitespace"),
         "--token-input trigrams: are of words, give --level word or whitespace");
  refuse(trigrams && every_word && (data.min_count > 1 || data.max_vocabulary > 0),
         "--token-input trigrams: take every word; leave --min-count and --max-vocabulary out");
}

std::int64_t trigram_buckets(const ModelOptions& options) {
  if (options.token_input != "trigrams") return 0;
  return options.buckets > 0 ? options.buckets : kTrigramBuckets;
}

WordPieces hash_words(std::span<const std::string> words, std::int64_t buckets) {
  WordPieces list;
  std::vector<std::int32_t> pieces;
  for (const std::string& word : words) {
    pieces.clear();
    for (const std::string& trigram : letter_trigrams(word)) pieces.push_back(trigram_bucket(trigram, buckets));
    list.add(pieces);
  }
  return list;
}

std::string token_input_text(const ModelOptions& options) {
  if (options.token_input == "one_hot") return ", 1 of N";
  std::string text = fmt::format(", embedding_size {}", options.embedding_size);
  if (options.buckets > 0) text += fmt::format(", trigrams in {} buckets", options.buckets);
  return options.freeze_vectors ? text + ", vectors kept as they are" : text;
}

std::optional<WordVectors> read_vectors(const DataOptions& data, const ModelOptions& model,
                                        const Vocabulary& vocabulary, const NormalizeOptions& normalize) {
  if (data.vectors.empty()) return std::nullopt;
  WordVectors vectors = read_word_vectors(data.vectors, vocabulary, normalize);
  if (model.embedding_size != 0 && model.embedding_size != vectors.size()) {
    fail(Code::kUsage, "--embedding-size is {}, the vectors of {} have {} numbers", model.embedding_size, data.vectors,
         vectors.size());
  }
  return vectors;
}

std::optional<WordVectors> read_vectors(const DataOptions& data, const ModelOptions& model,
                                        const TextPipeline& pipeline) {
  const TextSettings& settings = pipeline.settings();
  return read_vectors(data, model, pipeline.vocabulary(),
                      {.nfkc = settings.nfkc, .lowercase = settings.lowercase, .nfc = settings.nfc});
}

std::string describe_vectors(const WordVectors& vectors, const std::string& path,
                             std::span<const std::vector<std::int32_t>> ids) {
  std::int64_t tokens = 0, covered = 0;
  for (const auto& text : ids) {
    for (const std::int32_t id : text) covered += vectors.found[static_cast<std::size_t>(id)] ? 1 : 0;
    tokens += std::ssize(text);
  }
  const std::int64_t words = std::ssize(vectors.found) - Vocabulary::kSpecials;
  const auto percent = [](std::int64_t part, std::int64_t whole) {
    return 100 * static_cast<double>(part) / static_cast<double>(std::max<std::int64_t>(whole, 1));
  };
  return fmt::format("vectors: {} has {} of {} words ({:.1f} %), {:.1f} % of the tokens; {} numbers each",
                     file_names({path}), vectors.found_words(), words, percent(vectors.found_words(), words),
                     percent(covered, tokens), vectors.size());
}

std::int64_t add_token_input(Sequential& network, const ModelOptions& options, const std::vector<std::string>& tokens) {
  const std::int64_t vocabulary_size = std::ssize(tokens), size = options.embedding_size;
  std::unique_ptr<Module> layer;
  if (options.token_input == "one_hot") {
    network.add("embedding", std::make_unique<OneHot>(vocabulary_size));
    return vocabulary_size;
  }
  if (options.token_input == "trigrams") {
    const std::int64_t buckets = trigram_buckets(options);
    layer = std::make_unique<HashedEmbedding>(hash_words(tokens, buckets), buckets, size);
  } else if (options.freeze_vectors) {
    layer = std::make_unique<FixedEmbedding>(vocabulary_size, size);
  } else {
    layer = std::make_unique<Embedding>(vocabulary_size, size);
  }
  network.add("embedding", std::move(layer));
  return size;
}

void set_vectors(Sequential& network, const WordVectors& vectors) {
  for (const auto& [name, tensor] : network.named_tensors()) {
    if (name != "embedding.weight") continue;
    for (std::int64_t id = 0; id < std::ssize(vectors.found); ++id) {
      if (!vectors.found[static_cast<std::size_t>(id)]) continue;
      std::copy_n(vectors.rows.data() + id * vectors.size(), vectors.size(),
                  tensor->value.data() + id * vectors.size());
    }
  }
}

}  // namespace carousel
