#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/fail.h"
#include "base/json.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "data/labelled.h"
#include "data/text/trigrams.h"
#include "tasks/tag/tag_network.h"
#include "tasks/tag/tag_text.h"
#include "tasks/text_options.h"
#include "tasks/text_pipelines.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;
using Texts = std::vector<std::string>;
using Rows = std::vector<std::vector<std::string>>;

Texts texts_in_files(const CommandLine& line) {
  if (!line.has("--data")) return {};
  LabelledSources sources{.sources = line.texts("--data"), .format = line.text("--format", "lines")};
  sources.text_column = line.text("--text-column", sources.text_column);
  sources.labels_required = false;
  Texts texts;
  LabelledReader reader(std::move(sources));
  for (LabelledRow row; reader.next(row);) texts.emplace_back(row.text);
  return texts;
}

// Without a model the vocabulary is learnt from `corpus`.
TextPipeline learn_pipeline(const CommandLine& line, const Texts& corpus) {
  DataOptions options;
  options.level = line.text("--level");
  options.lowercase = line.text("--lowercase");
  options.normalize = line.text("--normalize");
  options.subword_model = line.text("--subword-model");
  options.subwords = line.text("--subwords");
  const VocabularyLimits limits{line.integer("--min-count", 1, 1 << 30, 1),
                                line.integer("--max-vocabulary", 5, 1 << 30, 0)};
  std::vector<std::int64_t> rows(corpus.size());
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return fit_text(corpus, rows, text_settings(options, {}), limits).pipeline;
}

// Where the tokens of a model go: the first layer that turns them into numbers says how many.
std::int64_t embedding_size(const LayerDescription& layer) {
  const auto found = layer.settings.find("embedding_size");
  if (found != layer.settings.end()) return std::get<std::int64_t>(found->second);
  for (const LayerList& branch : layer.branches) {
    for (const auto& [name, part] : branch) {
      if (const std::int64_t size = embedding_size(part); size > 0) return size;
    }
  }
  return 0;
}

struct Pipeline {
  TextPipeline text;
  std::int64_t embedding_size = 0;     // 0: no model, or none that embeds
  std::optional<TagInfo> tagger = {};  // cuts raw text in a way of its own

  std::vector<TextTrace> explain(const Texts& texts) {
    if (tagger) return explain_texts(*tagger, texts);
    std::vector<TextTrace> traces;
    for (const std::string& one : texts) traces.push_back(text.explain(one));
    return traces;
  }
};

Pipeline pipeline_of_model(const CommandLine& line) {
  for (const char* name :
       {"--level", "--lowercase", "--normalize", "--subword-model", "--subwords", "--min-count", "--max-vocabulary"}) {
    if (line.has(name)) fail(Code::kUsage, "{} and --model are both given; a model has its own way", name);
  }
  const std::string path = line.text("--model"), wanted = line.text("--pipeline");
  const Model model = Model::load(path);
  auto pipelines = text_pipelines(model);
  if (pipelines.empty()) fail(Code::kUsage, "--model: {} takes numbers, it has no vocabulary", path);
  std::vector<std::string> names;
  for (auto& [name, pipeline] : pipelines) {
    names.push_back(name);
    if (!wanted.empty() && wanted != name) continue;
    const Sequential* words = tagger_part(model.network(), "words");
    Pipeline found{std::move(pipeline), embedding_size((words ? *words : model.network()).describe())};
    if (model.task() == "tag") found.tagger = TagInfo::from_model(model);
    return found;
  }
  fail(Code::kUsage, "--pipeline: {} has no '{}', only {}", path, wanted, fmt::join(names, ", "));
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", one_line(text)); }

std::string trigrams_text(std::string_view word) { return fmt::format("{}", fmt::join(letter_trigrams(word), " ")); }

bool is_mark(std::int32_t id) { return id == Vocabulary::kBegin || id == Vocabulary::kEnd; }

// One line a token.
std::string trace_text(const TextTrace& trace, bool trigrams) {
  Rows rows{{"position", "id", "bytes", "characters", "token"}};
  if (trigrams) rows[0].emplace_back("trigrams");
  for (std::size_t k = 0; k < trace.tokens.size(); ++k) {
    const TokenPlace& place = trace.places[k];
    rows.push_back({fmt::format("{}", k), fmt::format("{}", trace.ids[k]),
                    fmt::format("{}-{}", place.byte_begin, place.byte_end),
                    fmt::format("{}-{}", place.begin, place.end), in_quotes(trace.tokens[k])});
    if (trigrams) rows.back().push_back(is_mark(trace.ids[k]) ? "" : one_line(trigrams_text(trace.tokens[k])));
  }
  const std::string texts =
      fmt::format("raw         {}\nnormalized  {}\n", in_quotes(trace.raw), in_quotes(trace.normalized));
  return texts + (trace.tokens.empty() ? "no tokens\n" : text_table(rows, false));
}

// "ids, padded" or "mask": a line for each text.
std::string matrix_text(const std::vector<TextTrace>& traces, std::string_view name,
                        std::vector<std::int32_t> TextTrace::*member) {
  Rows rows;
  for (const TextTrace& trace : traces) {
    auto& row = rows.emplace_back();
    row.push_back(fmt::format("{} {}", name, rows.size() - 1));
    for (const std::int32_t value : trace.*member) row.push_back(fmt::format("{}", value));
  }
  return text_table(rows, true);
}

std::string shapes_text(const Pipeline& pipeline, const std::vector<TextTrace>& traces) {
  const std::size_t T = traces.front().padded.size(), N = traces.size();
  std::string text = fmt::format("ids and mask    [time_steps {}, n_samples {}], a text is a column\n", T, N);
  if (pipeline.embedding_size > 0) {
    text += fmt::format("embedded        [time_steps {}, n_samples {}, embedding_size {}]\n", T, N,
                        pipeline.embedding_size);
  }
  return text;
}

Json trace_json(const TextTrace& trace, bool trigrams) {
  Json characters = Json::array(), bytes = Json::array();
  for (const TokenPlace& place : trace.places) {
    characters.push_back({place.begin, place.end});
    bytes.push_back({place.byte_begin, place.byte_end});
  }
  Json object{
      {"raw", trace.raw},      {"normalized", trace.normalized}, {"tokens", trace.tokens}, {"ids", trace.ids},
      {"offsets", characters}, {"byte_offsets", bytes},          {"padded", trace.padded}, {"mask", trace.mask}};
  if (trigrams) {
    Json list = Json::array();
    for (std::size_t k = 0; k < trace.tokens.size(); ++k) {
      list.push_back(is_mark(trace.ids[k]) ? std::vector<std::string>() : letter_trigrams(trace.tokens[k]));
    }
    object["trigrams"] = std::move(list);
  }
  return object;
}

void print_json(const Pipeline& pipeline, const std::vector<TextTrace>& traces, bool trigrams, Console& console) {
  Json list = Json::array();
  for (const TextTrace& trace : traces) list.push_back(trace_json(trace, trigrams));
  const std::size_t length = traces.front().padded.size();
  Json document{{"schema", 1},
                {"level", level_name(pipeline.text.settings().level)},
                {"vocabulary_size", pipeline.text.vocabulary().size()},
                {"length", length},
                {"texts", list}};
  if (pipeline.embedding_size > 0) document["embedding_shape"] = {length, traces.size(), pipeline.embedding_size};
  console.out_json(document);
}

void print_text(const Pipeline& pipeline, const std::vector<TextTrace>& traces, bool trigrams, Console& console) {
  for (const TextTrace& trace : traces) console.out(trace_text(trace, trigrams) + "\n");
  console.out(matrix_text(traces, "padded", &TextTrace::padded) + "\n" + matrix_text(traces, "mask", &TextTrace::mask) +
              "\n" + shapes_text(pipeline, traces));
  console.out(fmt::format("{} text(s) cut at level {}, padded to {} tokens; vocabulary of {} tokens\n", traces.size(),
                          level_name(pipeline.text.settings().level), traces.front().padded.size(),
                          pipeline.text.vocabulary().size()));
}

int run_tokenize(const CommandLine& line, Console& console) {
  const Texts given = line.texts("--text"), read = texts_in_files(line);
  const Texts& texts = given.empty() ? read : given;
  if (texts.empty()) fail(Code::kUsage, "there is nothing to tokenize, give --text or --data");
  Pipeline pipeline =
      line.has("--model") ? pipeline_of_model(line) : Pipeline{learn_pipeline(line, read.empty() ? texts : read)};
  const TextLevel level = pipeline.text.settings().level;
  const bool trigrams = line.is_on("--trigrams");
  if (trigrams && level != TextLevel::kWord && level != TextLevel::kWhitespace) {
    fail(Code::kUsage, "--trigrams: are of words, the level is '{}'", level_name(level));
  }
  std::int64_t length = line.integer("--length", 0, 1 << 24, 0);
  std::vector<TextTrace> traces = pipeline.explain(texts);
  for (const TextTrace& trace : traces) length = std::max(length, std::ssize(trace.ids));
  for (TextTrace& trace : traces) pad(trace, length);
  (console.json() ? print_json : print_text)(pipeline, traces, trigrams, console);
  return 0;
}

std::vector<Argument> tokenize_arguments() {
  return {
      {.name = "--text", .value = "TEXT", .help = "text to tokenize", .repeat = true},
      {.name = "--data",
       .value = "FILE",
       .help = "files of texts, one per line, to tokenize or, with --text, to learn from; - is standard input",
       .many = true},
      {.name = "--format", .value = "NAME", .help = "format of the files, as for train classify [default lines]"},
      {.name = "--text-column", .value = "NAME", .help = "column that holds the text [default text]"},
      {.name = "--level",
       .value = "HOW",
       .help = "cut into words (Chinese by dictionary), characters or learnt subwords [default: picked from the texts]",
       .allowed = {"word", "char", "subword", "whitespace"}},
      {.name = "--lowercase",
       .value = "YES",
       .help = "make it lower case [default true]",
       .allowed = {"true", "false"}},
      {.name = "--normalize",
       .value = "FORM",
       .help = "Unicode form [default nfkc]",
       .allowed = {"nfkc", "nfc", "none"}},
      {.name = "--subword-model",
       .value = "KIND",
       .help = "how subwords are learnt [default bpe]",
       .allowed = {"bpe", "unigram"}},
      {.name = "--subwords", .value = "FILE", .help = "a SentencePiece model to use instead of learning one"},
      {.name = "--min-count", .value = "N", .help = "tokens seen less often become <unk> [default 1]"},
      {.name = "--max-vocabulary", .value = "N", .help = "at most this many tokens [default no limit, 8000 subwords]"},
      {.name = "--model", .value = "MODEL", .help = "use the vocabulary and settings of this model, of any task"},
      {.name = "--pipeline", .value = "NAME", .help = "which of a model's vocabularies, as source or target"},
      {.name = "--trigrams", .help = "show the letter trigrams of each word, too"},
      {.name = "--length", .value = "N", .help = "pad to at least this many tokens"}};
}

}  // namespace

const Verb kTokenizeVerb{
    .name = "tokenize",
    .purpose = "Look inside",
    .usage = "--text TEXT | --data FILE [options]",
    .summary = "shows each step of the text pipeline: raw, normalized, tokens, ids, padded, mask, shapes",
    .examples = {"tokenize --text \"I love this film\" --text Great",
                 "tokenize --text \"Long short-term memory\" --level char --json",
                 "tokenize --text \"a fine film\" --level subword --data reviews.txt",
                 "tokenize --text \"a fine film\" --model reviews.safetensors"},
    .arguments = tokenize_arguments,
    .run = run_tokenize};

}  // namespace carousel::cli
