#include "tasks/translate/translate.h"

#include <algorithm>
#include <deque>
#include <numeric>

#include "base/fail.h"
#include "base/file.h"
#include "tasks/report/report_files.h"
#include "tasks/sample_split.h"
#include "tasks/training_run.h"
#include "tasks/translate/translate_report.h"
#include "tasks/translate/translate_score.h"
#include "tasks/translate/translate_training.h"

namespace carousel {
namespace {

using SampleList = std::vector<std::int64_t>;

// Reads the training (and validation) files, chooses levels, says which samples are for what.
// `valid_fraction` becomes the share that is held back.
TranslateData load_training(const Options& options, TranslateInfo& info, Split& split, double& valid_fraction) {
  TranslateData data;
  data.pairs = read_translate_pairs(options.data, true);
  const std::int64_t count = std::ssize(data.pairs.sources);
  choose_levels(data.pairs, count, options.data, info);
  TextPairs valid = read_valid_pairs(options.data);
  if (!valid.sources.empty()) append(data.pairs, std::move(valid));
  add_samples(data, 0, count, info.kind());
  const std::int64_t training_samples = std::ssize(data.groups);
  add_samples(data, count, std::ssize(data.pairs.sources), info.kind());
  DataOptions parts = options.data;
  constexpr double kMostHeldBack = 2500;  // more than that says hardly more about the model
  if (!options.is_given("data.valid_fraction")) {
    parts.valid_fraction = std::min(parts.valid_fraction, kMostHeldBack / static_cast<double>(training_samples));
  }
  valid_fraction = parts.valid_fraction;
  const std::vector<std::int32_t> classes(data.groups.size(), 0);
  split = split_samples(parts, classes, training_samples, options.train.seed);
  return data;
}

SampleList all_samples(const TranslateData& data) {
  SampleList all(data.groups.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// "1 to 12 tokens, 6.3 on average", <eos> not counted.
std::string length_text(const std::vector<TokenIds>& texts) {
  std::size_t shortest = texts.front().size(), longest = 0, sum = 0;
  for (const TokenIds& text : texts) {
    shortest = std::min(shortest, text.size());
    longest = std::max(longest, text.size());
    sum += text.size() - 1;
  }
  return fmt::format("{} to {} tokens, {:.1f} on average", shortest - 1, longest - 1,
                     static_cast<double>(sum) / static_cast<double>(texts.size()));
}

std::string metric_names(PairKind kind) {
  switch (kind) {
    case PairKind::kTranslation:
      return "bleu (words are written)";
    case PairKind::kPronunciation:
      return "wer, any variant counts (characters become words)";
    case PairKind::kCharacters:
      break;
  }
  return "accuracy (characters are written)";
}

// The training pairs that are not too long; the observer is told of the others.
SampleList short_pairs(const TranslateData& data, const SampleList& training, std::int64_t most, Observer& observer) {
  SampleList kept;
  for (const std::int64_t pair : training) {
    const auto n = static_cast<std::size_t>(pair);
    if (std::max(std::ssize(data.sources[n]), std::ssize(data.targets[n])) <= most + 1) kept.push_back(pair);
  }
  if (kept.empty()) {
    fail(Code::kData, "all {} training pairs are longer than {} tokens; allow more with --max-length", training.size(),
         most);
  }
  if (kept.size() < training.size()) {
    observer.note(fmt::format("left out of training: {} pairs of more than {} tokens (--max-length)",
                              training.size() - kept.size(), most));
  }
  return kept;
}

// A rate that falls to 0 makes the last of few epochs count.
TrainDefaults defaults_for(PairKind kind, std::int64_t pairs) {
  const bool many = pairs >= kManyPairs;
  const std::int64_t epochs = !many ? 30 : kind == PairKind::kPronunciation ? 7 : 10;
  return {.epochs = epochs,
          .batch_size = 64,
          .patience = 5,
          .lr = 2e-3,
          .schedule = "cosine",
          .average_decay = many && kind != PairKind::kCharacters ? 0.999 : 0.99};
}

// The options of training with what "auto" and no word of label smoothing mean.
TrainOptions resolve(const Options& options, PairKind kind, const TrainDefaults& defaults, Observer& observer) {
  TrainOptions resolved = resolve_training(options.train, defaults, observer);
  if (kind == PairKind::kCharacters || options.is_given("train.label_smoothing")) return resolved;
  resolved.label_smoothing = 0.1;
  observer.note(fmt::format("label smoothing: {} (--label-smoothing)", resolved.label_smoothing));
  return resolved;
}

void refuse(const TrainOptions& options, const ModelOptions& model) {
  const std::pair<bool, const char*> given[] = {
      {options.bptt > 0, "--bptt: a translator is trained on whole sequences"},
      {options.coverage_loss > 0 && !model.coverage,
       "--coverage-loss: is about what --coverage keeps, which is not given"}};
  for (const auto& [is_given, reason] : given) {
    if (is_given) fail(Code::kUsage, "{}; leave it out", reason);
  }
}

SearchOptions search_options(const ModelOptions& options, PairKind kind) {
  SearchOptions search;
  search.beam = options.beam > 0 ? options.beam : kind == PairKind::kCharacters ? 1 : 4;
  search.n_best = options.n_best;
  if (options.beam == 0) search.beam = std::max(search.beam, search.n_best);
  if (search.n_best > search.beam) {
    fail(Code::kUsage, "--n-best {} is more than --beam {}: a beam finds as many outputs as it is wide", search.n_best,
         search.beam);
  }
  search.length_penalty = options.length_penalty;
  return search;
}

WriteOptions write_options(const ModelOptions& options, const TranslateInfo& info) {
  const bool subwords = info.source.level == TextLevel::kSubword || info.target.level == TextLevel::kSubword;
  if (options.copy_unknown == "true" && subwords) {
    fail(Code::kUsage,
         "--copy-unknown: puts a source word for an unknown one, this model reads {} and writes {}; leave it out",
         level_name(info.source.level), level_name(info.target.level));
  }
  const bool words = info.kind() == PairKind::kTranslation && !subwords;
  return {search_options(options, info.kind()), options.copy_unknown.empty() ? words : options.copy_unknown == "true"};
}

// The model of the command line and those of --ensemble.
class Ensemble {
 public:
  Ensemble(const Model& model, const TranslateInfo& info, const ModelOptions& options) {
    add(model, info);
    for (const std::string& path : options.ensemble) {
      const Model& other = models_.emplace_back(Model::load(path));
      const TranslateInfo its = TranslateInfo::from_model(other);
      check_same(path, "source", its.source_vocabulary, info.source_vocabulary);
      check_same(path, "target", its.target_vocabulary, info.target_vocabulary);
      set_inference_dtype(other.network(), options.dtype);
      add(other, its);
    }
  }
  std::span<const Translator> models() const noexcept { return translators_; }

 private:
  // Throws Error{kUsage} that says where the vocabularies part.
  static void check_same(const std::string& path, const char* side, const std::vector<std::string>& its,
                         const std::vector<std::string>& expected) {
    if (its == expected) return;
    const auto [a, b] = std::mismatch(its.begin(), its.end(), expected.begin(), expected.end());
    const auto token = [](auto at, auto end) { return at == end ? "none" : fmt::format("'{}'", *at); };
    fail(Code::kUsage,
         "--ensemble {}: token {} of its {} vocabulary is {}, that of the model is {}; train the models on the same "
         "samples: with the same --split-seed, --split or --valid",
         path, a - its.begin(), side, token(a, its.end()), token(b, expected.end()));
  }

  void add(const Model& model, const TranslateInfo& info) {
    check_vocabularies(translators_.emplace_back(model.network()), info);
  }

  std::deque<Model> models_;
  std::vector<Translator> translators_;
};

// Without targets each line is a sample, unless a part is asked for: parts are of the samples of training.
TranslateData load_for_model(const TranslateInfo& info, const DataOptions& options, bool targets) {
  TranslateData data;
  data.pairs = read_translate_pairs(options, targets);
  if (!targets) data.pairs.targets.clear();
  const PairKind kind = targets || !options.part.empty() ? info.kind() : PairKind::kTranslation;
  add_samples(data, 0, std::ssize(data.pairs.sources), kind);
  encode_pairs(data, info);
  return data;
}

// What the user should hear of data that a trained model is used on.
std::vector<std::string> notes_of(const TranslateData& data, const SampleList& samples) {
  std::vector<std::string> notes = data.pairs.notes;
  std::int64_t tokens = 0, unknown = 0;
  for (const std::int64_t pair : data.pairs_of(samples)) {
    const TokenIds& ids = data.sources[static_cast<std::size_t>(pair)];
    tokens += std::ssize(ids) - 1;  // without <eos>
    unknown += std::count(ids.begin(), ids.end(), Vocabulary::kUnknown);
  }
  if (unknown > 0) {
    notes.push_back(
        fmt::format("source tokens that the model does not know and reads as <unk>: {} of {}", unknown, tokens));
  }
  return notes;
}

void note_limits(std::span<const WrittenText> written, Observer& observer) {
  const auto open = std::count_if(written.begin(), written.end(), [](const WrittenText& one) { return !one.ended; });
  if (open > 0)
    observer.note(fmt::format("{} of {} outputs reached their limit of tokens without an end", open, written.size()));
}

EvaluateResult evaluate_samples(std::span<const Translator> models, const TranslateInfo& info,
                                const TranslateData& data, const SampleList& samples, const WriteOptions& options,
                                Observer& observer) {
  EvaluateResult result;
  result.task = "translate";
  result.samples = std::ssize(samples);
  const std::vector<WrittenText> written = best_of(write_texts(models, info, data, samples, options));
  note_limits(written, observer);
  result.metrics = score_written(info, data, samples, written);
  for (const auto& metric : score_forced(force(models, sources_of(data, samples), targets_of(data, samples), false))) {
    result.metrics.push_back(metric);
  }
  result.baselines = translate_baselines(info, data, samples);
  return result;
}

class Translate final : public Task {
 public:
  std::string_view name() const override { return "translate"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    refuse(options.train, options.model);
    TranslateInfo info;
    Split split;
    TrainResult result;
    result.options = options;
    TranslateData data = load_training(options, info, split, result.options.data.valid_fraction);
    for (const std::string& note : data.pairs.notes) observer.note(note);
    SampleList training = data.pairs_of(split.train);
    observer.note(fmt::format("data: {} samples ({} pairs) to train, {} to validate", split.train.size(),
                              training.size(), split.valid.size()));
    fit_translate_info(data.pairs, training, options.data, info, observer);
    encode_pairs(data, info);
    training = short_pairs(data, training, options.data.max_length, observer);
    info.longest_targets = longest_targets(data, training);
    const ModelOptions model_options = resolve_translate_model(options.model, info, std::ssize(training), observer);
    const TrainDefaults defaults = defaults_for(info.kind(), std::ssize(training));
    const TrainOptions train_options = resolve(options, info.kind(), defaults, observer);
    Model model("translate", build_translator(model_options, info));
    model.network().initialize(static_cast<std::uint64_t>(train_options.seed));
    model.set_task_data(info.to_json());
    note_kernels(model.network(), train_options, observer);
    const std::int64_t pairs = std::ssize(training);
    TranslateProblem problem(model.network(), data, info, std::move(training), split.valid, train_options);
    TrainSummary summary;
    try {
      summary = train_within(train_options.max_memory, problem,
                             trainer_options(train_options, defaults, options.output.run_dir), observer);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem.has_best())
        model.save(options.output.out);  // the last good weights
      throw;
    }
    const Translator translator(model.network());
    static_cast<EvaluateResult&>(result) =
        evaluate_samples({&translator, 1}, info, data, split.valid, write_options(model_options, info), observer);
    fill_result(result, summary, model, options.output, pairs);
    result.options.model = model_options;
    result.options.train = train_options;
    result.options.data.source_level = level_name(info.source.level);
    result.options.data.target_level = level_name(info.target.level);
    result.options.data.subword_model = info.target.subword_model;
    model.set_training(training_json(summary, train_options, result));
    model.save(options.output.out);
    if (wants_report(options.output)) {
      write_translate_report(options, result, observer, {&translator, 1}, info, data, split.valid);
    }
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const TranslateInfo info = TranslateInfo::from_model(model);
    const Ensemble ensemble(model, info, options.model);
    const TranslateData data = load_for_model(info, options.data, true);
    const SampleList samples = part_samples(options.data, info.split, std::ssize(data.groups));
    for (const std::string& note : notes_of(data, samples)) observer.note(note);
    return evaluate_samples(ensemble.models(), info, data, samples, write_options(options.model, info), observer);
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const TranslateInfo info = TranslateInfo::from_model(model);
    const Ensemble ensemble(model, info, options.model);
    const TranslateData data = load_for_model(info, options.data, false);
    const SampleList samples = part_samples(options.data, info.split, std::ssize(data.groups));
    for (const std::string& note : notes_of(data, samples)) sink.note(note);
    const WriteOptions how = write_options(options.model, info);
    const auto written = write_texts(ensemble.models(), info, data, samples, how);
    std::vector<std::string> columns{"output", "score", "ended"};
    if (how.search.n_best > 1) columns.emplace_back("n_best");
    sink.header(columns);
    for (const auto& outputs : written) {
      const std::string ended = outputs.front().ended ? "true" : "false";
      std::vector<std::string> cells{outputs.front().text, fmt::format("{:.6g}", outputs.front().score), ended};
      std::vector<std::string> values{"", "", ended};
      if (how.search.n_best > 1) {
        auto list = nlohmann::ordered_json::array();
        for (const WrittenText& one : outputs) list.push_back({{"output", one.text}, {"score", one.score}});
        values.push_back(cells.emplace_back(json_output(list)));
      }
      sink.row(cells, values);
    }
    if (options.output.alignments.empty()) return;
    std::string lines;
    for (const Alignment& one : align(ensemble.models(), info, data, samples, best_of(written))) {
      lines += json_output(alignment_json(one)) + "\n";
    }
    write_file_atomically(options.output.alignments, lines);
  }

  DataReport check(const Options& options) const override {
    TranslateInfo info;
    TranslateData data;
    data.pairs = read_translate_pairs(options.data, true);
    const std::int64_t count = std::ssize(data.pairs.sources);
    choose_levels(data.pairs, count, options.data, info);
    add_samples(data, 0, count, info.kind());
    DataReport report;
    report.facts.emplace_back("samples", std::to_string(data.groups.size()));
    report.facts.emplace_back("pairs", std::to_string(count));
    Observer quiet;
    CurveRecorder notes(quiet);
    fit_translate_info(data.pairs, data.pairs_of(all_samples(data)), options.data, info, notes);
    for (const std::string& note : notes.notes()) {
      const std::size_t colon = note.find(':');
      report.facts.emplace_back(note.substr(0, colon), note.substr(colon + 2));
    }
    encode_pairs(data, info);
    report.facts.emplace_back("source lengths", length_text(data.sources));
    report.facts.emplace_back("target lengths", length_text(data.targets));
    report.facts.emplace_back("scored by", metric_names(info.kind()));
    report.problems = data.pairs.notes;
    return report;
  }
};

}  // namespace

const Task& translate_task() {
  static const Translate task;
  return task;
}

}  // namespace carousel
