#include "tasks/lm/lm_data.h"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "base/fail.h"
#include "base/file.h"
#include "data/split.h"
#include "data/text/join_words.h"
#include "data/text/utf8.h"
#include "tasks/text_options.h"

namespace carousel {
namespace {

constexpr std::int64_t kMostWords = 50000;  // of a vocabulary, if no limit is given
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::int64_t count_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

void check_utf8(const std::string& path, std::string_view text) {
  const auto at = find_invalid_utf8(text);
  if (!at) return;
  const std::string_view before = text.substr(0, static_cast<std::size_t>(*at));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  fail(Code::kData, "{}:{}: not UTF-8 at byte {} of the line (0x{:02x}); convert the file, as with iconv -t UTF-8",
       path, line, before.size() - start + 1, static_cast<unsigned char>(text[before.size()]));
}

void append_lines(std::string_view text, Lines& lines) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      lines.emplace_back(text);
      return;
    }
    const bool carriage_return = end > 0 && text[end - 1] == '\r';
    lines.emplace_back(text.substr(0, end - (carriage_return ? 1 : 0)));
    lines.back() += '\n';
    text.remove_prefix(end + 1);
  }
}

bool adds_line_ends(const TextSettings& settings) { return settings.level != TextLevel::kCharacter; }

// What the pipeline is given: <eos> takes the place of the line feed.
std::string_view without_end(const TextSettings& settings, std::string_view line) {
  if (adds_line_ends(settings) && line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

std::int64_t characters_of(const TextSettings& settings, std::string_view line) {
  return count_characters(without_end(settings, line)) + (adds_line_ends(settings) ? 1 : 0);
}

TextSettings settings_for(const Lines& lines, const DataOptions& options, std::vector<std::string>& notes) {
  TextSettings settings = text_settings(options, {.nfkc = false, .lowercase = false});
  std::vector<std::int64_t> all(lines.size());
  std::iota(all.begin(), all.end(), 0);
  if (settings.level == TextLevel::kAuto) settings.level = choose_level(lines, all);
  if (settings.level == TextLevel::kWord && holds_unknown(lines)) {
    settings.level = TextLevel::kWhitespace;
    notes.emplace_back("text: holds <unk>, so it is tokenised already: cut at white space");
  }
  settings.add_eos = adds_line_ends(settings);
  return settings;
}

// Gives frequent tokens small ids, as adaptive and sampled softmax expect; subwords come in SentencePiece's order.
void order_by_count(std::vector<std::string>& vocabulary, std::vector<std::vector<std::int32_t>>& ids) {
  std::vector<std::int64_t> counts(vocabulary.size());
  for (const auto& line : ids) {
    for (const std::int32_t id : line) ++counts[static_cast<std::size_t>(id)];
  }
  std::vector<std::size_t> order(vocabulary.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin() + Vocabulary::kSpecials, order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::vector<std::string> ordered;
  std::vector<std::int32_t> places(order.size());
  for (const std::size_t id : order) {
    places[id] = static_cast<std::int32_t>(ordered.size());
    ordered.push_back(vocabulary[id]);
  }
  vocabulary = std::move(ordered);
  for (auto& line : ids) {
    for (std::int32_t& id : line) id = places[static_cast<std::size_t>(id)];
  }
}

}  // namespace

Lines read_lines(const std::vector<std::string>& paths) {
  Lines lines;
  for (const std::string& path : paths) {
    const std::string whole = read_text(path);
    std::string_view text = whole;
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (text.empty()) fail(Code::kData, "{}: the file is empty, expected text", path);
    check_utf8(path, text);
    if (!lines.empty() && !lines.back().ends_with('\n')) lines.back() += '\n';
    append_lines(text, lines);
  }
  return lines;
}

TextParts hold_back(const Lines& lines, double fraction) {
  std::string text;
  for (const std::string& line : lines) text += line;
  auto at = static_cast<std::size_t>(static_cast<double>(text.size()) * (1 - fraction));
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  const std::size_t line_end = text.find('\n', at == 0 ? 0 : at - 1);
  if (line_end != std::string::npos && line_end + 1 - at < (text.size() - at) / 2) at = line_end + 1;
  if (at == 0 || at >= text.size()) {
    fail(Code::kUsage, "the text has {} bytes: too few to hold back a part to validate on; give --valid", text.size());
  }
  TextParts parts;
  append_lines(std::string_view(text).substr(0, at), parts.train);
  append_lines(std::string_view(text).substr(at), parts.valid);
  return parts;
}

Lines lines_of_part(const Lines& lines, const std::string& split, const std::string& part) {
  const PartSizes sizes = parse_split(split, std::ssize(lines));
  const std::int64_t begin = part == "train" ? 0 : part == "valid" ? sizes.train : sizes.train + sizes.valid;
  const std::int64_t count = part == "train" ? sizes.train : part == "valid" ? sizes.valid : sizes.test;
  if (count == 0) fail(Code::kUsage, "--split {}: the {} part of {} lines is empty", split, part, lines.size());
  return {lines.begin() + begin, lines.begin() + begin + count};
}

bool holds_unknown(const Lines& lines) {
  constexpr std::string_view kUnknown = "<unk>";
  const auto blank = [](const std::string& line, std::size_t at) {
    return at >= line.size() || std::isspace(static_cast<unsigned char>(line[at])) != 0;
  };
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    const std::size_t at = line.find(kUnknown);
    return at != std::string::npos && (at == 0 || blank(line, at - 1)) && blank(line, at + kUnknown.size());
  });
}

double unknown_share(std::span<const std::int32_t> ids) {
  const auto unknown = static_cast<double>(std::count(ids.begin(), ids.end(), Vocabulary::kUnknown));
  return ids.empty() ? 0 : unknown / static_cast<double>(ids.size());
}

LmEncoder::LmEncoder(const TextSettings& settings, const std::vector<std::string>& vocabulary)
    : pipeline_(settings, Vocabulary::from_tokens(vocabulary)) {}

std::vector<std::int32_t> LmEncoder::encode_text(std::string_view text) {
  Lines lines;
  append_lines(text, lines);
  std::vector<std::int32_t> ids = encode(lines).ids;
  if (pipeline_.settings().add_eos && !text.empty() && !text.ends_with('\n')) ids.pop_back();
  return ids;
}

std::vector<std::string> LmEncoder::unknown_words(std::string_view text) {
  const std::string& unknown = pipeline_.vocabulary().token(Vocabulary::kUnknown);
  Lines lines;
  append_lines(text, lines);
  std::vector<std::string> words;
  for (const std::string& line : lines) {
    const TextTrace trace = pipeline_.explain(without_end(pipeline_.settings(), line));
    for (std::size_t k = 0; k < trace.ids.size(); ++k) {
      const std::string& word = trace.tokens[k];
      const bool known = trace.ids[k] != Vocabulary::kUnknown || word == unknown;
      if (!known && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
    }
  }
  return words;
}

TokenStream LmEncoder::encode(const Lines& lines) {
  TokenStream stream;
  for (const std::string& line : lines) {
    const std::vector<std::int32_t> ids = pipeline_.encode(without_end(pipeline_.settings(), line));
    stream.ids.insert(stream.ids.end(), ids.begin(), ids.end());
    stream.characters += characters_of(pipeline_.settings(), line);
  }
  return stream;
}

std::int32_t LmEncoder::line_end() const {
  return pipeline_.settings().add_eos ? Vocabulary::kEnd : pipeline_.vocabulary().id("\n");
}

std::string LmEncoder::text_of(std::int32_t id, std::int32_t previous) const {
  std::string token = pipeline_.text_of(id);
  if (!pipeline_.settings().add_eos) return token;
  if (id == Vocabulary::kEnd) return "\n";
  const bool begins = previous == Vocabulary::kEnd;
  if (pipeline_.settings().level != TextLevel::kSubword) {
    if (begins) return token;
    const std::string before = pipeline_.text_of(previous);
    const bool quote = token == "\"" || before == "\"";  // whether it opens or closes cannot be seen here
    if (quote || pipeline_.settings().level == TextLevel::kWhitespace) return " " + token;
    const std::string_view both[] = {before, token};
    return join_words(both).substr(before.size());
  }
  return begins && token.starts_with(' ') ? token.substr(1) : token;  // the first word of a line has a blank, too
}

FittedLm fit_lm(const Lines& lines, const DataOptions& options) {
  FittedLm fitted;
  const TextSettings settings = settings_for(lines, options, fitted.notes);
  Lines texts;
  std::vector<std::int64_t> all(lines.size());
  std::iota(all.begin(), all.end(), 0);
  for (const std::string& line : lines) texts.emplace_back(without_end(settings, line));
  const bool words = settings.level == TextLevel::kWord, subwords = settings.level == TextLevel::kSubword;
  const bool chosen = settings.level == TextLevel::kWhitespace && holds_unknown(lines);  // somebody chose the words
  const std::int64_t most = subwords ? kSubwordVocabulary : chosen ? 0 : kMostWords;
  const VocabularyLimits limits{.min_count = options.min_count > 0 ? options.min_count
                                             : words               ? 2
                                                                   : 1,
                                .max_size = options.max_vocabulary > 0 ? options.max_vocabulary : most};
  FittedText text = fit_text(texts, all, settings, limits);
  fitted.settings = text.pipeline.settings();
  fitted.vocabulary = text.pipeline.vocabulary().tokens();
  if (subwords) order_by_count(fitted.vocabulary, text.ids);
  fitted.counts.resize(fitted.vocabulary.size());
  for (const auto& ids : text.ids) fitted.stream.ids.insert(fitted.stream.ids.end(), ids.begin(), ids.end());
  for (const std::int32_t id : fitted.stream.ids) ++fitted.counts[static_cast<std::size_t>(id)];
  for (const std::string& line : lines) fitted.stream.characters += characters_of(settings, line);
  const std::int64_t size = std::ssize(fitted.vocabulary);
  const std::string kept = size == limits.max_size ? fmt::format("the most frequent of {} tokens", text.distinct_tokens)
                                                   : fmt::format("seen at least {} time{}", limits.min_count,
                                                                 limits.min_count == 1 ? "" : "s");
  fitted.notes.push_back(
      fmt::format("text: level {}, {} lines, {} characters, {} tokens, vocabulary of {} ({}), {:.2f} % of the tokens "
                  "are <unk>",
                  level_name(settings.level), lines.size(), fitted.stream.characters, fitted.stream.ids.size(), size,
                  kept, 100 * unknown_share(fitted.stream.ids)));
  return fitted;
}

}  // namespace carousel
