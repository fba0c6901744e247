#include "tasks/text_options.h"

#include "base/fail.h"
#include "base/file.h"

namespace carousel {
namespace {

std::string read_subwords(const std::string& path) {
  std::string serialised = read_file(path);
  try {
    Subwords check(serialised);
  } catch (const Error&) {
    fail(Code::kData, "{}: is no SentencePiece model ({} bytes)", path, serialised.size());
  }
  return serialised;
}

}  // namespace

TextSettings text_settings(const DataOptions& options, TextSettings settings) {
  if (!options.level.empty()) settings.level = parse_level(options.level);
  const bool given = !options.subwords.empty();
  if (given && settings.level != TextLevel::kSubword) {
    fail(Code::kUsage, "--subwords: is for --level subword, the level is '{}'",
         settings.level == TextLevel::kAuto ? "auto" : level_name(settings.level));
  }
  if (given) {
    settings.subwords = read_subwords(options.subwords);
    settings.nfkc = settings.nfc = settings.lowercase = false;
  }
  if (!options.subword_model.empty()) settings.subword_model = options.subword_model;
  if (!options.lowercase.empty()) settings.lowercase = options.lowercase == "true";
  if (!options.normalize.empty()) {
    settings.nfkc = options.normalize == "nfkc";
    settings.nfc = options.normalize == "nfc";
  }
  return settings;
}

std::string_view normal_form_name(const TextSettings& settings) {
  return settings.nfkc ? "nfkc" : settings.nfc ? "nfc" : "none";
}

std::string describe_text(const FittedText& fitted, const VocabularyLimits& limits) {
  const TextSettings& settings = fitted.pipeline.settings();
  const std::int64_t size = fitted.pipeline.vocabulary().size();
  if (settings.level == TextLevel::kSubword) {
    return fmt::format("text: cut into subwords ({}), {} tokens, vocabulary of {}", settings.subword_model,
                       fitted.tokens, size);
  }
  return fmt::format("text: cut at level {}, {} tokens, {} distinct, vocabulary of {} (seen at least {} times)",
                     level_name(settings.level), fitted.tokens, fitted.distinct_tokens, size, limits.min_count);
}

}  // namespace carousel
