#include "tasks/classify/classify.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/fail.h"
#include "base/json.h"
#include "data/split.h"
#include "tasks/baselines/text_baselines.h"
#include "tasks/classify/classify_linear.h"
#include "tasks/classify/classify_model.h"
#include "tasks/classify/classify_report.h"
#include "tasks/classify/classify_training.h"
#include "tasks/classify/documents.h"
#include "tasks/classify/token_weights.h"
#include "tasks/metrics.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"
#include "tasks/sample_split.h"
#include "tasks/text_options.h"
#include "tasks/token_input.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

// Reads the training (and validation) files and says which samples are for what.
ClassifyData load(const DataOptions& options, std::int64_t seed, Split& split) {
  if (options.folds > 0 && !(options.split.empty() && options.valid.empty())) {
    fail(Code::kUsage, "--folds {}: every sample is validated on in one of them, none is held back: leave --{} out",
         options.folds, options.split.empty() ? "valid" : "split");
  }
  ClassifyData data = read_classify_data(options.data, options, nullptr, true);
  if (data.label_names.size() < 2) {
    fail(Code::kData, "{}: all {} samples have the label '{}', expected at least two classes",
         fmt::join(options.data, ", "), data.size(), data.label_names.front());
  }
  const std::int64_t count = data.size();
  if (!options.valid.empty()) {
    DataOptions of_valid = options;
    of_valid.labels.clear();  // they are those of --data
    append(data, read_classify_data(options.valid, of_valid, &data.label_names, true));
  }
  split = split_samples(options, data.labels, count, seed);
  return data;
}

std::vector<View<const float>> views(const ClassifyData& data, const Indices& indices) {
  std::vector<View<const float>> list;
  for (const std::int64_t n : indices)
    list.push_back(data.samples.sequences[static_cast<std::size_t>(n)].values.view());
  return list;
}

std::vector<std::vector<std::int32_t>> texts(const ClassifyData& data, const Indices& indices) {
  std::vector<std::vector<std::int32_t>> ids;
  for (const std::int64_t n : indices) ids.push_back(data.samples.ids[static_cast<std::size_t>(n)]);
  return ids;
}

// `linear` is fitted for texts, null for sequences and where it is the model itself.
std::vector<Baseline> train_baselines(const ClassifyData& data, const Split& split, const TextBaseline* linear) {
  const std::int64_t classes = std::ssize(data.label_names);
  const auto train_labels = labels_of(data, split.train), valid_labels = labels_of(data, split.valid);
  const std::vector<std::int32_t> majority(split.valid.size(), majority_class(train_labels));
  std::vector<Baseline> list{{"majority", score_classes(majority, valid_labels, classes)}};
  if (linear) {
    const auto predicted = linear->predict(texts(data, split.valid));
    list.push_back({"tfidf_logistic", score_classes(predicted, valid_labels, classes)});
  } else if (!data.is_text()) {
    const auto baseline = SequenceBaseline::fit(views(data, split.train), train_labels, classes);
    const auto predicted = baseline.predict(views(data, split.valid));
    list.push_back({"summary_logistic", score_classes(predicted, valid_labels, classes)});
  }
  return list;
}

VocabularyLimits vocabulary_limits(const Options& all) {
  if (trigram_buckets(all.model) > 0) return {};  // every word
  const DataOptions& options = all.data;
  const std::int64_t most = parse_level(options.level) == TextLevel::kSubword ? kSubwordVocabulary : 50000;
  return {options.min_count > 0 ? options.min_count : 2, options.max_vocabulary > 0 ? options.max_vocabulary : most};
}

FittedText fit_texts(const ClassifyData& data, const Indices& rows, const Options& options) {
  check_token_input(options.data, options.model, true);
  TextSettings defaults;
  defaults.buckets = trigram_buckets(options.model);
  return fit_text(data.texts, rows, text_settings(options.data, defaults), vocabulary_limits(options));
}

// Vocabulary from the training texts; all texts become ids. Gives the vectors that the options name.
std::optional<WordVectors> prepare_texts(const Options& options, const Split& split, ClassifyData& data,
                                         ClassifyInfo& info, Observer& observer) {
  FittedText fitted = fit_texts(data, split.train, options);
  encode_texts(data, fitted.pipeline, info.hierarchical);
  info.text = fitted.pipeline.settings();
  info.vocabulary = fitted.pipeline.vocabulary().tokens();
  observer.note(describe_text(fitted, vocabulary_limits(options)));
  std::optional<WordVectors> vectors = read_vectors(options.data, options.model, fitted.pipeline);
  if (vectors) observer.note(describe_vectors(*vectors, options.data.vectors, fitted.ids));
  return vectors;
}

// "3 to 51 tokens, 21.3 on average".
std::string length_text(const Samples& samples, std::string_view unit) {
  std::int64_t shortest = samples.length(0), longest = 0, sum = 0;
  for (std::int64_t n = 0; n < samples.size(); ++n) {
    shortest = std::min(shortest, samples.length(n));
    longest = std::max(longest, samples.length(n));
    sum += samples.length(n);
  }
  return fmt::format("{} to {} {}, {:.1f} on average", shortest, longest, unit,
                     static_cast<double>(sum) / static_cast<double>(samples.size()));
}

void write_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                  const ClassifyOutcome& outcome) {
  const ModelOptions& model = result.options.model;
  const std::string name = model.model == "recurrent" ? model.cell : model.model;
  Report report = training_report(fmt::format("Classification of {}", file_names(options.data.data)), {"model", name},
                                  "samples", result, curves);
  add_classify_figures(outcome, report.figures);
  add_saturation_figure(curves.epochs(), report.figures);
  write_report_files(options.output, report);
}

// Of a model that was trained before.
void write_report(const Options& options, const EvaluateResult& result, const Model& model,
                  const ClassifyOutcome& outcome) {
  Report report = evaluation_report(options, "samples", result, model);
  add_classify_figures(outcome, report.figures);
  write_report_files(options.output, report);
}

// One training: vocabulary, network, weights.
struct Fitted {
  Model model;
  ClassifyInfo info;
  ModelOptions model_options;
  TrainOptions training;
  TrainSummary summary;
  Tensor scores;                       // of the validation part, [samples, classes]
  std::optional<TextBaseline> linear;  // for texts
};

Fitted fit(const Options& options, ClassifyData& data, const Split& split, const std::string& run_dir,
           Observer& observer) {
  ClassifyInfo info;
  info.labels = data.label_names;
  info.features = data.samples.features;
  info.split = options.data.split;
  info.majority = majority_class(labels_of(data, split.train));
  info.hierarchical = options.model.hierarchical;
  std::optional<WordVectors> vectors;
  if (data.is_text()) vectors = prepare_texts(options, split, data, info, observer);
  ModelOptions asked = options.model;
  if (vectors) asked.embedding_size = vectors->size();
  const ModelOptions model_options = resolve_classify_model(asked, data, split.train, observer);
  const auto start = std::chrono::steady_clock::now();
  std::optional<TextBaseline> linear;
  if (data.is_text()) {
    linear = TextBaseline::fit(texts(data, split.train), labels_of(data, split.train), std::ssize(info.labels));
  }
  TrainSummary summary;
  if (model_options.model == "tfidf") {
    summary.epochs = summary.best_epoch = 1;
    Model model("classify", fit_tfidf(*linear, data, split, run_dir, observer));
    model.set_task_data(info.to_json());
    summary.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    Tensor scores = predict_samples(model.network(), data.samples, split.valid);
    return {std::move(model), std::move(info),   model_options,    options.train,
            summary,          std::move(scores), std::move(linear)};
  }
  const TrainDefaults defaults = classify_defaults(data.is_text(), std::ssize(split.train), std::ssize(split.valid));
  const TrainOptions training = resolve_training(options.train, defaults, observer);
  Model model("classify", build_classifier(model_options, data, split.train, info.vocabulary));
  model.network().initialize(static_cast<std::uint64_t>(training.seed));
  if (vectors) set_vectors(model.network(), *vectors);
  model.set_task_data(info.to_json());
  note_kernels(model.network(), training, observer);
  ClassifyProblem problem(model.network(), data, split, training);
  if (linear) problem.bytes_beside = linear->fit_bytes();
  try {
    summary = train_within(training.max_memory, problem, trainer_options(training, defaults, run_dir), observer);
  } catch (const Error& error) {
    if (error.code() == Code::kDiverged && problem.has_best()) model.save(options.output.out);  // the last good weights
    throw;
  }
  if (model_options.linear_branch == "true") add_linear_branch(model.network(), *linear, data, split, observer);
  Tensor scores = predict_samples(model.network(), data.samples, split.valid);
  return {std::move(model), std::move(info), model_options, training, summary, std::move(scores), std::move(linear)};
}

// Trains once per fold; every sample is scored by the one model that has not seen it. Tells mean and spread.
void cross_validate(const Options& options, ClassifyData& data, Observer& observer) {
  const auto seed = static_cast<std::uint64_t>(options.train.seed);
  std::vector<double> accuracies;
  for (const Split& split : stratified_folds(data.labels, options.data.folds, seed)) {
    const Fitted fitted = fit(options, data, split, "", observer);
    accuracies.push_back(accuracy(predicted_classes(fitted.scores), labels_of(data, split.valid)));
    observer.note(
        fmt::format("fold {} of {}: accuracy {:.4f}", accuracies.size(), options.data.folds, accuracies.back()));
  }
  double mean = 0, squares = 0;
  for (const double value : accuracies) mean += value / static_cast<double>(accuracies.size());
  for (const double value : accuracies) squares += (value - mean) * (value - mean);
  observer.note(fmt::format("folds: accuracy {:.4f} +- {:.4f} (mean and standard deviation of {} folds)", mean,
                            std::sqrt(squares / static_cast<double>(accuracies.size() - 1)), accuracies.size()));
}

// The weights of the sentences as a cell, "0.612 0.388", and with their texts as its JSON.
std::pair<std::string, std::string> sentence_cell(const std::vector<std::string>& sentences,
                                                  std::span<const float> weights) {
  std::vector<std::string> numbers;
  nlohmann::json list = nlohmann::json::array();
  for (std::size_t k = 0; k < weights.size(); ++k) {
    numbers.push_back(fmt::format("{:.3f}", weights[k]));
    list.push_back({{"text", sentences[k]}, {"weight", weights[k]}});
  }
  return {fmt::format("{}", fmt::join(numbers, " ")), json_text(list)};
}

class Classify final : public Task {
 public:
  std::string_view name() const override { return "classify"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    if (options.model.model == "tfidf") refuse_network_options(options);
    CurveRecorder observer(outer);
    Split split;
    ClassifyData data = load(options.data, options.train.seed, split);
    for (const std::string& note : data.notes) observer.note(note);
    observer.note(fmt::format("data: {} samples to train, {} to validate, {} classes", split.train.size(),
                              split.valid.size(), data.label_names.size()));
    if (options.data.folds > 0) cross_validate(options, data, observer);
    Fitted fitted = fit(options, data, split, options.output.run_dir, observer);
    const auto actual = labels_of(data, split.valid);
    TrainResult result;
    result.task = "classify";
    result.samples = std::ssize(split.valid);
    result.metrics = score_classes(predicted_classes(fitted.scores), actual, std::ssize(data.label_names));
    const bool is_tfidf = fitted.model_options.model == "tfidf";
    result.baselines = train_baselines(data, split, fitted.linear && !is_tfidf ? &*fitted.linear : nullptr);
    fill_result(result, fitted.summary, fitted.model, options.output, std::ssize(split.train));
    result.options = options;
    result.options.model = fitted.model_options;
    result.options.train = fitted.training;
    if (fitted.info.text) {
      result.options.data.level = level_name(fitted.info.text->level);
      result.options.data.subword_model = fitted.info.text->subword_model;
      result.options.data.normalize = normal_form_name(*fitted.info.text);
      result.options.data.lowercase = fitted.info.text->lowercase ? "true" : "false";
      const VocabularyLimits limits = vocabulary_limits(options);
      result.options.data.min_count = limits.min_count;
      result.options.data.max_vocabulary = limits.max_size;
    }
    fitted.model.set_training(training_json(fitted.summary, fitted.training, result));
    fitted.model.save(options.output.out);
    if (wants_report(options.output)) {
      write_report(options, result, observer, {fitted.model.network(), fitted.info, data, split.valid, fitted.scores});
    }
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const ClassifyInfo info = ClassifyInfo::from_model(model);
    const ClassifyData data = load_for_model(info, options, true);
    for (const std::string& note : data.notes) observer.note(note);
    const Indices all = part_samples(options.data, info.split, data.size());
    const auto actual = labels_of(data, all);
    const std::int64_t classes = std::ssize(info.labels);
    EvaluateResult result;
    result.task = "classify";
    result.samples = std::ssize(all);
    const Tensor scores = predict_samples(model.network(), data.samples, all);
    result.metrics = score_classes(predicted_classes(scores), actual, classes);
    if (options.data.calibration) {
      for (auto& metric : probability_metrics(scores, actual)) result.metrics.push_back(std::move(metric));
    }
    const std::vector<std::int32_t> majority(all.size(), static_cast<std::int32_t>(info.majority));
    result.baselines.push_back({"majority", score_classes(majority, actual, classes)});
    if (wants_report(options.output)) {
      write_report(options, result, model, {model.network(), info, data, all, scores});
    }
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const ClassifyInfo info = ClassifyInfo::from_model(model);
    const ClassifyData data = load_for_model(info, options, false);
    for (const std::string& note : data.notes) sink.note(note);
    const Indices all = part_samples(options.data, info.split, data.size());
    const Tensor scores = predict_samples(model.network(), data.samples, all);
    const std::int64_t K = std::ssize(info.labels);
    const Tensor probabilities = class_probabilities(scores);
    const std::vector<std::int32_t> classes = predicted_classes(scores);
    std::vector<std::string> columns{"label"};
    for (const std::string& label : info.labels) columns.push_back("p_" + label);
    const auto weights = sentence_weights(model.network(), data.samples, all);
    if (!weights.empty()) columns.emplace_back("sentences");
    sink.header(columns);
    std::optional<TextPipeline> pipeline;
    if (!weights.empty()) pipeline.emplace(info.pipeline());
    for (std::int64_t n = 0; n < std::ssize(all); ++n) {
      std::vector<std::string> cells{info.labels[static_cast<std::size_t>(classes[static_cast<std::size_t>(n)])]};
      for (std::int64_t k = 0; k < K; ++k) cells.push_back(fmt::format("{:.6g}", probabilities[n * K + k]));
      std::vector<std::string> values(cells.size());
      if (pipeline) {
        const std::string& text = data.texts[static_cast<std::size_t>(all[static_cast<std::size_t>(n)])];
        auto [cell, value] =
            sentence_cell(DocumentEncoder(*pipeline).sentences(text), weights[static_cast<std::size_t>(n)]);
        cells.push_back(std::move(cell));
        values.push_back(std::move(value));
      }
      sink.row(cells, values);
    }
  }

  DataReport check(const Options& options) const override {
    ClassifyData data = read_classify_data(options.data.data, options.data, nullptr, true);
    DataReport report;
    report.facts.emplace_back("samples", std::to_string(data.size()));
    report.facts.emplace_back(
        "kind", data.is_text() ? "texts" : fmt::format("sequences of {} features", data.samples.features));
    std::vector<std::int64_t> counts(data.label_names.size());
    for (const std::int32_t label : data.labels) ++counts[static_cast<std::size_t>(label)];
    for (std::size_t k = 0; k < counts.size(); ++k) {
      report.facts.emplace_back("label " + data.label_names[k],
                                fmt::format("{} ({:.1f} %)", counts[k],
                                            100.0 * static_cast<double>(counts[k]) / static_cast<double>(data.size())));
    }
    if (data.is_text()) {
      Indices all(static_cast<std::size_t>(data.size()));
      std::iota(all.begin(), all.end(), 0);
      FittedText fitted = fit_texts(data, all, options);
      report.facts.emplace_back("tokens",
                                fmt::format("{} at level {}, {} of them distinct", fitted.tokens,
                                            level_name(fitted.pipeline.settings().level), fitted.distinct_tokens));
      report.facts.emplace_back("vocabulary", std::to_string(fitted.pipeline.vocabulary().size()));
      data.samples.ids = std::move(fitted.ids);
    }
    report.facts.emplace_back("lengths", length_text(data.samples, data.is_text() ? "tokens" : "time steps"));
    report.problems = data.notes;
    if (data.label_names.size() < 2)
      report.problems.push_back("all samples have the same label: nothing can be learnt");
    return report;
  }

 private:
  static ClassifyData load_for_model(const ClassifyInfo& info, const Options& options, bool labels) {
    ClassifyData data = read_classify_data(options.data.data, options.data, &info.labels, labels);
    if (data.samples.features != info.features) {
      fail(Code::kData, "{}: {} features, the model was trained on {}", fmt::join(options.data.data, ", "),
           data.samples.features, info.features == 0 ? "texts" : std::to_string(info.features));
    }
    if (data.is_text()) {
      TextPipeline pipeline = info.pipeline();
      encode_texts(data, pipeline, info.hierarchical);
    }
    return data;
  }
};

}  // namespace

const Task& classify_task() {
  static const Classify task;
  return task;
}

}  // namespace carousel
