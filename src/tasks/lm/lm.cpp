#include "tasks/lm/lm.h"

#include <algorithm>

#include "base/fail.h"
#include "tasks/baselines/ngram_baselines.h"
#include "tasks/lm/lm_model.h"
#include "tasks/lm/lm_report.h"
#include "tasks/lm/lm_training.h"
#include "tasks/report/report_files.h"
#include "tasks/sample_split.h"
#include "tasks/token_input.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

constexpr double kDynamicLr = 0.1;  // of --dynamic, if none is given

TextParts load_lm(const DataOptions& options) {
  refuse_split_beside_valid(options, !options.valid.empty());
  const Lines lines = read_lines(options.data);
  if (!options.valid.empty()) return {lines, read_lines(options.valid)};
  if (options.split.empty()) return hold_back(lines, options.valid_fraction);
  return {lines_of_part(lines, options.split, "train"), lines_of_part(lines, options.split, "valid")};
}

TrainDefaults lm_defaults(const FittedLm& text) {
  if (text.settings.level == TextLevel::kCharacter) {
    return {.epochs = 14, .batch_size = 32, .patience = 3, .lr = 4e-3, .clip = 1, .schedule = "cosine"};
  }
  return {.epochs = 8, .batch_size = 20, .patience = 3, .lr = 3e-3, .clip = 1, .schedule = "cosine"};
}

// Batch size and steps of back-propagation besides what every task picks: a short text gets fewer streams, so that
// each has some chunks.
TrainOptions resolve_lm_training(const Options& options, const FittedLm& text, Observer& observer) {
  TrainDefaults defaults = lm_defaults(text);
  TrainOptions train = options.train;
  if (!options.is_given("train.bptt") && train.bptt == 0) {
    train.bptt = text.settings.level == TextLevel::kCharacter ? 64 : 25;
  }
  constexpr std::int64_t kChunks = 100;  // an epoch changes the weights at least so often
  const std::int64_t steps = std::max<std::int64_t>(train.bptt, 1) * kChunks;
  defaults.batch_size = std::clamp<std::int64_t>(std::ssize(text.stream.ids) / steps, 1, defaults.batch_size);
  train = resolve_training(train, defaults, observer);
  const std::int64_t length = std::ssize(text.stream.ids) / train.batch_size;
  observer.note(fmt::format("batches: {} streams of {} tokens, {} steps at a time", train.batch_size, length,
                            train.bptt == 0 ? length : train.bptt));
  return train;
}

// The vectors that the options name; nothing if none.
std::optional<WordVectors> read_lm_vectors(const Options& options, const FittedLm& text, const LmEncoder& encoder,
                                           Observer& observer) {
  DataOptions data = options.data;
  data.level = level_name(text.settings.level);
  check_token_input(data, options.model, false);
  std::optional<WordVectors> vectors = read_vectors(data, options.model, encoder.pipeline());
  if (vectors) observer.note(describe_vectors(*vectors, data.vectors, std::span(&text.stream.ids, 1)));
  return vectors;
}

Baseline unigram_baseline(const std::vector<std::int64_t>& counts, const TokenStream& text, TextLevel level) {
  return {"unigram", lm_metrics(unigram_loss(counts, text.ids), text, level)};
}

Baseline trigram_baseline(std::span<const std::int32_t> training, std::int64_t vocabulary_size, const TokenStream& text,
                          TextLevel level) {
  return {"trigram", lm_metrics(trigram_loss(training, vocabulary_size, text.ids), text, level)};
}

// What the trainer measured of the weights that it kept; without a validated epoch nothing is known.
void add_scores(const TrainSummary& summary, const FittedLm& text, const TokenStream& valid, Observer& observer,
                EvaluateResult& result) {
  if (!summary.best) {
    observer.note("scores: none, training was stopped in its first epoch; evaluate gives them");
    return;
  }
  const TextLevel level = text.settings.level;
  result.samples = std::ssize(valid.ids);
  result.metrics = lm_metrics(summary.best->loss * static_cast<double>(valid.ids.size()), valid, level);
  result.baselines = {unigram_baseline(text.counts, valid, level)};
  if (observer.stop_requested()) {
    observer.note("baselines: the trigram takes its time and is left out, training was stopped");
    return;
  }
  result.baselines.push_back(trigram_baseline(text.stream.ids, std::ssize(text.vocabulary), valid, level));
}

class LanguageModel final : public Task {
 public:
  std::string_view name() const override { return "lm"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    const TextParts parts = load_lm(options.data);
    const FittedLm text = fit_lm(parts.train, options.data);
    for (const std::string& note : text.notes) observer.note(note);
    LmEncoder encoder(text.settings, text.vocabulary);
    const TokenStream valid = encoder.encode(parts.valid);
    observer.note(
        fmt::format("validation: {} tokens, {:.2f} % of them <unk>", valid.ids.size(), 100 * unknown_share(valid.ids)));
    const std::optional<WordVectors> vectors = read_lm_vectors(options, text, encoder, observer);
    ModelOptions asked = options.model;
    if (vectors) asked.embedding_size = vectors->size();
    const ModelOptions model_options = resolve_lm_model(asked, text, observer);
    const TrainOptions training = resolve_lm_training(options, text, observer);
    Model model("lm", build_lm(model_options, text.vocabulary));
    model.network().initialize(static_cast<std::uint64_t>(training.seed));
    if (vectors) set_vectors(LmNetwork(model.network()).body(), *vectors);
    model.set_task_data(LmInfo{text.settings, text.vocabulary, text.counts, options.data.split}.to_json());
    note_kernels(model.network(), training, observer);
    const TextLevel level = text.settings.level;
    LmProblem problem(model.network(),
                      {&text.stream, &valid, encoder.line_end(), level, model_options.softmax == "sampled"}, training);
    TrainSummary summary;
    try {
      const TrainerOptions trainer = trainer_options(training, lm_defaults(text), options.output.run_dir);
      summary = train_within(training.max_memory, problem, trainer, observer);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem.has_best()) model.save(options.output.out);  // the last good
      throw;
    }
    TrainResult result;
    result.task = "lm";
    add_scores(summary, text, valid, observer, result);
    fill_result(result, summary, model, options.output, std::ssize(text.stream.ids));
    result.options = options;
    result.options.model = model_options;
    result.options.train = training;
    result.options.data.level = level_name(level);
    model.set_training(training_json(summary, training, result));
    model.save(options.output.out);
    if (wants_report(options.output)) write_lm_report(options, result, observer);
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const LmInfo info = LmInfo::from_model(model);
    LmEncoder encoder(info.text, info.vocabulary);
    const TokenStream text = load_for_model(info, options.data, encoder);
    const std::int64_t streams = std::max<std::int64_t>(1, options.train.batch_size);
    observer.note(fmt::format("text: {} tokens, {:.2f} % of them <unk>, {} characters, read as {} stream{}",
                              text.ids.size(), 100 * unknown_share(text.ids), text.characters, streams,
                              streams == 1 ? "" : "s"));
    const DataOptions& data = options.data;
    if (streams > 1 && (data.dynamic || data.surprise || !options.output.report.empty())) {
      fail(Code::kUsage, "--batch-size {}: --dynamic, --surprise and --report read the text as one stream", streams);
    }
    if (data.dynamic && options.model.dtype != "f32") {
      fail(Code::kUsage, "--dynamic --dtype {}: only weights in f32 can learn; leave one out", options.model.dtype);
    }
    if (!data.dynamic && options.is_given("data.dynamic_lr")) {
      fail(Code::kUsage, "--dynamic-lr: belongs to --dynamic, which is not given");
    }
    const double lr = data.dynamic_lr > 0 ? data.dynamic_lr : kDynamicLr;
    const StreamScore score = data.dynamic ? score_dynamically(model.network(), text.ids, encoder.line_end(), lr)
                                           : score_stream(model.network(), text.ids, encoder.line_end(), streams);
    EvaluateResult result;
    result.task = "lm";
    result.samples = std::ssize(text.ids);
    result.metrics = lm_metrics(score.sum, text, info.text.level);
    result.baselines = {unigram_baseline(info.counts, text, info.text.level)};
    const Lines known = baseline_lines(info, data);
    if (known.empty()) {
      observer.note("baselines: the model file has no counts for a trigram; --baseline-data TRAIN adds it");
    } else {
      const std::vector<std::int32_t> training = encoder.encode(known).ids;
      result.baselines.push_back(trigram_baseline(training, std::ssize(info.vocabulary), text, info.text.level));
    }
    for (std::size_t t = 0; t < text.ids.size() && data.surprise; ++t) {
      result.tokens.push_back({encoder.pipeline().vocabulary().token(text.ids[t]), text.ids[t], -score.losses[t]});
    }
    if (wants_report(options.output)) {
      write_lm_report(options, result, model, {encoder, text.ids, score.losses});
    }
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const LmInfo info = LmInfo::from_model(model);
    LmEncoder encoder(info.text, info.vocabulary);
    sink.header({"tokens", "unknown", "log_probability", "perplexity"});
    for (const std::string& line : lines_for_model(info, options.data)) {
      const TokenStream text = encoder.encode({line});
      const double sum = score_stream(model.network(), text.ids, encoder.line_end()).sum;
      const std::int64_t unknown = std::count(text.ids.begin(), text.ids.end(), Vocabulary::kUnknown);
      sink.row({std::to_string(text.ids.size()), std::to_string(unknown), fmt::format("{:.6g}", -sum),
                fmt::format("{:.6g}", find_perplexity(sum, text))});
    }
  }

  DataReport check(const Options& options) const override {
    const Lines lines = read_lines(options.data.data);
    const FittedLm text = fit_lm(lines, options.data);
    DataReport report;
    const auto longest =
        std::max_element(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
    const std::int64_t distinct = std::ssize(text.counts) - std::count(text.counts.begin(), text.counts.end(), 0);
    report.facts = {{"lines", std::to_string(lines.size())},
                    {"characters", std::to_string(text.stream.characters)},
                    {"level", std::string(level_name(text.settings.level))},
                    {"tokens", fmt::format("{}, {} of them distinct", text.stream.ids.size(), distinct)},
                    {"vocabulary", std::to_string(text.vocabulary.size())},
                    {"longest line", fmt::format("line {}, {} bytes", longest - lines.begin() + 1, longest->size())}};
    report.facts.emplace_back("<unk>", fmt::format("{:.2f} % of the tokens", 100 * unknown_share(text.stream.ids)));
    if (distinct < 2) report.problems.emplace_back("the text has one distinct token: nothing can be learnt");
    return report;
  }

 private:
  static double find_perplexity(double sum, const TokenStream& text) {
    return *find_metric(lm_metrics(sum, text, TextLevel::kWord), "perplexity");
  }
  static Lines lines_for_model(const LmInfo& info, const DataOptions& options) {
    Lines lines = read_lines(options.data);
    if (options.part.empty()) return lines;
    if (info.split.empty()) fail(Code::kUsage, "--part {}: the model was trained without --split", options.part);
    return lines_of_part(lines, info.split, options.part);
  }
  // What the trigram is fitted on: --baseline-data, or the training part beside another one; empty: neither is there.
  static Lines baseline_lines(const LmInfo& info, const DataOptions& options) {
    if (!options.baseline_data.empty()) return read_lines(options.baseline_data);
    if (options.part.empty() || options.part == "train") return {};
    return lines_of_part(read_lines(options.data), info.split, "train");
  }
  static TokenStream load_for_model(const LmInfo& info, const DataOptions& options, LmEncoder& encoder) {
    return encoder.encode(lines_for_model(info, options));
  }
};

}  // namespace

const Task& lm_task() {
  static const LanguageModel task;
  return task;
}

}  // namespace carousel
