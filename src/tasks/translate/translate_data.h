// translate_data.h: what the translate task reads, and what its model file keeps beside the network.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carousel/model.h"
#include "data/pairs.h"
#include "data/split.h"
#include "data/text/pipeline.h"
#include "data/text/target_text.h"
#include "tasks/options.h"
#include "train/observer.h"

namespace carousel {

// Decides which metric comes first and what the model is compared with.
enum class PairKind {
  kTranslation,    // words are written: BLEU
  kPronunciation,  // characters become words, as letters phones: share of wrong outputs, any variant being right
  kCharacters      // characters are written: exact matches
};

// From so many pairs on fewer epochs do, and a pronunciation dictionary gets a larger network.
inline constexpr std::int64_t kManyPairs = 20'000;

using TokenIds = std::vector<std::int32_t>;

// Kept in Model::task_data().
struct TranslateInfo {
  TextSettings source;  // with <eos> behind the tokens
  std::vector<std::string> source_vocabulary;
  TextSettings target{.nfkc = false, .lowercase = false, .level = TextLevel::kWord};
  std::vector<std::string> target_vocabulary;
  double length_ratio = 1;  // tokens of a target for each of its source, <eos> included, in the training part
  // At place n tokens of the longest target trained on whose source has at most n, <eos> included. Older files: none.
  std::vector<std::int64_t> longest_targets;
  std::string split;          // --split of training
  std::string most_frequent;  // the target that occurs most often in the training part
  // kPronunciation: for each source token the target tokens that stand most often at its place, if those of a target
  // are dealt out evenly; a baseline.
  std::map<std::string, std::vector<std::string>> letter_tokens;

  PairKind kind() const noexcept;
  TextPipeline source_text() const { return TextPipeline(source, Vocabulary::from_tokens(source_vocabulary)); }
  TargetText target_text() const { return TargetText(target, Vocabulary::from_tokens(target_vocabulary)); }
  // The most tokens, <eos> included, that an output for so many source tokens may have: twice the mean length and 10
  // more, and never less than a target that was trained on had. REQUIRES: at least 0.
  std::int64_t output_limit(std::int64_t source_tokens) const noexcept;

  std::string to_json() const;
  // Throws Error{kModel} if the model is for another task or its description does not fit.
  static TranslateInfo from_model(const Model& model);
};

struct TranslateData {
  TextPairs pairs;
  std::vector<TokenIds> sources, targets;         // of each pair, <eos> last; targets may be none
  std::vector<std::vector<std::int64_t>> groups;  // the samples: pairs of one source each, in kPronunciation all of it

  std::vector<std::int64_t> pairs_of(const std::vector<std::int64_t>& samples) const;
};

// The pairs that the options name: --data, or --source and --target. Throws Error{kUsage} if neither or both are given,
// and what reading them throws.
TextPairs read_translate_pairs(const DataOptions& options, bool targets_required);
// Those of --valid, or --valid-source and --valid-target; none: empty.
TextPairs read_valid_pairs(const DataOptions& options);

// Pairs begin .. end as samples behind those that are there.
void add_samples(TranslateData& data, std::int64_t begin, std::int64_t end, PairKind kind);

// What "auto" stands for on one side, by the texts at `rows`: choose_level(), but characters where more than a quarter
// of the characters that are no blank are digits, or a text has fewer than 1.5 words on average; 3 where words follow
// one another without blanks (Chinese, Japanese, Thai).
TextLevel choose_side_level(std::span<const std::string> texts, std::span<const std::int64_t> rows);

// Levels and what follows from them, by the first `count` pairs: where words become words and 10,000 pairs are there,
// "auto" is subwords.
void choose_levels(const TextPairs& pairs, std::int64_t count, const DataOptions& options, TranslateInfo& info);
// The rest, from the training pairs; the observer is told.
void fit_translate_info(const TextPairs& pairs, const std::vector<std::int64_t>& training, const DataOptions& options,
                        TranslateInfo& info, Observer& observer);

// Fills data.sources and data.targets. Throws Error{kData} as TextPipeline::encode().
void encode_pairs(TranslateData& data, const TranslateInfo& info);

// TranslateInfo::longest_targets of these pairs, which are encoded.
std::vector<std::int64_t> longest_targets(const TranslateData& data, const std::vector<std::int64_t>& pairs);

}  // namespace carousel
