#include "tasks/tag/tag_data.h"

#include <algorithm>
#include <iterator>

#include "base/fail.h"
#include "data/text/normalize.h"
#include "data/text/token_index.h"
#include "data/text/word_shape.h"
#include "tasks/token_input.h"

namespace carousel {

std::vector<std::int32_t> TagData::lengths(std::span<const std::int64_t> samples) const {
  std::vector<std::int32_t> list;
  for (const std::int64_t n : samples) {
    list.push_back(static_cast<std::int32_t>(sentences[static_cast<std::size_t>(n)].tokens.size()));
  }
  return list;
}

void check_length(std::int64_t tokens, const std::string& place) {
  if (tokens <= kMostTokens) return;
  fail(Code::kData, "{}: the sentence has {} tokens, expected at most {}; put each sentence into a line of its own",
       place, tokens, kMostTokens);
}

TagData read_tag_data(const DataOptions& options, bool valid) {
  TaggedSources sources{.tokens = valid ? options.valid : options.data,
                        .tags = valid ? options.valid_tags : options.tags,
                        .labels = valid ? options.valid_intents : options.intents,
                        .format = options.format,
                        .token_column = options.token_column,
                        .tag_column = options.tag_column};
  if (sources.format.empty()) sources.format = sources.tags.empty() ? "columns" : "parallel";
  TaggedText text = read_tagged(sources);
  for (const TaggedSentence& sentence : text.sentences) {
    check_length(std::ssize(sentence.tokens), sentence.place(0));
  }
  TagData data;
  data.sentences = std::move(text.sentences);
  data.notes = std::move(text.notes);
  return data;
}

void append(TagData& data, TagData more) {
  std::move(more.sentences.begin(), more.sentences.end(), std::back_inserter(data.sentences));
  std::move(more.notes.begin(), more.notes.end(), std::back_inserter(data.notes));
}

TextLevel tag_level(const DataOptions& options, const TagData& data, std::span<const std::int64_t> samples) {
  if (options.level == "subword") {
    fail(Code::kUsage, "--level subword: a tagger tags the tokens of its data; expected word, char or whitespace");
  }
  if (!options.level.empty()) return parse_level(options.level);
  constexpr std::size_t kSentences = 1000;
  const auto looked_at = samples.first(std::min(kSentences, samples.size()));
  Segmenter characters(TextLevel::kCharacter), words(TextLevel::kWord);
  std::vector<std::string_view> cut;
  bool single = true;
  std::int64_t same = 0;
  for (const std::int64_t n : looked_at) {
    const std::vector<std::string>& tokens = data.sentences[static_cast<std::size_t>(n)].tokens;
    for (const std::string& token : tokens) {
      if (!single) break;
      characters.segment(token, cut);
      single = cut.size() == 1;
    }
    const std::string text = fmt::format("{}", fmt::join(tokens, " "));
    words.segment(text, cut);
    same += std::equal(cut.begin(), cut.end(), tokens.begin(), tokens.end());
  }
  if (single) return TextLevel::kCharacter;
  return 5 * same >= 4 * std::ssize(looked_at) ? TextLevel::kWord : TextLevel::kWhitespace;
}

std::string normalized_token(std::string_view token) { return normalize_text(token); }

std::vector<std::string> characters_of(Segmenter& segmenter, std::string_view token) {
  std::vector<std::string_view> characters;
  segmenter.segment(token, characters);
  return {characters.begin(), characters.end()};
}

std::string pair_of(std::string_view normalized, std::string_view next) {
  return fmt::format("{} {}", normalized, next);
}

namespace {

// Its place in the sorted names; -1 if it is not there.
std::int32_t place_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::lower_bound(names.begin(), names.end(), name);
  return found != names.end() && *found == name ? static_cast<std::int32_t>(found - names.begin()) : -1;
}

}  // namespace

void encode_sentences(const TagVocabularies& known, TagData& data) {
  TokenIndex forms, unseen;
  const auto word_id = [&](const std::string& word) {
    if (known.buckets == 0 || known.words.contains(word)) return known.words.id(word);
    return static_cast<std::int32_t>(known.words.size()) + unseen.add(word);
  };
  std::vector<std::string> normalized;  // of each form, like the next two
  std::vector<std::int32_t> form_words, form_shapes;
  Segmenter segmenter(TextLevel::kCharacter);
  const bool reads_characters = known.characters.size() > Vocabulary::kSpecials;
  const bool reads_pairs = known.pairs.size() > Vocabulary::kSpecials;
  for (const TaggedSentence& sentence : data.sentences) {
    auto &words = data.words.emplace_back(), &shapes = data.shapes.emplace_back(), &of = data.forms.emplace_back();
    for (const std::string& token : sentence.tokens) {
      const std::int32_t form = forms.add(token);
      if (form == std::ssize(form_words)) {
        normalized.push_back(normalized_token(token));
        form_words.push_back(word_id(normalized.back()));
        form_shapes.push_back(1 + static_cast<std::int32_t>(word_shape(token)));
        if (reads_characters) {
          auto& spelling = data.spellings.emplace_back();
          for (const std::string& character : characters_of(segmenter, token)) {
            spelling.push_back(known.characters.id(character));
          }
        }
      }
      words.push_back(form_words[static_cast<std::size_t>(form)]);
      shapes.push_back(form_shapes[static_cast<std::size_t>(form)]);
      of.push_back(form);
    }
    auto& pairs = data.pairs.emplace_back();
    for (std::size_t t = 0; t < of.size() && reads_pairs; ++t) {
      std::string_view next;
      if (t + 1 < of.size()) next = normalized[static_cast<std::size_t>(of[t + 1])];
      pairs.push_back(known.pairs.id(pair_of(normalized[static_cast<std::size_t>(of[t])], next)));
    }
    auto& tags = data.tags.emplace_back();
    for (const std::string& tag : sentence.tags) tags.push_back(place_of(known.tags, tag));
    data.intents.push_back(place_of(known.intents, sentence.label));
  }
  data.unseen = hash_words(unseen.tokens(), known.buckets);
}

}  // namespace carousel
