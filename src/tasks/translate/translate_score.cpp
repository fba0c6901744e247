#include "tasks/translate/translate_score.h"

#include <algorithm>
#include <cmath>

#include "tasks/edit_distance.h"
#include "tasks/translate/bleu.h"

namespace carousel {
namespace {

// Edits and the length that they are a share of.
struct ErrorRate {
  std::int64_t edits = 0, length = 0;

  void add(std::span<const std::string> output, std::span<const std::vector<std::string>> targets) {
    std::int64_t fewest = -1, tokens = 0;
    for (const std::vector<std::string>& target : targets) {
      const std::int64_t distance = edit_distance(output, target);
      if (fewest >= 0 && distance >= fewest) continue;
      fewest = distance;
      tokens = std::ssize(target);
    }
    edits += fewest;
    length += tokens;
  }
  double percent() const { return length == 0 ? 0 : 100 * static_cast<double>(edits) / static_cast<double>(length); }
};

std::vector<std::string> words_of(std::string_view text) {
  Segmenter segmenter(TextLevel::kWhitespace);
  return cut_target(segmenter, TextLevel::kWhitespace, text);
}

}  // namespace

Metrics score_written(const TranslateInfo& info, const TranslateData& data, std::span<const std::int64_t> samples,
                      std::span<const WrittenText> written) {
  TargetText text = info.target_text();
  const bool of_words = info.kind() == PairKind::kTranslation;
  ErrorRate errors;
  std::int64_t right = 0;
  std::vector<std::string> outputs;
  std::vector<std::vector<std::string>> references;
  for (std::size_t k = 0; k < samples.size(); ++k) {
    std::vector<std::vector<std::string>> target_tokens;
    references.emplace_back();
    for (const std::int64_t pair : data.groups[static_cast<std::size_t>(samples[k])]) {
      const std::string& target = data.pairs.targets[static_cast<std::size_t>(pair)];
      target_tokens.push_back(of_words ? words_of(target) : text.cut(target));
      references.back().push_back(target);
    }
    const std::vector<std::string> output = of_words ? words_of(written[k].text) : written[k].tokens;
    right += std::find(target_tokens.begin(), target_tokens.end(), output) != target_tokens.end() ? 1 : 0;
    errors.add(output, target_tokens);
    outputs.push_back(written[k].text);
  }
  const double share = samples.empty() ? 0 : static_cast<double>(right) / static_cast<double>(samples.size());
  switch (info.kind()) {
    case PairKind::kTranslation:
      return {{"bleu", corpus_bleu(outputs, references)}, {"wer", errors.percent()}, {"accuracy", share}};
    case PairKind::kPronunciation:
      return {{"wer", 100 * (1 - share)}, {"per", errors.percent()}, {"accuracy", share}};
    case PairKind::kCharacters:
      break;
  }
  return {{"accuracy", share}, {"per", errors.percent()}};
}

double forced_loss(std::span<const Forced> forced) {
  double sum = 0;
  std::int64_t tokens = 0;
  for (const Forced& one : forced) {
    for (const float log_p : one.log_p) sum -= static_cast<double>(log_p);
    tokens += std::ssize(one.log_p);
  }
  return tokens == 0 ? 0 : sum / static_cast<double>(tokens);
}

Metrics score_forced(std::span<const Forced> forced) {
  std::int64_t right = 0, tokens = 0;
  for (const Forced& one : forced) {
    right += one.right;
    tokens += std::ssize(one.log_p);
  }
  const double share = tokens == 0 ? 0 : static_cast<double>(right) / static_cast<double>(tokens);
  return {{"token_accuracy", share}, {"perplexity", std::exp(forced_loss(forced))}};
}

std::vector<Baseline> translate_baselines(const TranslateInfo& info, const TranslateData& data,
                                          std::span<const std::int64_t> samples) {
  TargetText target = info.target_text();
  TextPipeline source = info.source_text();
  std::vector<WrittenText> copies, frequent, letters;
  for (const std::int64_t sample : samples) {
    const auto pair = static_cast<std::size_t>(data.groups[static_cast<std::size_t>(sample)].front());
    const std::string& text = data.pairs.sources[pair];
    copies.push_back({target.cut(text), text});
    frequent.push_back({target.cut(info.most_frequent), info.most_frequent});
    letters.emplace_back();
    for (const std::int32_t id : data.sources[pair]) {
      const auto found = info.letter_tokens.find(source.vocabulary().token(id));
      if (found == info.letter_tokens.end()) continue;
      letters.back().tokens.insert(letters.back().tokens.end(), found->second.begin(), found->second.end());
    }
    letters.back().text = target.join(letters.back().tokens);
  }
  if (info.kind() == PairKind::kPronunciation) return {{"letters", score_written(info, data, samples, letters)}};
  return {{"copy_source", score_written(info, data, samples, copies)},
          {"most_frequent", score_written(info, data, samples, frequent)}};
}

}  // namespace carousel
