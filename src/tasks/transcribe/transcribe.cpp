#include "tasks/transcribe/transcribe.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "autograd/ops/ctc.h"
#include "base/fail.h"
#include "base/json.h"
#include "tasks/report/report_files.h"
#include "tasks/sample_split.h"
#include "tasks/training_run.h"
#include "tasks/transcribe/lm_scorer.h"
#include "tasks/transcribe/transcribe_model.h"
#include "tasks/transcribe/transcribe_report.h"
#include "tasks/transcribe/transcribe_training.h"

namespace carousel {
namespace {

using SampleList = std::vector<std::int64_t>;

constexpr std::int64_t kMostStacked = 4;  // frames of 10 ms, without being told: shorter sounds would be lost

// As many epochs as make some thousand steps: a few recordings are heard more often than many.
TrainDefaults defaults_for(std::int64_t training_samples) {
  constexpr std::int64_t kSteps = 3000;
  const std::int64_t batch_size = std::clamp<std::int64_t>(training_samples / 40, 4, 16);
  return {.epochs = std::clamp<std::int64_t>(kSteps * batch_size / training_samples, 20, 200),
          .batch_size = batch_size,
          .patience = 10,
          .lr = 2e-3,
          .clip = 5,
          .average_decay = 0.99};
}

std::vector<Labelling> encode_texts(TranscriptLabels& labels, const std::vector<std::string>& texts) {
  std::vector<Labelling> list;
  for (const std::string& text : texts) list.push_back(labels.encode(text));
  return list;
}

std::int64_t unknown_labels(const std::vector<Labelling>& labellings) {
  std::int64_t count = 0;
  for (const Labelling& labels : labellings) count += std::count(labels.begin(), labels.end(), kUnknownLabel);
  return count;
}

// The text that most of the samples have, the first of equal ones.
std::string majority_text(const std::vector<std::string>& texts, const SampleList& rows) {
  std::map<std::string, std::int64_t> counts;
  std::int64_t most = 0;
  for (const std::int64_t n : rows) most = std::max(most, ++counts[texts[static_cast<std::size_t>(n)]]);
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](std::int64_t n) { return counts[texts[static_cast<std::size_t>(n)]] == most; });
  return texts[static_cast<std::size_t>(*found)];
}

template <class T>
std::vector<T> picked(const std::vector<T>& all, const SampleList& rows) {
  std::vector<T> list;
  for (const std::int64_t n : rows) list.push_back(all[static_cast<std::size_t>(n)]);
  return list;
}

// The labels of the texts at `rows`, which are learnt.
FittedText fit_transcripts(const Utterances& data, const SampleList& rows, const DataOptions& options) {
  TextSettings settings;
  settings.level = options.level.empty() ? choose_transcript_level(data.texts, rows) : parse_level(options.level);
  FittedText fitted = fit_text(data.texts, rows, settings, {});
  if (fitted.tokens == 0) fail(Code::kData, "{}: all texts are empty", fmt::join(options.data, ", "));
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const std::vector<std::int32_t>& ids = fitted.ids[k];
    const auto mark = std::find_if(ids.begin(), ids.end(), [](auto id) { return id < Vocabulary::kSpecials; });
    if (mark == ids.end()) continue;
    const auto n = static_cast<std::size_t>(rows[k]);
    const TextTrace trace = fitted.pipeline.explain(data.texts[n]);
    fail(Code::kData, "{}: '{}' is a mark of vocabularies, it cannot be learnt as a label; write it in another way",
         data.places[n], trace.tokens[static_cast<std::size_t>(mark - ids.begin())]);
  }
  return fitted;
}

// Steps of the shortest sample for its labels: how many frames may stand in a step.
std::int64_t choose_stack(const Samples& samples, const std::vector<Labelling>& labels) {
  std::int64_t stack = kMostStacked;
  for (std::int64_t n = 0; n < samples.size(); ++n) {
    // Twice as many steps as the labels need leave room for the blanks between them.
    const std::int64_t steps = 2 * std::max<std::int64_t>(ctc_least_steps(labels[static_cast<std::size_t>(n)]), 1);
    stack = std::min(stack, samples.length(n) / steps);
  }
  return std::max<std::int64_t>(stack, 1);
}

std::string duration_text(const std::vector<double>& seconds) {
  const auto [shortest, longest] = std::minmax_element(seconds.begin(), seconds.end());
  const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  return fmt::format("{:.1f} s in all, {:.2f} to {:.2f} s each, {:.2f} on average", sum, *shortest, *longest,
                     sum / static_cast<double>(seconds.size()));
}

std::string frames_text(const FrameSettings& frames) {
  if (!frames.from_audio()) return fmt::format("{} features in a frame", frames.features);
  const LogMelSettings& s = frames.log_mel;
  return fmt::format("{} Hz, {} log-mel features every {:g} ms, window of {:g} ms", s.sample_rate, s.filters,
                     1000 * s.hop, 1000 * s.window);
}

// What training works on.
struct Prepared {
  Utterances data;
  Split split;
  TranscribeInfo info;
  std::vector<Labelling> labels;
};

// Throws Error{kData} if no recording of the validation part has a loss.
void require_known_labels(const Prepared& p) {
  for (const std::int64_t n : p.split.valid) {
    if (unknown_labels({p.labels[static_cast<std::size_t>(n)]}) == 0) return;
  }
  const auto first = static_cast<std::size_t>(p.split.valid.front());
  fail(Code::kData,
       "{}: '{}' has a label that is not in the training part, as all {} recordings of the validation part have: there "
       "is no loss to choose the epoch by; hold others back",
       p.data.places[first], p.data.texts[first], p.split.valid.size());
}

Prepared prepare(const Options& options, Observer& observer) {
  Prepared p;
  p.data = read_utterances(options.data.data, options.data, nullptr, true);
  const std::int64_t count = p.data.size();
  if (!options.data.valid.empty()) {
    append(p.data, read_utterances(options.data.valid, options.data, &p.data.frames, true));
  }
  const std::vector<std::int32_t> one_class(static_cast<std::size_t>(p.data.size()), 0);
  p.split = split_samples(options.data, one_class, count, options.train.seed);
  for (const std::string& note : p.data.notes) observer.note(note);
  const FittedText fitted = fit_transcripts(p.data, p.split.train, options.data);
  p.info.text = fitted.pipeline.settings();
  p.info.vocabulary = fitted.pipeline.vocabulary().tokens();
  p.info.majority = majority_text(p.data.texts, p.split.train);
  p.info.split = options.data.split;
  TranscriptLabels labels = p.info.labels();
  p.labels = encode_texts(labels, p.data.texts);
  stack_frames(p.data, options.data.stack > 0 ? options.data.stack : choose_stack(p.data.samples, p.labels));
  p.info.frames = p.data.frames;
  if (const auto problems = too_long_texts(p.data, p.labels); !problems.empty()) {
    fail(Code::kData, "{}; {} of {} texts are too long: mend them{}", problems.front(), problems.size(), p.data.size(),
         p.data.frames.stack > 1 ? ", or choose a smaller --stack" : "");
  }
  observer.note(fmt::format("data: {} recordings to train, {} to validate; {}", p.split.train.size(),
                            p.split.valid.size(), frames_text(p.data.frames)));
  if (!p.data.seconds.empty()) observer.note(fmt::format("sound: {}", duration_text(p.data.seconds)));
  observer.note(fmt::format("text: labels are {}, {} of them distinct; {} frames in a step",
                            p.info.text.level == TextLevel::kCharacter ? "characters" : "words", labels.classes() - 1,
                            p.data.frames.stack));
  require_known_labels(p);
  if (const std::int64_t unknown = unknown_labels(p.labels)) {
    observer.note(
        fmt::format("text: {} labels of the validation part are not in the training part: they count as "
                    "errors, and their recordings are left out of the loss",
                    unknown));
  }
  return p;
}

// The majority text said of every sample.
Baseline majority_baseline(const TranscribeInfo& info, TranscriptLabels& labels,
                           const std::vector<Labelling>& references) {
  const std::vector<Labelling> same(references.size(), labels.encode(info.majority));
  return {"majority", score_transcripts(labels, same, references)};
}

// What `evaluate` and `predict` decode with, and, with its defaults, `train` at its end; owns the language model that
// the options name.
struct Decoder {
  Decoder(const ModelOptions& options, const TranscriptLabels& labels) {
    constexpr std::int64_t kBeam = 16;  // words were found no better by it, characters were
    if (options.lm.empty() && (options.lm_weight != ModelOptions().lm_weight || options.insertion_bonus != 0)) {
      fail(Code::kUsage, "--lm-weight and --insertion-bonus weigh a language model: give --lm or leave them out");
    }
    if (!options.lm.empty()) lm.emplace(Model::load(options.lm));
    const std::int64_t automatic = lm || labels.level() == TextLevel::kCharacter ? kBeam : 1;
    search = {.beam = std::max(options.beam > 0 ? options.beam : automatic, options.n_best),
              .lm = lm ? &*lm : nullptr,
              .lm_weight = options.lm_weight,
              .insertion_bonus = options.insertion_bonus};
    if (lm && search.beam == 1) fail(Code::kUsage, "--beam 1 is the best path, which no language model weighs");
    if (lm) check_labels(options.lm, labels);
  }
  std::optional<Model> lm;
  TranscriptSearch search;
  std::string note;  // how many labels the language model does not know; "": it knows all

 private:
  void check_labels(const std::string& path, const TranscriptLabels& labels) {
    const std::vector<std::string> unknown = labels_unknown_to(*lm, labels);
    if (unknown.empty()) return;
    const std::int64_t all = labels.classes() - 1;
    if (std::ssize(unknown) == all) {
      fail(Code::kUsage,
           "--lm {}: knows none of the {} labels, '{}' for one: transcripts are read in lower case, train it with "
           "--lowercase=true on texts of the same words",
           path, all, unknown.front());
    }
    note = fmt::format("language model: {} of {} labels are its <unk>, '{}' for one; transcripts are in lower case",
                       unknown.size(), all, unknown.front());
  }
};

// Where each label begins: seconds with two decimals, frames of a .npy as whole numbers.
std::vector<std::string> label_times(const std::vector<std::int64_t>& begins, const FrameSettings& frames) {
  std::vector<std::string> times;
  for (const std::int64_t step : begins) {
    times.push_back(fmt::format("{:.{}f}", frames.begin(step), frames.from_audio() ? 2 : 0));
  }
  return times;
}

class Transcribe final : public Task {
 public:
  std::string_view name() const override { return "transcribe"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    CurveRecorder observer(outer);
    Prepared p = prepare(options, observer);
    TranscriptLabels labels = p.info.labels();
    const ModelOptions model_options = resolve_transcribe_model(options.model, observer);
    const TrainDefaults defaults = defaults_for(std::ssize(p.split.train));
    const TrainOptions training = resolve_training(options.train, defaults, observer);
    Model model("transcribe", build_transcriber(model_options, p.data.samples, p.split.train, labels.classes()));
    model.network().initialize(static_cast<std::uint64_t>(training.seed));
    model.set_task_data(p.info.to_json());
    note_kernels(model.network(), training, observer);
    TranscribeProblem problem(model.network(), p.data.samples, p.labels, labels, p.split, training);
    TrainSummary summary;
    try {
      summary = train_within(training.max_memory, problem, trainer_options(training, defaults, options.output.run_dir),
                             observer);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem.has_best()) model.save(options.output.out);  // the last good ones
      throw;
    }
    const StepLogits logits(model.network(), p.data.samples, p.split.valid);
    const std::vector<Labelling> references = picked(p.labels, p.split.valid);
    TrainResult result;
    result.task = "transcribe";
    result.samples = std::ssize(p.split.valid);
    const Decoder decoder({}, labels);
    result.metrics = score_transcripts(labels, decode(logits, decoder.search, labels), references);
    result.baselines.push_back(majority_baseline(p.info, labels, references));
    fill_result(result, summary, model, options.output, std::ssize(p.split.train));
    result.options = options;
    result.options.model = model_options;
    result.options.train = training;
    result.options.data.level = level_name(p.info.text.level);
    result.options.data.stack = p.info.frames.stack;
    model.set_training(training_json(summary, training, result));
    model.save(options.output.out);
    if (wants_report(options.output)) {
      const auto first = static_cast<std::size_t>(p.split.valid.front());
      write_transcribe_report(options, result, observer, labels, p.info.frames,
                              {p.data.samples.sequences[first].values, logits.of(0), p.data.texts[first]});
    }
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const TranscribeInfo info = TranscribeInfo::from_model(model);
    const Utterances data = load_for_model(info, options, true);
    for (const std::string& note : data.notes) observer.note(note);
    const SampleList all = part_samples(options.data, info.split, data.size());
    TranscriptLabels labels = info.labels();
    const std::vector<Labelling> references = picked(encode_texts(labels, data.texts), all);
    if (const std::int64_t unknown = unknown_labels(references)) {
      observer.note(fmt::format("text: {} labels are not known to the model: they count as errors", unknown));
    }
    EvaluateResult result;
    result.task = "transcribe";
    result.samples = std::ssize(all);
    const Decoder decoder(options.model, labels);
    if (!decoder.note.empty()) observer.note(decoder.note);
    const StepLogits logits(model.network(), data.samples, all);
    result.metrics = score_transcripts(labels, decode(logits, decoder.search, labels), references);
    result.baselines.push_back(majority_baseline(info, labels, references));
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const TranscribeInfo info = TranscribeInfo::from_model(model);
    const Utterances data = load_for_model(info, options, false);
    for (const std::string& note : data.notes) sink.note(note);
    const SampleList all = part_samples(options.data, info.split, data.size());
    const TranscriptLabels labels = info.labels();
    const std::int64_t n_best = options.model.n_best;
    const Decoder decoder(options.model, labels);
    if (!decoder.note.empty()) sink.note(decoder.note);
    const StepLogits logits(model.network(), data.samples, all);
    std::vector<std::string> columns{"text", "log_probability", "times"};
    if (n_best > 1) columns.emplace_back("n_best");
    sink.header(columns);
    for (std::int64_t n = 0; n < logits.samples(); ++n) {
      const BasicTensor<double> log_p = ctc_log_probabilities(logits.of(n));
      const std::vector<CtcHypothesis> best = search_labels(log_p, decoder.search, labels, n_best);
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const CtcHypothesis& one : best) {
        list.push_back(
            {{"text", labels.text(one.labels)}, {"log_probability", -labelling_loss(logits.of(n), one.labels)}});
      }
      const std::vector<std::string> times = label_times(ctc_align(log_p, best[0].labels), info.frames);
      std::vector<std::string> cells{list[0]["text"].get<std::string>(),
                                     fmt::format("{:.6g}", list[0]["log_probability"].get<double>()),
                                     fmt::format("{}", fmt::join(times, " "))};
      std::vector<std::string> values{"", "", fmt::format("[{}]", fmt::join(times, ","))};
      if (n_best > 1) values.push_back(cells.emplace_back(json_output(list)));
      sink.row(cells, values);
    }
  }

  DataReport check(const Options& options) const override {
    Utterances data = read_utterances(options.data.data, options.data, nullptr, true);
    SampleList all(static_cast<std::size_t>(data.size()));
    std::iota(all.begin(), all.end(), 0);
    const FittedText fitted = fit_transcripts(data, all, options.data);
    TranscriptLabels labels(fitted.pipeline.settings(), fitted.pipeline.vocabulary().tokens());
    const std::vector<Labelling> labellings = encode_texts(labels, data.texts);
    stack_frames(data, options.data.stack > 0 ? options.data.stack : choose_stack(data.samples, labellings));
    DataReport report;
    report.facts.emplace_back("recordings", std::to_string(data.size()));
    report.facts.emplace_back("frames", frames_text(data.frames));
    if (!data.seconds.empty()) report.facts.emplace_back("durations", duration_text(data.seconds));
    report.facts.emplace_back(
        "labels", fmt::format("{} {}, {} of them distinct", fitted.tokens,
                              labels.level() == TextLevel::kCharacter ? "characters" : "words", labels.classes() - 1));
    report.facts.emplace_back("frames in a step", std::to_string(data.frames.stack));
    report.problems = data.notes;
    for (const std::string& place : data.silent) report.problems.push_back(place + ": silence: every sample is 0");
    for (std::size_t n = 0; n < data.texts.size(); ++n) {
      if (labellings[n].empty()) report.problems.push_back(data.places[n] + ": the text is empty: nothing is said");
    }
    for (std::string& problem : too_long_texts(data, labellings)) report.problems.push_back(std::move(problem));
    return report;
  }

 private:
  static Utterances load_for_model(const TranscribeInfo& info, const Options& options, bool texts) {
    Utterances data = read_utterances(options.data.data, options.data, &info.frames, texts);
    stack_frames(data, info.frames.stack);
    return data;
  }
};

}  // namespace

const Task& transcribe_task() {
  static const Transcribe task;
  return task;
}

}  // namespace carousel
