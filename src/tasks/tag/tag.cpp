#include "tasks/tag/tag.h"

#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "base/file.h"
#include "tasks/report/report_files.h"
#include "tasks/sample_split.h"
#include "tasks/tag/tag_check.h"
#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_predict.h"
#include "tasks/tag/tag_report.h"
#include "tasks/tag/tag_training.h"
#include "tasks/token_input.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

// Reads the training (and validation) files and says which sentences are for what.
TagData load_sentences(const DataOptions& options, std::int64_t seed, Split& split) {
  TagData data = read_tag_data(options, false);
  const std::int64_t count = data.size();
  if (!options.valid.empty()) {
    append(data, read_tag_data(options, true));
  } else if (!options.valid_tags.empty() || !options.valid_intents.empty()) {
    fail(Code::kUsage, "--valid-tags and --valid-intents belong to the sentences of --valid, which is missing");
  }
  if (!options.valid.empty() && options.intents.empty() != options.valid_intents.empty()) {
    fail(Code::kUsage, "--intents and --valid-intents: both or neither of the two parts has intents");
  }
  const std::vector<std::int32_t> one_class(static_cast<std::size_t>(data.size()));
  split = split_samples(options, one_class, count, seed);
  return data;
}

// The most frequent tag of each word, for others the most frequent of all; the most frequent intent.
Metrics score_baseline(const TagData& data, const TagInfo& info, std::span<const std::int64_t> samples) {
  TagScore score(info.scheme);
  for (const std::int64_t n : samples) {
    const TaggedSentence& sentence = data.sentences[static_cast<std::size_t>(n)];
    std::vector<std::int32_t> tags;
    for (const std::int32_t word : data.words[static_cast<std::size_t>(n)]) {
      const bool is_known = word < std::ssize(info.word_tags);
      const std::int32_t tag = is_known ? info.word_tags[static_cast<std::size_t>(word)] : -1;
      tags.push_back(tag < 0 ? info.majority_tag : tag);
    }
    score.add(sentence.tags, names_of(tags, info.tags));
    if (info.intents.empty() || sentence.label.empty()) continue;
    score.add_intent(sentence.label, info.intents[static_cast<std::size_t>(info.majority_intent)]);
  }
  return score.metrics();
}

// What training says about its sentences.
void note_data(const TagData& data, const Split& split, const TagInfo& info, Observer& observer) {
  for (const std::string& note : data.notes) observer.note(note);
  observer.note(fmt::format("data: {} sentences to train, {} to validate, {} tags (scheme {}){}", split.train.size(),
                            split.valid.size(), info.tags.size(), scheme_name(info.scheme),
                            info.intents.empty() ? "" : fmt::format(", {} intents", info.intents.size())));
  observer.note(fmt::format(
      "text: level {}, vocabulary of {}{}", level_name(info.text.level), info.words.size(),
      info.characters.size() > Vocabulary::kSpecials ? fmt::format(", {} characters", info.characters.size()) : ""));
  for (const std::string& line : odd_tags(data, split.train)) observer.note(line);
  note_invalid(data, info, split.train, observer);
}

// A few hundred sentences make few steps an epoch.
TrainDefaults defaults_for_sentences(std::int64_t count) {
  TrainDefaults defaults{.epochs = 25, .batch_size = 32, .patience = 8, .lr = 4e-3, .clip = 5, .schedule = "cosine"};
  defaults.average_decay = 0.99;
  constexpr std::int64_t kFew = 1000;
  if (count < kFew) {
    defaults.epochs = 60;
    defaults.batch_size = 8;
    defaults.patience = 20;
  }
  return defaults;
}

// The vectors that the options name, of words as normalized_token() writes them; nothing if none.
std::optional<WordVectors> read_tag_vectors(const Options& options, const TagInfo& info, const TagData& data,
                                            std::span<const std::int64_t> training, Observer& observer) {
  std::optional<WordVectors> vectors = read_vectors(options.data, options.model, info.words, {});
  if (!vectors) return vectors;
  std::vector<std::vector<std::int32_t>> words;
  for (const std::int64_t n : training) words.push_back(data.words[static_cast<std::size_t>(n)]);
  observer.note(describe_vectors(*vectors, options.data.vectors, words));
  return vectors;
}

// One training: vocabularies, network, weights.
struct FittedTagger {
  Model model;
  TagInfo info;
  ModelOptions model_options;
  TrainOptions training;
  TrainSummary summary;
};

FittedTagger fit_tagger(const Options& options, TagData& data, const Split& split, Observer& observer) {
  const TextLevel level = tag_level(options.data, data, split.train);
  check_token_input(options.data, options.model, true);
  ModelOptions model_options = resolve_tag_model(options.model, level);
  TagInfo info = fit_tag_info(data, split.train, options.data, model_options);
  encode_sentences(info, data);
  const std::optional<WordVectors> vectors = read_tag_vectors(options, info, data, split.train, observer);
  if (vectors) model_options.embedding_size = vectors->size();
  observer.note(describe_tag_model(model_options));
  note_data(data, split, info, observer);
  note_unknown(data, info, split.valid, observer);
  const TrainDefaults defaults = defaults_for_sentences(std::ssize(split.train));
  const TrainOptions training = resolve_training(options.train, defaults, observer);
  Model model("tag", build_tagger(model_options, info));
  model.network().initialize(static_cast<std::uint64_t>(training.seed));
  if (vectors) set_vectors(*tagger_part(model.network(), "words"), *vectors);
  model.set_task_data(info.to_json());
  note_kernels(model.network(), training, observer);
  TagProblem problem(model.network(), data, info, split, model_options, training);
  TrainSummary summary;
  try {
    const TrainerOptions trainer = trainer_options(training, defaults, options.output.run_dir);
    summary = train_within(training.max_memory, problem, trainer, observer);
  } catch (const Error& error) {
    if (error.code() == Code::kDiverged && problem.has_best()) model.save(options.output.out);  // the last good weights
    throw;
  }
  return {std::move(model), std::move(info), model_options, training, summary};
}

class Tag final : public Task {
 public:
  std::string_view name() const override { return "tag"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    Split split;
    TagData data = load_sentences(options.data, options.train.seed, split);
    FittedTagger fitted = fit_tagger(options, data, split, observer);
    const TagScore score = score_tagger(fitted.model.network(), data, fitted.info, split.valid);
    TrainResult result;
    result.task = "tag";
    result.samples = std::ssize(split.valid);
    result.metrics = score.metrics();
    result.by_type = score.by_type();
    result.baselines = {{"frequent_tag", score_baseline(data, fitted.info, split.valid)}};
    fill_result(result, fitted.summary, fitted.model, options.output, std::ssize(split.train));
    result.options = options;
    result.options.model = fitted.model_options;
    result.options.train = fitted.training;
    result.options.data.level = level_name(fitted.info.text.level);
    result.options.data.min_count = std::max<std::int64_t>(options.data.min_count, 1);
    fitted.model.set_training(training_json(fitted.summary, fitted.training, result));
    fitted.model.save(options.output.out);
    if (wants_report(options.output)) {
      write_tag_report(options, result, observer, {fitted.model.network(), fitted.info, data, split.valid, score});
    }
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const TagInfo info = TagInfo::from_model(model);
    if (info.intents.empty() && !options.data.intents.empty()) {
      fail(Code::kUsage, "--intents: this model was trained without; leave it out");
    }
    TagData data = read_tag_data(options.data, false);
    encode_sentences(info, data);
    const std::vector<std::int64_t> all = part_samples(options.data, info.split, data.size());
    for (const std::string& note : data.notes) observer.note(note);
    note_unknown(data, info, all, observer);
    EvaluateResult result;
    result.task = "tag";
    result.samples = std::ssize(all);
    const TagScore score = score_tagger(model.network(), data, info, all);
    result.metrics = score.metrics();
    result.by_type = score.by_type();
    result.baselines = {{"frequent_tag", score_baseline(data, info, all)}};
    if (wants_report(options.output)) {
      write_tag_report(options, result, model, {model.network(), info, data, all, score});
    }
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    predict_tags(model, options, sink);
  }

  DataReport check(const Options& options) const override { return check_tags(options.data); }
};

}  // namespace

const Task& tag_task() {
  static const Tag task;
  return task;
}

}  // namespace carousel
