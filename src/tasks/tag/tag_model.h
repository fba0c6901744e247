// tag_model.h: what the model file of a tagger keeps beside its network, and the network for given options.
#pragma once

#include <string>
#include <vector>

#include "carousel/model.h"
#include "data/tag_scheme.h"
#include "data/text/pipeline.h"
#include "tasks/options.h"
#include "tasks/tag/tag_data.h"

namespace carousel {

inline constexpr std::int64_t kSpellingSize = 50;  // numbers that the characters of a word become

// Kept in Model::task_data().
struct TagInfo : TagVocabularies {  // no intents: none are predicted
  TagScheme scheme = TagScheme::kPlain;
  TextSettings text;                    // level: how raw text is cut
  std::vector<std::int32_t> word_tags;  // of each word the tag it has most often; -1: never seen
  std::int32_t majority_tag = 0, majority_intent = 0;
  std::int64_t word_window = 1;
  std::string split;  // --split of training

  std::string to_json() const;
  // Throws Error{kModel} if the model is not a tagger or its description does not fit.
  static TagInfo from_model(const Model& model);
};

// Tags, intents, vocabularies and baseline of the sentences at `training`. Throws Error{kData} if all their tags are
// the same. `model` is resolved.
TagInfo fit_tag_info(const TagData& data, std::span<const std::int64_t> training, const DataOptions& options,
                     const ModelOptions& model);

// The model options with every "auto" replaced by what fits, and what a note says of them.
ModelOptions resolve_tag_model(const ModelOptions& options, TextLevel level);
std::string describe_tag_model(const ModelOptions& resolved);

// The parts of the network, run by run_tagger() (tag_network.h). `options` is resolved.
Sequential build_tagger(const ModelOptions& options, const TagInfo& info);

}  // namespace carousel
