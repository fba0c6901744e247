#include "tasks/translate/translate_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/fail.h"
#include "base/json.h"
#include "data/text/utf8.h"
#include "tasks/task_data.h"
#include "tasks/text_json.h"
#include "tasks/text_options.h"

namespace carousel {

using nlohmann::json;

static constexpr std::int64_t kMostTokens = 1'000'001;  // --max-length and <eos>

PairKind TranslateInfo::kind() const noexcept {
  if (target.level == TextLevel::kCharacter) return PairKind::kCharacters;
  const bool pieces = target.level == TextLevel::kSubword;  // of words, as phones are not
  return source.level == TextLevel::kCharacter && !pieces ? PairKind::kPronunciation : PairKind::kTranslation;
}

std::int64_t TranslateInfo::output_limit(std::int64_t source_tokens) const noexcept {
  const double twice = std::ceil(2 * length_ratio * static_cast<double>(source_tokens));
  const std::int64_t limit = 10 + static_cast<std::int64_t>(twice);
  if (longest_targets.empty()) return limit;
  return std::max(limit,
                  longest_targets[static_cast<std::size_t>(std::min(source_tokens, std::ssize(longest_targets) - 1))]);
}

std::string TranslateInfo::to_json() const {
  return json_text({{"source", text_to_json(source, source_vocabulary)},
                    {"target", text_to_json(target, target_vocabulary)},
                    {"length_ratio", length_ratio},
                    {"longest_targets", longest_targets},
                    {"split", split},
                    {"most_frequent", most_frequent},
                    {"letter_tokens", letter_tokens}});
}

TranslateInfo TranslateInfo::from_model(const Model& model) {
  TranslateInfo info;
  read_task_data(model, "translate", [&](const json& object) {
    text_from_json(object.at("source"), info.source, info.source_vocabulary);
    text_from_json(object.at("target"), info.target, info.target_vocabulary);
    object.at("length_ratio").get_to(info.length_ratio);
    info.longest_targets = object.value("longest_targets", info.longest_targets);
    object.at("split").get_to(info.split);
    object.at("most_frequent").get_to(info.most_frequent);
    object.at("letter_tokens").get_to(info.letter_tokens);
  });
  info.source.add_eos = true;
  const bool usable = info.source.level != TextLevel::kAuto && info.target.level != TextLevel::kAuto;
  if (!usable || !(info.length_ratio > 0 && info.length_ratio <= 1e6)) {
    fail(Code::kModel, "the description of the translator lacks a level, or its length_ratio {} is out of range",
         info.length_ratio);
  }
  for (const std::int64_t longest : info.longest_targets) {
    if (longest < 0 || longest > kMostTokens) {
      fail(Code::kModel, "the description of the translator: longest_targets has {}, expected 0 to {}", longest,
           kMostTokens);
    }
  }
  return info;
}

std::vector<std::int64_t> TranslateData::pairs_of(const std::vector<std::int64_t>& samples) const {
  std::vector<std::int64_t> list;
  for (const std::int64_t sample : samples) {
    const auto& group = groups[static_cast<std::size_t>(sample)];
    list.insert(list.end(), group.begin(), group.end());
  }
  return list;
}

static char pair_separator(const DataOptions& options) {
  if (options.separator.empty()) return '\t';
  if (options.separator.size() == 1) return options.separator.front();
  fail(Code::kUsage, "--separator is '{}', expected one ASCII character", options.separator);
}

TextPairs read_translate_pairs(const DataOptions& options, bool targets_required) {
  if (!options.data.empty() && !(options.source.empty() && options.target.empty())) {
    fail(Code::kUsage, "give --data with pairs, or --source and --target, not both");
  }
  if (!options.format.empty() && options.format != "tsv") {
    fail(Code::kUsage,
         "--format {}: translate reads lines of source, separator and target (tsv), or --source and "
         "--target",
         options.format);
  }
  if (!targets_required && !options.target.empty()) {
    fail(Code::kUsage, "--target: predict reads sources alone; leave it out");
  }
  TextPairs pairs;
  if (options.source.empty()) {
    if (options.data.empty()) fail(Code::kUsage, "--data is missing (or --source): nothing to read");
    pairs = read_pairs(options.data, pair_separator(options), targets_required);
  } else {
    if (targets_required && options.target.empty())
      fail(Code::kUsage, "--target is missing: the lines that --source becomes");
    pairs = read_parallel(options.source, targets_required ? options.target : std::vector<std::string>());
  }
  if (pairs.sources.empty()) {
    fail(Code::kData, "{}: no lines in it", fmt::join(options.source.empty() ? options.data : options.source, ", "));
  }
  return pairs;
}

TextPairs read_valid_pairs(const DataOptions& options) {
  if (options.valid_source.empty() != options.valid_target.empty()) {
    fail(Code::kUsage, "--valid-source and --valid-target belong together, got one of them");
  }
  if (!options.valid_source.empty()) {
    if (!options.valid.empty())
      fail(Code::kUsage, "give --valid with pairs, or --valid-source and --valid-target, not both");
    return read_parallel(options.valid_source, options.valid_target);
  }
  return options.valid.empty() ? TextPairs() : read_pairs(options.valid, pair_separator(options), true);
}

void add_samples(TranslateData& data, std::int64_t begin, std::int64_t end, PairKind kind) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::int64_t n = begin; n < end; ++n) {
    if (kind == PairKind::kPronunciation) {
      const auto [found, fresh] = seen.try_emplace(data.pairs.sources[static_cast<std::size_t>(n)], data.groups.size());
      if (!fresh) {
        data.groups[found->second].push_back(n);
        continue;
      }
    }
    data.groups.push_back({n});
  }
}

namespace {

// How often one word ends where the next one begins, in a part of a text without blanks: Chinese, Japanese, Thai.
std::int64_t cuts_inside(Segmenter& segmenter, std::string_view part) {
  std::vector<std::string_view> tokens;
  segmenter.segment(part, tokens);
  std::int64_t cuts = 0;
  for (std::size_t k = 1; k < tokens.size(); ++k) {
    cuts += is_word_token(tokens[k - 1]) && is_word_token(tokens[k]) ? 1 : 0;
  }
  return cuts;
}

}  // namespace

TextLevel choose_side_level(std::span<const std::string> texts, std::span<const std::int64_t> rows) {
  constexpr std::size_t kTexts = 1000;
  const TextLevel level = choose_level(texts, rows);
  const std::span<const std::int64_t> first = rows.first(std::min(kTexts, rows.size()));
  Segmenter at_blanks(TextLevel::kWhitespace), at_words(TextLevel::kWord);
  std::vector<std::string_view> parts;
  std::int64_t words = 0, cuts = 0, characters = 0, digits = 0;
  for (const std::int64_t row : first) {
    at_blanks.segment(texts[static_cast<std::size_t>(row)], parts);
    words += std::ssize(parts);
    for (const std::string_view part : parts) {
      cuts += cuts_inside(at_words, part);
      for (std::size_t at = 0; at < part.size(); ++characters) {
        const std::int32_t character = next_character(part, at);
        digits += character >= '0' && character <= '9' ? 1 : 0;
      }
    }
  }
  // A quarter of a word for a cut: a word or a name of Chinese, as a dictionary lists them, may be made of two.
  const bool numbers = 4 * digits > characters, single = 4 * words + cuts < 6 * std::ssize(first);
  return numbers || single ? TextLevel::kCharacter : level;
}

// What the options say of subwords, for one side.
static TextSettings side_settings(const char* flag, const std::string& subwords, const DataOptions& options,
                                  TextSettings settings) {
  if (!subwords.empty() && settings.level != TextLevel::kSubword) {
    fail(Code::kUsage, "{}: is for level subword, the level of this side is '{}'", flag, level_name(settings.level));
  }
  DataOptions side;
  side.subwords = subwords;
  side.subword_model = options.subword_model;
  return text_settings(side, std::move(settings));
}

void choose_levels(const TextPairs& pairs, std::int64_t count, const DataOptions& options, TranslateInfo& info) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  const auto level = [&](const std::string& given, const std::vector<std::string>& texts) {
    return given.empty() ? choose_side_level(texts, rows) : parse_level(given);
  };
  info.source.level = level(options.source_level, pairs.sources);
  info.target.level = level(options.target_level, pairs.targets);
  constexpr std::int64_t kEnough = 10000;  // to learn pieces of words from; with fewer, a word is known or is not
  if (info.kind() == PairKind::kTranslation && count >= kEnough) {
    const std::pair<const std::string&, TextLevel&> sides[] = {{options.source_level, info.source.level},
                                                               {options.target_level, info.target.level}};
    for (const auto& [given, chosen] : sides) {
      if (given.empty() && chosen == TextLevel::kWord) chosen = TextLevel::kSubword;
    }
  }
  // Where characters are written the case of those that are read may be all that counts.
  info.source.nfkc = info.source.lowercase = info.kind() != PairKind::kCharacters;
  info.source.add_eos = true;
  info.source = side_settings("--source-subwords", options.source_subwords, options, info.source);
  info.target = side_settings("--target-subwords", options.target_subwords, options, info.target);
}

namespace {

VocabularyLimits side_limits(const DataOptions& options, TextLevel level, std::int64_t pairs) {
  constexpr std::int64_t kFewPairs = 100'000, kFewPieces = 5000;  // each piece must be seen often enough
  const std::int64_t pieces = pairs < kFewPairs ? kFewPieces : kSubwordVocabulary;
  const std::int64_t most = level == TextLevel::kSubword ? pieces : 50000, least = level == TextLevel::kWord ? 2 : 1;
  return {options.min_count > 0 ? options.min_count : least,
          options.max_vocabulary > 0 ? options.max_vocabulary : most};
}

std::string most_frequent_of(const std::vector<std::string>& texts, const std::vector<std::int64_t>& rows) {
  std::map<std::string_view, std::int64_t> counts;
  for (const std::int64_t row : rows) ++counts[texts[static_cast<std::size_t>(row)]];
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? "" : std::string(most->first);
}

// A side of the training pairs.
struct FittedSide {
  std::vector<std::string> vocabulary;
  std::vector<std::vector<std::string>> texts;  // the tokens of each
  std::int64_t tokens = 0, distinct = 0;
};

FittedSide fit_source(const TextPairs& pairs, const std::vector<std::int64_t>& training, const DataOptions& options,
                      TextSettings& settings) {
  const FittedText fitted =
      fit_text(pairs.sources, training, settings, side_limits(options, settings.level, std::ssize(training)));
  settings = fitted.pipeline.settings();
  FittedSide side{fitted.pipeline.vocabulary().tokens(), {}, fitted.tokens, fitted.distinct_tokens};
  for (const TokenIds& ids : fitted.ids) {
    side.texts.emplace_back();
    for (const std::int32_t id : ids) {
      if (id >= Vocabulary::kSpecials) side.texts.back().push_back(fitted.pipeline.vocabulary().token(id));
    }
  }
  return side;
}

FittedSide fit_target(const TextPairs& pairs, const std::vector<std::int64_t>& training, const DataOptions& options,
                      TextSettings& settings) {
  if (settings.level == TextLevel::kSubword) {
    const FittedText fitted =
        fit_text(pairs.targets, training, settings, side_limits(options, settings.level, std::ssize(training)));
    settings = fitted.pipeline.settings();
    return {fitted.pipeline.vocabulary().tokens(), {}, fitted.tokens, fitted.distinct_tokens};
  }
  FittedSide side;
  Segmenter segmenter(settings.level);
  TokenCounter counter;
  for (const std::int64_t row : training) {
    side.texts.push_back(cut_target(segmenter, settings.level, pairs.targets[static_cast<std::size_t>(row)]));
    for (const std::string& token : side.texts.back()) counter.add(token);
  }
  side.tokens = counter.total();
  side.distinct = counter.distinct();
  if (side.tokens > 0)
    side.vocabulary = counter.build(side_limits(options, settings.level, std::ssize(training))).tokens();
  return side;
}

std::string side_note(std::string_view name, const TextSettings& settings, const FittedSide& side) {
  return fmt::format("{}: segmented into {}, {} tokens, {} distinct, vocabulary of {}", name,
                     level_name(settings.level), side.tokens, side.distinct, side.vocabulary.size());
}

// Target token j of P belongs to source token j * L / P of L.
std::map<std::string, std::vector<std::string>> count_letter_tokens(
    const std::vector<std::vector<std::string>>& sources, const std::vector<std::vector<std::string>>& targets) {
  std::map<std::string, std::map<std::vector<std::string>, std::int64_t>> counts;
  for (std::size_t n = 0; n < sources.size(); ++n) {
    const std::size_t L = sources[n].size(), P = targets[n].size();
    std::vector<std::vector<std::string>> parts(L);
    for (std::size_t j = 0; j < P && L > 0; ++j) parts[j * L / P].push_back(targets[n][j]);
    for (std::size_t i = 0; i < L; ++i) ++counts[sources[n][i]][parts[i]];
  }
  std::map<std::string, std::vector<std::string>> best;
  for (const auto& [letter, parts] : counts) {
    best[letter] = std::max_element(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
                     return a.second < b.second;
                   })->first;
  }
  return best;
}

}  // namespace

void fit_translate_info(const TextPairs& pairs, const std::vector<std::int64_t>& training, const DataOptions& options,
                        TranslateInfo& info, Observer& observer) {
  info.split = options.split;
  FittedSide source = fit_source(pairs, training, options, info.source);
  observer.note(side_note("source", info.source, source));
  FittedSide target = fit_target(pairs, training, options, info.target);
  if (target.tokens == 0) fail(Code::kData, "all targets of the training part are empty: nothing can be learnt");
  observer.note(side_note("target", info.target, target));
  const auto rows = static_cast<double>(training.size());
  info.length_ratio = (static_cast<double>(target.tokens) + rows) / (static_cast<double>(source.tokens) + rows);
  info.most_frequent = most_frequent_of(pairs.targets, training);
  if (info.kind() == PairKind::kPronunciation) info.letter_tokens = count_letter_tokens(source.texts, target.texts);
  info.source_vocabulary = std::move(source.vocabulary);
  info.target_vocabulary = std::move(target.vocabulary);
}

void encode_pairs(TranslateData& data, const TranslateInfo& info) {
  TextPipeline source = info.source_text();
  TargetText target = info.target_text();
  data.sources.clear();
  data.targets.clear();
  for (const std::string& text : data.pairs.sources) data.sources.push_back(source.encode(text));
  for (const std::string& text : data.pairs.targets) data.targets.push_back(target.encode(text));
}

std::vector<std::int64_t> longest_targets(const TranslateData& data, const std::vector<std::int64_t>& pairs) {
  std::vector<std::int64_t> longest;
  for (const std::int64_t pair : pairs) {
    const auto n = static_cast<std::size_t>(pair);
    const std::size_t place = data.sources[n].size();
    if (place >= longest.size()) longest.resize(place + 1);
    longest[place] = std::max(longest[place], std::ssize(data.targets[n]));
  }
  for (std::size_t n = 1; n < longest.size(); ++n) longest[n] = std::max(longest[n], longest[n - 1]);
  return longest;
}

}  // namespace carousel
