#include "tasks/transcribe/transcript_labels.h"

namespace carousel {

TranscriptLabels::TranscriptLabels(const TextSettings& settings, const std::vector<std::string>& vocabulary)
    : pipeline_(settings, Vocabulary::from_tokens(vocabulary)) {}

Labelling TranscriptLabels::encode(std::string_view text) {
  Labelling labels = pipeline_.encode(text);
  for (std::int32_t& label : labels) {
    label = label < Vocabulary::kSpecials ? kUnknownLabel : label - Vocabulary::kSpecials + 1;
  }
  return labels;
}

std::string TranscriptLabels::text(std::span<const std::int32_t> labels) const {
  std::string text;
  for (const std::int32_t label : labels) {
    if (level() != TextLevel::kCharacter && !text.empty()) text += ' ';
    text += name(label);
  }
  return text;
}

const std::string& TranscriptLabels::name(std::int32_t label) const {
  return pipeline_.vocabulary().token(label + Vocabulary::kSpecials - 1);
}

std::int32_t TranscriptLabels::space() const {
  if (level() != TextLevel::kCharacter || !pipeline_.vocabulary().contains(" ")) return kUnknownLabel;
  return pipeline_.vocabulary().id(" ") - Vocabulary::kSpecials + 1;
}

TextLevel choose_transcript_level(std::span<const std::string> texts, std::span<const std::int64_t> rows) {
  constexpr std::int64_t kEnough = 20;
  TextSettings settings;
  settings.level = TextLevel::kWhitespace;
  const FittedText words = fit_text(texts, rows, settings, {});
  return words.tokens >= kEnough * words.distinct_tokens ? TextLevel::kWhitespace : TextLevel::kCharacter;
}

}  // namespace carousel
