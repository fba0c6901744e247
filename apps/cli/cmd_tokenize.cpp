#include <fmt/format.h>

#include <numeric>

#include "base/fail.h"
#include "base/json.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "data/labelled.h"
#include "data/text/pipeline.h"
#include "tasks/classify_model.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> texts_of(const CommandLine& line) {
  std::vector<std::string> texts = line.texts("--text");
  if (line.has("--data")) {
    LabelledSources sources{.sources = line.texts("--data"), .format = line.text("--format", "lines")};
    sources.text_column = line.text("--text-column", sources.text_column);
    sources.labels_required = false;
    for (std::string& text : read_labelled_texts(sources).texts) texts.push_back(std::move(text));
  }
  if (texts.empty()) fail(Code::kUsage, "there is nothing to tokenize, give --text or --data");
  return texts;
}

// Without a model the vocabulary is that of the texts themselves.
TextPipeline pipeline_of(const CommandLine& line, const std::vector<std::string>& texts) {
  if (line.has("--model")) {
    const std::string path = line.text("--model");
    if (line.has("--level")) fail(Code::kUsage, "--level and --model are both given; a model has its own way");
    const ClassifyInfo info = ClassifyInfo::from_model(Model::load(path));
    if (!info.text) fail(Code::kUsage, "--model: {} takes sequences of numbers, it has no vocabulary", path);
    return info.pipeline();
  }
  TextSettings settings;
  settings.level = parse_level(line.text("--level"));
  std::vector<std::int64_t> rows(texts.size());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return fit_text(texts, rows, settings, {}).pipeline;
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", one_line(text)); }

// Tokens, ids, padded ids and mask below one another, column by column.
std::string trace_text(const TextTrace& trace) {
  std::vector<std::vector<std::string>> rows{{"position"}, {"token"}, {"id"}, {"padded"}, {"mask"}};
  for (std::size_t k = 0; k < trace.padded.size(); ++k) {
    rows[0].push_back(fmt::format("{}", k));
    rows[1].push_back(k < trace.tokens.size() ? one_line(trace.tokens[k]) : "");
    rows[2].push_back(k < trace.ids.size() ? fmt::format("{}", trace.ids[k]) : "");
    rows[3].push_back(fmt::format("{}", trace.padded[k]));
    rows[4].push_back(fmt::format("{}", trace.mask[k]));
  }
  return fmt::format("raw         {}\nnormalized  {}\n", in_quotes(trace.raw), in_quotes(trace.normalized)) +
         text_table(rows, false);
}

Json trace_json(const TextTrace& trace) {
  return {{"raw", trace.raw}, {"normalized", trace.normalized}, {"tokens", trace.tokens},
          {"ids", trace.ids}, {"padded", trace.padded},         {"mask", trace.mask}};
}

int run_tokenize(const CommandLine& line, Console& console) {
  const std::vector<std::string> texts = texts_of(line);
  TextPipeline pipeline = pipeline_of(line, texts);
  std::int64_t length = line.integer("--length", 0, 1 << 20, 0);
  std::vector<TextTrace> traces;
  for (const std::string& text : texts) {
    traces.push_back(pipeline.explain(text));
    length = std::max(length, static_cast<std::int64_t>(traces.back().ids.size()));
  }
  const std::string_view level = level_name(pipeline.settings().level);
  Json list = Json::array();
  for (TextTrace& trace : traces) {
    trace = pipeline.explain(trace.raw, length);
    if (console.json()) {
      list.push_back(trace_json(trace));
    } else {
      console.out(trace_text(trace) + "\n");
    }
  }
  if (console.json()) {
    console.out_json({{"schema", 1},
                      {"level", level},
                      {"vocabulary_size", pipeline.vocabulary().size()},
                      {"length", length},
                      {"texts", list}});
  } else {
    console.out(fmt::format("{} text(s) cut at level {}, padded to {} tokens; vocabulary of {} tokens\n", texts.size(),
                            level, length, pipeline.vocabulary().size()));
  }
  return 0;
}

std::vector<Argument> tokenize_arguments() {
  return {
      {.name = "--text", .value = "TEXT", .help = "text to tokenize", .repeat = true},
      {.name = "--data", .value = "FILE", .help = "files of texts, one per line; - is standard input", .many = true},
      {.name = "--format", .value = "NAME", .help = "format of the files, as for train classify [default lines]"},
      {.name = "--text-column", .value = "NAME", .help = "column that holds the text [default text]"},
      {.name = "--level",
       .value = "HOW",
       .help = "cut into words (Chinese by dictionary) or characters [default: picked from the texts]",
       .allowed = {"word", "char", "whitespace"}},
      {.name = "--model", .value = "MODEL", .help = "use the vocabulary and settings of this model"},
      {.name = "--length", .value = "N", .help = "pad to at least this many tokens"}};
}

}  // namespace

const Verb kTokenizeVerb{.name = "tokenize",
                         .purpose = "Look inside",
                         .usage = "--text TEXT | --data FILE [options]",
                         .summary = "shows each step of the text pipeline: raw, normalized, tokens, ids, padded, mask",
                         .examples = {"tokenize --text \"I love this film\" --text Great",
                                      "tokenize --text \"Long short-term memory\" --level char --json",
                                      "tokenize --text \"a fine film\" --model reviews.safetensors"},
                         .arguments = tokenize_arguments,
                         .run = run_tokenize};

}  // namespace carousel::cli
