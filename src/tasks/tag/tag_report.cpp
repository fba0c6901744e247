#include "tasks/tag/tag_report.h"

#include <algorithm>

#include "base/fail.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"
#include "tasks/tag/tag_decode.h"

namespace carousel {
namespace {

using Cells = std::vector<std::string>;

std::string html_table(const Cells& columns, const std::vector<Cells>& rows) {
  std::string html = "<div class=\"wide\"><table><thead><tr>";
  for (const std::string& column : columns) html += fmt::format("<th scope=\"col\">{}</th>", html_escaped(column));
  html += "</tr></thead><tbody>\n";
  for (const Cells& row : rows) {
    html += "<tr>";
    for (const std::string& cell : row) html += fmt::format("<td>{}</td>", html_escaped(cell));
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

Figure types_figure(const TagScore& score) {
  std::vector<Cells> rows;
  const auto add = [&](const std::string& name, const SpanCounts& counts) {
    rows.push_back({name, std::to_string(counts.actual), std::to_string(counts.predicted),
                    std::to_string(counts.correct), fmt::format("{:.4f}", counts.precision()),
                    fmt::format("{:.4f}", counts.recall()), fmt::format("{:.4f}", counts.f1())});
  };
  add("all", score.total());
  for (const auto& [type, counts] : score.types()) add(type.empty() ? "(no type)" : type, counts);
  return {"Spans", "A span is right if begin, end and type are",
          html_table({"type", "true", "predicted", "right", "precision", "recall", "F1"}, rows)};
}

Figure confusions_figure(const TagScore& score) {
  constexpr std::size_t kMost = 20;
  std::vector<Cells> rows;
  for (const auto& [tags, count] : score.confusions()) {
    if (rows.size() < kMost) rows.push_back({tags.first, tags.second, std::to_string(count)});
  }
  return {"Confusions", "Which tag was taken for which, of each token; the 20 most frequent",
          html_table({"true", "predicted", "tokens"}, rows)};
}

// "to [boston](toloc.city_name)": the tokens with the spans that the tags say.
std::string marked_text(const std::vector<std::string>& tokens, const std::vector<std::string>& tags) {
  std::string text;
  std::vector<TagSpan> spans = find_spans(tags);
  for (std::size_t t = 0, k = 0; t < tokens.size(); ++t) {
    const bool in_span = k < spans.size() && spans[k].begin <= static_cast<std::int64_t>(t);
    if (t > 0) text += ' ';
    if (in_span && spans[k].begin == static_cast<std::int64_t>(t)) text += '[';
    text += tokens[t];
    if (in_span && spans[k].end == static_cast<std::int64_t>(t) + 1) text += fmt::format("]({})", spans[k++].type);
  }
  return text;
}

Figure errors_figure(const TagOutcome& o) {
  constexpr std::size_t kMost = 20;
  struct Wrong {
    std::int64_t tokens, sample;
    std::vector<std::string> tags;
  };
  std::vector<Wrong> wrong;
  const TagDecoder decoder(o.network, o.info);
  score_sentences(o.network, o.data, o.samples, o.info,
                  [&](std::int64_t place, std::span<const float> scores, std::span<const float>) {
                    const std::int64_t n = o.samples[static_cast<std::size_t>(place)];
                    const auto& actual = o.data.sentences[static_cast<std::size_t>(n)].tags;
                    Wrong one{0, n, names_of(decoder.decode(scores).tags, o.info.tags)};
                    for (std::size_t t = 0; t < actual.size(); ++t) one.tokens += actual[t] != one.tags[t];
                    if (one.tokens > 0) wrong.push_back(std::move(one));
                  });
  std::sort(wrong.begin(), wrong.end(), [](const Wrong& a, const Wrong& b) {
    return a.tokens != b.tokens ? a.tokens > b.tokens : a.sample < b.sample;
  });
  if (wrong.size() > kMost) wrong.resize(kMost);
  std::vector<Cells> rows;
  for (const Wrong& one : wrong) {
    const TaggedSentence& sentence = o.data.sentences[static_cast<std::size_t>(one.sample)];
    rows.push_back({sentence.place(0), std::to_string(one.tokens), marked_text(sentence.tokens, sentence.tags),
                    marked_text(sentence.tokens, one.tags)});
  }
  return {"Sentences with the most wrong tags", "At most 20",
          html_table({"where", "wrong", "true", "predicted"}, rows)};
}

void add_tag_figures(const TagOutcome& outcome, std::vector<Figure>& figures) {
  if (outcome.info.scheme != TagScheme::kPlain) figures.push_back(types_figure(outcome.score));
  figures.push_back(confusions_figure(outcome.score));
  figures.push_back(errors_figure(outcome));
}

}  // namespace

void write_tag_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                      const TagOutcome& outcome) {
  Report report = training_report(fmt::format("Tagging of {}", file_names(options.data.data)),
                                  {"cell", result.options.model.cell}, "sentences", result, curves);
  add_tag_figures(outcome, report.figures);
  add_saturation_figure(curves.epochs(), report.figures);
  write_report_files(options.output, report);
}

void write_tag_report(const Options& options, const EvaluateResult& result, const Model& model,
                      const TagOutcome& outcome) {
  Report report = evaluation_report(options, "sentences", result, model);
  add_tag_figures(outcome, report.figures);
  write_report_files(options.output, report);
}

}  // namespace carousel
