#include "tasks/transcribe/lm_scorer.h"

#include <algorithm>

#include "base/fail.h"
#include "kernels/softmax.h"
#include "tasks/lm/lm_model.h"

namespace carousel {
namespace {

constexpr std::size_t kMostPrefixes = 10000;  // then all are forgotten, and found again when asked for

bool are_characters(TextLevel level) { return level == TextLevel::kCharacter; }

std::vector<std::int32_t> tokens_of(const LmInfo& info, const TranscriptLabels& labels) {
  const TextLevel level = info.text.level;
  if (level == TextLevel::kSubword || are_characters(level) != are_characters(labels.level())) {
    fail(Code::kUsage, "--lm: the language model's tokens are of level '{}', the transcriber's labels of level '{}'",
         level_name(level), level_name(labels.level()));
  }
  const LmEncoder encoder(info.text, info.vocabulary);
  std::vector<std::int32_t> tokens{encoder.line_end()};
  for (std::int32_t k = 1; k < labels.classes(); ++k) {
    tokens.push_back(encoder.pipeline().vocabulary().id(labels.name(k)));
  }
  return tokens;
}

}  // namespace

std::vector<std::string> labels_unknown_to(const Model& lm, const TranscriptLabels& labels) {
  const std::vector<std::int32_t> tokens = tokens_of(LmInfo::from_model(lm), labels);
  std::vector<std::string> unknown;
  for (std::int32_t k = 1; k < labels.classes(); ++k) {
    if (tokens[static_cast<std::size_t>(k)] == Vocabulary::kUnknown) unknown.push_back(labels.name(k));
  }
  return unknown;
}

LmScorer::LmScorer(const Model& lm, const TranscriptLabels& labels)
    : tokens_(tokens_of(LmInfo::from_model(lm), labels)), stream_(lm) {}

void LmScorer::score(std::span<const std::int32_t> prefix, std::span<double> log_p) {
  const Known& known = behind({prefix.begin(), prefix.end()});
  std::copy(known.log_p.begin(), known.log_p.end(), log_p.begin());
}

const LmScorer::Known& LmScorer::behind(const Labelling& prefix) {
  if (const auto found = known_.find(prefix); found != known_.end()) return found->second;
  if (known_.size() > kMostPrefixes) known_.clear();
  if (prefix.empty()) {
    stream_.reset();
  } else {
    stream_.set_state(behind({prefix.begin(), prefix.end() - 1}).state);
  }
  const std::int32_t last = prefix.empty() ? 0 : prefix.back();
  const std::span<const float> scores = stream_.step(tokens_[static_cast<std::size_t>(last)]);
  std::vector<float> all(scores.size());
  kernels::log_softmax<float>(1, std::ssize(scores), scores.data(), all.data());
  Known known{stream_.state(), {}};
  for (const std::int32_t token : tokens_) known.log_p.push_back(all[static_cast<std::size_t>(token)]);
  return known_.emplace(prefix, std::move(known)).first->second;
}

}  // namespace carousel
