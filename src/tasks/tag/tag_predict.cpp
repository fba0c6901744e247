#include "tasks/tag/tag_predict.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/json.h"
#include "data/lines.h"
#include "data/number.h"
#include "kernels/softmax.h"
#include "tasks/sample_split.h"
#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_text.h"

namespace carousel {
namespace {

using nlohmann::json;

// Whether the line is a token and one of the tags, or several columns that end with one, and no sentence.
bool ends_with_tag(std::string_view line, const std::vector<std::string>& tags) {
  line = trim_blanks(line);
  const std::size_t blank = line.find_last_of(" \t");
  return blank != std::string_view::npos && std::find(tags.begin(), tags.end(), line.substr(blank + 1)) != tags.end();
}

// Notes if every line ends with one of `tags`, as lines of the form columns do.
std::vector<PlacedText> read_placed_lines(const std::vector<std::string>& paths, TextLevel level,
                                          const std::vector<std::string>& tags, TagData& data) {
  TextCutter cutter(level);
  std::vector<PlacedText> texts;
  std::int64_t filled = 0, tagged = 0;
  for (const std::string& path : paths) {
    CheckedLines lines(path);
    std::string line;
    while (lines.next(line)) {
      filled += trim_blanks(line).empty() ? 0 : 1;
      tagged += ends_with_tag(line, tags) ? 1 : 0;
      texts.push_back(cutter.cut(std::move(line)));
      data.sentences.push_back({.tokens = texts.back().words(), .path = path, .line = lines.line_number()});
      check_length(std::ssize(texts.back().tokens), data.sentences.back().place(0));
    }
  }
  if (texts.empty()) fail(Code::kData, "{}: no lines in it", fmt::join(paths, ", "));
  if (filled > 0 && tagged == filled) {
    data.notes.push_back(
        fmt::format("{}: read as raw text, but every line ends with a tag; --format columns takes tokens and tags",
                    fmt::join(paths, ", ")));
  }
  return texts;
}

std::vector<PlacedText> read_placed_texts(const DataOptions& options, const TagInfo& info, TagData& data) {
  const TextLevel level = info.text.level;
  if (options.format.empty()) return read_placed_lines(options.data, level, info.tags, data);
  if (options.format == "lines") return read_placed_lines(options.data, level, {}, data);
  const std::string format = options.format == "tokens" ? "parallel" : options.format;
  TaggedText text = read_tagged({.tokens = options.data,
                                 .format = format,
                                 .token_column = options.token_column,
                                 .tags_required = false,
                                 .keep_empty = true});
  data.sentences = std::move(text.sentences);
  data.notes = std::move(text.notes);
  std::vector<PlacedText> texts;
  for (TaggedSentence& sentence : data.sentences) {
    check_length(std::ssize(sentence.tokens), sentence.place(0));
    texts.push_back(joined_text(sentence.tokens, level));
    sentence.tags.clear();
  }
  return texts;
}

// One sequence of tags.
struct PredictedTags {
  std::vector<std::int32_t> tags;
  std::vector<double> span_scores;
  double probability = 1;  // of the whole sequence
};

struct Prediction {
  std::vector<PredictedTags> paths = {{}};  // best first
  std::int64_t intent = -1;
  float intent_score = 0;
  bool valid = true;  // the best sequence, in the scheme
};

Prediction predict_sentence(const TagDecoder& decoder, const TagInfo& info, std::int64_t n_best,
                            std::span<const float> scores, std::span<const float> intents) {
  Prediction p;
  p.paths.clear();
  std::vector<TagPath> paths{decoder.decode(scores)};
  p.valid = find_invalid(names_of(paths[0].tags, info.tags), info.scheme) < 0;
  const CrfScores<float>& crf = decoder.crf(p.valid);
  if (n_best > 1) paths = best_paths(scores, crf, n_best);
  const TagProbabilities probabilities = tag_probabilities(scores, crf);
  for (TagPath& path : paths) {
    PredictedTags& one = p.paths.emplace_back();
    one.tags = std::move(path.tags);
    one.probability = std::exp(path.score - probabilities.log_z);
    if (info.scheme == TagScheme::kPlain) continue;
    const std::vector<std::string> names = names_of(one.tags, info.tags);
    for (const TagSpan& span : find_spans(names)) {
      const auto of_span = std::span(one.tags).subspan(static_cast<std::size_t>(span.begin),
                                                       static_cast<std::size_t>(span.end - span.begin));
      one.span_scores.push_back(run_probability(scores, crf, probabilities, span.begin, of_span));
    }
  }
  if (!intents.empty()) {
    std::vector<float> chances(intents.size());
    kernels::softmax<float>(1, std::ssize(intents), intents.data(), chances.data());
    const auto best = std::max_element(chances.begin(), chances.end());
    p.intent = best - chances.begin();
    p.intent_score = *best;
  }
  return p;
}

// Which sentences have tags that are not valid, if any have.
void note_rows(const TagData& data, const TagInfo& info, std::span<const Prediction> predictions, RowSink& sink) {
  const auto invalid = [](const Prediction& p) { return !p.valid; };
  const auto first = std::find_if(predictions.begin(), predictions.end(), invalid);
  if (first == predictions.end()) return;
  const TaggedSentence& sentence = data.sentences[static_cast<std::size_t>(first - predictions.begin())];
  sink.note(fmt::format("{} sentences have no tags that are valid together in scheme {}, first at {}; theirs are not",
                        std::count_if(first, predictions.end(), invalid), scheme_name(info.scheme), sentence.place(0)));
}

// Writes rows: what a cell says in CSV, and in JSON.
class RowMaker {
 public:
  RowMaker(const TagInfo& info, bool ranks, RowSink& sink) : info_(info), sink_(sink), ranks_(ranks) {
    const bool typed = std::any_of(info.tags.begin(), info.tags.end(),
                                   [](const std::string& tag) { return tag.find('-') != std::string::npos; });
    has_spans_ = info.scheme != TagScheme::kPlain;
    has_words_ = has_spans_ && !typed;
    of_characters_ = info.text.level == TextLevel::kCharacter;
    std::vector<std::string> columns{"text", "tokens", "tags"};
    if (has_spans_) columns.emplace_back("spans");
    if (has_words_) columns.emplace_back("words");
    if (!info.intents.empty()) columns.insert(columns.end(), {"intent", "intent_score"});
    if (ranks) columns.insert(columns.end(), {"rank", "probability"});
    sink.header(columns);
  }

  // A row for each sequence of tags.
  void write(const PlacedText& text, const std::vector<std::string>& tokens, const Prediction& prediction) {
    for (std::size_t rank = 0; rank < prediction.paths.size(); ++rank) write(text, tokens, prediction, rank);
  }

 private:
  void write(const PlacedText& text, const std::vector<std::string>& tokens, const Prediction& prediction,
             std::size_t rank) {
    cells_.clear();
    values_.clear();
    const PredictedTags& path = prediction.paths[rank];
    const std::vector<std::string> tags = names_of(path.tags, info_.tags);
    add(text.text, "");
    add(fmt::format("{}", fmt::join(tokens, " ")), json_text(json(tokens)));
    add(fmt::format("{}", fmt::join(tags, " ")), json_text(json(tags)));
    if (has_spans_) add_spans(text, tags, path);
    if (!info_.intents.empty()) {
      const bool known = prediction.intent >= 0;
      add(known ? info_.intents[static_cast<std::size_t>(prediction.intent)] : "", "");
      add(known ? fmt::format("{:.6g}", prediction.intent_score) : "", "");
    }
    if (ranks_) {
      add(std::to_string(rank + 1), "");
      add(fmt::format("{:.6g}", path.probability), "");
    }
    sink_.row(cells_, values_);
  }

  void add(std::string cell, std::string value) {
    cells_.push_back(std::move(cell));
    values_.push_back(std::move(value));
  }

  void add_spans(const PlacedText& text, const std::vector<std::string>& tags, const PredictedTags& path) {
    CodePoints points(text.text);
    std::string cell;
    json list = json::array();
    std::vector<std::string> words;
    const std::vector<TagSpan> spans = find_spans(tags);
    for (std::size_t k = 0; k < spans.size(); ++k) {
      const std::size_t first = text.tokens[static_cast<std::size_t>(spans[k].begin)].first;
      const std::size_t last = text.tokens[static_cast<std::size_t>(spans[k].end - 1)].second;
      const std::int64_t begin = points.before(first), end = points.before(last);
      if (!cell.empty()) cell += ';';
      if (!spans[k].type.empty()) cell += fmt::format("{}:", spans[k].type);
      cell += fmt::format("{}-{}", begin, end);
      list.push_back({{"type", spans[k].type},
                      {"begin", begin},
                      {"end", end},
                      {"text", text.text.substr(first, last - first)},
                      {"score", path.span_scores[k]}});
      if (has_words_) add_words(text, spans[k], words);
    }
    add(std::move(cell), json_text(list));
    if (has_words_) add(fmt::format("{}", fmt::join(words, " ")), json_text(json(words)));
  }

  // The word that a span is. White space between characters, which is no token, parts words all the same.
  void add_words(const PlacedText& text, const TagSpan& span, std::vector<std::string>& words) const {
    for (std::int64_t t = span.begin; t < span.end; ++t) {
      const auto k = static_cast<std::size_t>(t);
      const auto [begin, end] = text.tokens[k];
      const std::size_t before = t > span.begin ? text.tokens[k - 1].second : begin;
      if (t == span.begin || (of_characters_ && before < begin)) {
        words.push_back(text.text.substr(begin, end - begin));
      } else {
        words.back() += text.text.substr(before, end - before);
      }
    }
  }

  const TagInfo& info_;
  RowSink& sink_;
  bool ranks_, has_spans_ = false, has_words_ = false, of_characters_ = false;
  std::vector<std::string> cells_, values_;
};

}  // namespace

void predict_tags(const Model& model, const Options& options, RowSink& sink) {
  const TagInfo info = TagInfo::from_model(model);
  TagData data;
  const std::vector<PlacedText> texts = read_placed_texts(options.data, info, data);
  encode_sentences(info, data);
  const std::vector<std::int64_t> chosen = part_samples(options.data, info.split, data.size());
  std::vector<std::int64_t> filled;  // a sentence without tokens needs no network
  for (const std::int64_t n : chosen) {
    if (!texts[static_cast<std::size_t>(n)].tokens.empty()) filled.push_back(n);
  }
  const TagDecoder decoder(model.network(), info);
  const std::int64_t n_best = options.model.n_best;
  std::vector<Prediction> predictions(texts.size());
  score_sentences(model.network(), data, filled, info,
                  [&](std::int64_t place, std::span<const float> scores, std::span<const float> intents) {
                    const std::int64_t n = filled[static_cast<std::size_t>(place)];
                    predictions[static_cast<std::size_t>(n)] = predict_sentence(decoder, info, n_best, scores, intents);
                  });
  for (const std::string& note : data.notes) sink.note(note);
  note_rows(data, info, predictions, sink);
  RowMaker rows(info, n_best > 1, sink);
  for (const std::int64_t n : chosen) {
    const auto k = static_cast<std::size_t>(n);
    rows.write(texts[k], data.sentences[k].tokens, predictions[k]);
  }
}

}  // namespace carousel
