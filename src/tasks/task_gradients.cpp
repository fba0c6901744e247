#include "tasks/task_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autograd/ops/binary_cross_entropy_with_logits.h"
#include "autograd/ops/cross_entropy.h"
#include "autograd/ops/mse.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/module.h"
#include "tasks/classify/classify_model.h"
#include "tasks/classify/classify_training.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_training.h"
#include "tasks/impute/impute_model.h"
#include "tasks/lm/lm_training.h"
#include "tasks/regress/regress_model.h"
#include "tasks/report/report.h"
#include "tasks/tag/tag_training.h"
#include "tasks/transcribe/transcribe_model.h"
#include "tasks/transcribe/transcribe_training.h"
#include "tasks/translate/translate_model.h"

namespace carousel {
namespace {

Indices first_samples(std::int64_t wanted, std::int64_t available) {
  Indices list(static_cast<std::size_t>(std::min(wanted, available)));
  std::iota(list.begin(), list.end(), 0);
  return list;
}

GradientFlow classify_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const ClassifyInfo info = ClassifyInfo::from_model(model);
  ClassifyData data = read_classify_data(options.data, options, &info.labels, true);
  if (data.samples.features != info.features) {
    fail(Code::kData, "{}: {} features, the model was trained on {}", fmt::join(options.data, ", "),
         data.samples.features, info.features == 0 ? "texts" : std::to_string(info.features));
  }
  if (data.is_text()) {
    TextPipeline pipeline = info.pipeline();
    encode_texts(data, pipeline, info.hierarchical);
  }
  const Indices chosen = first_samples(samples, data.size());
  const std::vector<std::int32_t> labels = labels_of(data, chosen);
  SampleBatch batch;
  batch.assign(data.samples, chosen);
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout& layout) {
    const Variable scores = detail::run_pass(watched, tape, layout, batch.pass_input(), false, {});
    return cross_entropy<float>(scores, labels);
  });
}

GradientFlow regress_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const RegressInfo info = RegressInfo::from_model(model);
  RegressData data = read_regress_data(options.data, options, &info.columns, true);
  if (data.samples.features != info.features) {
    fail(Code::kData, "{}: {} features, the model was trained on {}", fmt::join(options.data, ", "),
         data.samples.features, info.features);
  }
  fill_missing(data, info.input_means());
  const Indices chosen = first_samples(samples, data.size());
  if (info.binary) require_binary_targets(data, options.data);
  SampleBatch batch;
  batch.assign(data.samples, chosen);
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout& layout) {
    LayerChain core = regress_core(watched);
    detail::PassInput input = batch.pass_input();
    input.packed = true;
    const Variable values = detail::run_pass(core, tape, layout, input, false, {});
    Tensor targets;
    info.scale_targets(info.columns.per_step ? packed_targets_of(data, chosen, layout) : targets_of(data, chosen),
                       targets);
    const View<const float> expected = std::as_const(targets).view();
    return info.binary ? binary_cross_entropy_with_logits<float>(values, expected) : mse<float>(values, expected);
  });
}

// The last windows for which `fits` says yes, with `horizon` known rows behind them: one of each series, then the ones
// before.
template <class Fits>
std::vector<WindowAt> last_windows(const std::vector<Series>& series, std::int64_t window, std::int64_t horizon,
                                   std::int64_t most, const Fits& fits) {
  std::vector<WindowAt> windows;
  bool any = true;
  for (std::int64_t back = 0; any && std::ssize(windows) < most; ++back) {
    any = false;
    for (std::int64_t n = 0; n < std::ssize(series) && std::ssize(windows) < most; ++n) {
      const std::int64_t origin = series[static_cast<std::size_t>(n)].known_steps() - horizon - back;
      if (origin < window) continue;
      any = true;
      if (fits(WindowAt{n, origin})) windows.push_back({n, origin});
    }
  }
  return windows;
}

GradientFlow forecast_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const ForecastInfo info = ForecastInfo::from_model(model);
  const ForecastData data = read_series_for_model(options.data, options, info, Parts::kAllKnown);
  const std::vector<WindowAt> windows =
      last_windows(data.scaled, info.window, info.horizon, samples, [](const WindowAt&) { return true; });
  if (windows.empty()) {
    fail(Code::kData, "{}: no series has {} + {} rows, the model's window and horizon", fmt::join(options.data, ", "),
         info.window, info.horizon);
  }
  WindowBatch batch;
  gather_windows(data.scaled, windows, info.shape(), info.target_positions(), batch);
  HeadTargets targets;
  gather_expected(data, windows, info, batch.targets, targets);
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  TrainOptions of_points;
  of_points.loss = info.several ? "mae" : "mse";
  detail::PassInput input;
  input.values = &batch.inputs;
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout& layout) {
    const Variable forecast = detail::run_pass(forecast_core(watched), tape, layout, input, false, {});
    return forecast_loss(of_points, head.get(), forecast, targets);
  });
}

// The last windows that know the first target in their middle row: there it is hidden, and the loss is that of what the
// network adds to the line between its neighbours. So it has a way back to both ends.
GradientFlow impute_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const ForecastInfo info = ImputeInfo::from_model(model).series;
  const ForecastData data = read_series_for_model(options.data, options, info, Parts::kAllKnown);
  const std::int64_t W = info.window, K = std::ssize(info.targets), middle = W / 2;
  std::vector<WindowAt> windows = last_windows(data.series, W, 0, samples, [&](const WindowAt& window) {
    return !std::isnan(data.series[static_cast<std::size_t>(window.series)].at(window.origin - W + middle, 0));
  });
  if (windows.empty()) {
    fail(Code::kData, "{}: no series has {} rows, the model's window, with a known '{}' in the middle of them",
         fmt::join(options.data, ", "), W, info.targets[0]);
  }
  std::vector<Series> rows;  // of each window, as the network reads them
  std::vector<float> right;
  for (WindowAt& window : windows) {
    const auto k = static_cast<std::size_t>(window.series);
    const std::int64_t first = window.origin - W, row = first + middle;
    Series hidden = data.series[k];
    hidden.values[static_cast<std::size_t>(row * hidden.column_count())] = std::numeric_limits<double>::quiet_NaN();
    Series& read = rows.emplace_back(network_rows(hidden, data.scalers[k], info));
    right.push_back(static_cast<float>(data.scaled[k].at(row, 0) - read.at(row, 0)));
    const std::int64_t columns = read.column_count();
    read.values = {read.values.begin() + first * columns, read.values.begin() + window.origin * columns};
    window = {std::ssize(rows) - 1, W};
  }
  Tensor inputs;
  gather_inputs(rows, windows, W, inputs);
  const std::int64_t N = std::ssize(windows);
  HeadTargets expected{Tensor({W, N, K}), {}, {}};
  expected.values.fill(std::nanf(""));  // not asked for
  for (std::int64_t n = 0; n < N; ++n) expected.values[(middle * N + n) * K] = right[static_cast<std::size_t>(n)];
  TrainOptions of_points;
  of_points.loss = info.several ? "mae" : "mse";
  detail::PassInput input;
  input.values = &inputs;
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout& layout) {
    return forecast_loss(of_points, nullptr, detail::run_pass(watched, tape, layout, input, false, {}), expected);
  });
}

// Through the steps of the sources: the loss of the targets, read token by token, back to the encoder.
GradientFlow translate_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const TranslateInfo info = TranslateInfo::from_model(model);
  TranslateData data;
  data.pairs = read_translate_pairs(options, true);
  encode_pairs(data, info);
  const Indices chosen = first_samples(samples, std::ssize(data.sources));
  const PaddedIds sources = pad_ids(data.sources, chosen), targets = pad_ids(data.targets, chosen);
  const PaddedIds inputs = decoder_inputs(targets);
  const SequenceLayout target_layout(inputs.ids.shape()[0], inputs.lengths);
  const Translator translator(model.network());
  detail::Layouts layouts;
  return gradient_flow(translator.encoder(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout&) {
    const Translator::Encoded encoded = translator.with_encoder(watched).encode(tape, layouts, sources, false, {});
    const Variable logits = translator.decode(tape, layouts, {inputs, encoded, sources.lengths}, false, {});
    return cross_entropy<float>(logits, packed_targets(targets, target_layout));
  });
}

// The beginning of the text as so many streams. The loss is that of the last token of each: with those of all steps a
// gradient that has come far could not be told from one that has just begun.
GradientFlow lm_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  constexpr std::int64_t kSteps = 100;
  const LmInfo info = LmInfo::from_model(model);
  LmEncoder encoder(info.text, info.vocabulary);
  const std::vector<std::int32_t> ids = encoder.encode(read_lines(options.data)).ids;
  const std::int64_t streams = std::min(samples, std::ssize(ids));
  const std::int64_t count = std::min(streams * kSteps, std::ssize(ids));
  StreamBatches batches({ids.data(), static_cast<std::size_t>(count)}, encoder.line_end(), streams, kSteps);
  batches.assign(0);
  const detail::PassInput input = batches.pass_input();
  std::vector<std::int64_t> last_rows;
  std::vector<std::int32_t> labels;
  for (std::int64_t t = 0, row = 0; t < input.ids->shape()[0]; ++t) {
    for (const std::int32_t length : input.lengths) {
      if (t >= length) continue;
      if (t == length - 1) {
        last_rows.push_back(row);
        labels.push_back(batches.labels()[static_cast<std::size_t>(row)]);
      }
      ++row;
    }
  }
  const LmNetwork parts(model.network());
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout& layout) {
    Module& body = *watched.modules().front().second;
    const Variable rows = detail::run_pass(body, tape, layout, input, false, {});
    return parts.loss(select_rows(rows, std::span<const std::int64_t>(last_rows)), labels);
  });
}

GradientFlow tag_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const TagInfo info = TagInfo::from_model(model);
  TagData data = read_tag_data(options, false);
  encode_sentences(info, data);
  const Indices chosen = first_samples(samples, data.size());
  for (const std::int64_t n : chosen) {
    const auto& tags = data.tags[static_cast<std::size_t>(n)];
    const auto unknown = static_cast<std::size_t>(std::find(tags.begin(), tags.end(), -1) - tags.begin());
    if (unknown == tags.size()) continue;
    const TaggedSentence& sentence = data.sentences[static_cast<std::size_t>(n)];
    fail(Code::kData, "{}: tag '{}' was not in the training part: it has no loss", sentence.place(unknown),
         sentence.tags[unknown]);
  }
  TagBatch batch;
  batch.assign(data, chosen);
  detail::Layouts layouts;
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout&) {
    const TagScores scores = run_tagger(watched, tape, layouts, batch, {.word_window = info.word_window});
    return tag_loss(model.network(), data, scores, chosen, {});
  });
}

GradientFlow transcribe_flow(const Model& model, const DataOptions& options, std::int64_t samples) {
  const TranscribeInfo info = TranscribeInfo::from_model(model);
  Utterances data = read_utterances(options.data, options, &info.frames, true);
  stack_frames(data, info.frames.stack);
  const Indices chosen = first_samples(samples, data.size());
  TranscriptLabels names = info.labels();
  std::vector<Labelling> labels(static_cast<std::size_t>(data.size()));
  for (const std::int64_t sample : chosen) {
    const auto n = static_cast<std::size_t>(sample);
    labels[n] = names.encode(data.texts[n]);
    if (std::find(labels[n].begin(), labels[n].end(), kUnknownLabel) == labels[n].end()) continue;
    fail(Code::kData, "{}: '{}' has a label that was not in the training part: it has no loss", data.places[n],
         data.texts[n]);
  }
  if (const auto problems = too_long_texts(data, labels); !problems.empty()) fail(Code::kData, "{}", problems.front());
  labels.resize(chosen.size());
  SampleBatch batch;
  batch.assign(data.samples, chosen);
  return gradient_flow(model.network(), [&](Sequential& watched, Tape<float>& tape, SequenceLayout& layout) {
    const detail::PassInput input = batch.pass_input();
    const Variable logits = detail::run_pass(watched, tape, layout, input, false, {});
    return transcript_loss(logits, input.lengths, labels);
  });
}

std::string line_name(const ScanGradient& scan) {
  return fmt::format("{}, layer {}{}", scan.layer, scan.index, scan.reverse ? ", backward" : "");
}

}  // namespace

GradientFlow task_gradient_flow(const Model& model, const Options& options, std::int64_t samples) {
  if (model.task() == "classify") return classify_flow(model, options.data, samples);
  if (model.task() == "forecast") return forecast_flow(model, options.data, samples);
  if (model.task() == "impute") return impute_flow(model, options.data, samples);
  if (model.task() == "regress") return regress_flow(model, options.data, samples);
  if (model.task() == "lm") return lm_flow(model, options.data, samples);
  if (model.task() == "tag") return tag_flow(model, options.data, samples);
  if (model.task() == "translate") return translate_flow(model, options.data, samples);
  if (model.task() == "transcribe") return transcribe_flow(model, options.data, samples);
  fail(Code::kUsage, "--gradients: are of the loss of a task, the model is for '{}'", model.task());
}

std::string gradient_flow_page(const std::string& title, const GradientFlow& flow) {
  LineChart norms, jacobians;
  for (LineChart* chart : {&norms, &jacobians}) {
    chart->x_label = "time step";
    chart->log_y = true;
  }
  norms.y_label = "norm of the gradient";
  norms.description = "norm of the loss's gradient with respect to the state after each time step";
  jacobians.y_label = "largest singular value";
  jacobians.description = "largest singular value of the Jacobian of each time step";
  for (const ScanGradient& scan : flow.scans) {
    std::vector<double> steps(scan.jacobian_norms.size());
    std::iota(steps.begin(), steps.end(), 0.0);
    for (const StateGradient& state : scan.states) {
      norms.lines.push_back({.name = fmt::format("{} of {}", state.state, line_name(scan)),
                             .x = steps,
                             .y = state.norms,
                             .dashed = &state != scan.states.data()});
    }
    jacobians.lines.push_back({.name = line_name(scan), .x = steps, .y = scan.jacobian_norms});
  }
  Report report;
  report.title = title;
  report.facts = {{"loss", fmt::format("{:.6g}", flow.loss)}};
  report.figures = {{"The gradient on its way back",
                     "The loss's gradient with respect to the state after each step. A line that falls "
                     "towards the beginning of the sequence is a gradient that vanishes, one that rises explodes.",
                     chart_svg(norms)},
                    {"What one step does to it",
                     "The most that a step can stretch a gradient: above 1 it may grow, below 1 it must "
                     "shrink. All states of the cell together, of the longest sample.",
                     chart_svg(jacobians)}};
  return report_page(report);
}

}  // namespace carousel
