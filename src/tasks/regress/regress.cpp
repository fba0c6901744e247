#include "tasks/regress/regress.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autograd/ops/binary_cross_entropy_with_logits.h"
#include "autograd/ops/huber.h"
#include "autograd/ops/mae.h"
#include "autograd/ops/mse.h"
#include "base/fail.h"
#include "tasks/gate_probe.h"
#include "tasks/input_noise.h"
#include "tasks/memory_plan.h"
#include "tasks/metrics.h"
#include "tasks/regress/regress_model.h"
#include "tasks/regress/regress_report.h"
#include "tasks/regress/regress_score.h"
#include "tasks/report/report_files.h"
#include "tasks/sample_split.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

using Indices = std::vector<std::int64_t>;

Variable loss_of(const std::string& kind, const Variable& predicted, View<const float> target) {
  if (kind == "mae") return mae<float>(predicted, target);
  if (kind == "huber") return huber<float>(predicted, target);
  if (kind == "bce") return binary_cross_entropy_with_logits<float>(predicted, target);
  return mse<float>(predicted, target);
}

// "target price", "target a, b", "88 targets at every step".
std::string target_text(const RegressColumns& columns) {
  const std::size_t count = columns.targets.size();
  const std::string names = fmt::format("{}", fmt::join(columns.targets, ", "));
  return fmt::format("{}{}", count > 8 ? fmt::format("{} targets", count) : "target " + names,
                     columns.per_step ? " at every step" : "");
}

class RegressProblem final : public TaskProblem {
 public:
  RegressProblem(Sequential& network, const RegressData& data, const RegressInfo& info, Split split,
                 const TrainOptions& options)
      : TaskProblem(network),
        core_(regress_core(network)),
        data_(data),
        info_(info),
        split_(std::move(split)),
        options_(options) {
    training_lengths_ = data.samples.lengths(split_.train);
    noise_ = InputNoise(options.input_noise, static_cast<std::uint64_t>(options.seed), deviations(info.inputs));
  }

  std::int64_t batches_in_epoch(std::int64_t epoch) override {
    batches_ = batches_by_length(training_lengths_, {.batch_size = options_.batch_size,
                                                     .seed = static_cast<std::uint64_t>(options_.seed),
                                                     .epoch = static_cast<std::uint64_t>(epoch)});
    return std::ssize(batches_);
  }

  void prepare(std::int64_t epoch, std::int64_t batch) override {
    chosen_.clear();
    for (const std::int64_t place : batches_[static_cast<std::size_t>(batch)]) {
      chosen_.push_back(split_.train[static_cast<std::size_t>(place)]);
    }
    batch_.assign(data_.samples, chosen_);
    if (noise_) noise_.add(epoch, chosen_, batch_.sequences.lengths, batch_.sequences.values);
    if (data_.columns.per_step) {
      layout_.assign(batch_.sequences.values.shape()[0], std::ssize(chosen_), batch_.sequences.lengths);
      info_.scale_targets(packed_targets_of(data_, chosen_, layout_), targets_);
    } else {
      info_.scale_targets(targets_of(data_, chosen_), targets_);
    }
  }

  Variable loss(Tape<float>& tape, std::int64_t, std::int64_t) override {
    const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
    detail::PassInput input = batch_.pass_input();
    input.checkpoint_steps = checkpoint_steps;
    input.packed = true;
    const Variable predicted = detail::run_pass(core_, tape, layout_, input, true, key);
    return loss_of(options_.loss, predicted, std::as_const(targets_).view());
  }

  std::optional<Validation> validate() override {
    const Tensor predicted = predict_samples(core_, data_.samples, split_.valid);
    const std::vector<double> actual = targets_of(data_, split_.valid);
    Tape<float> tape;
    info_.scale_targets(actual, targets_);
    const double loss = loss_of(options_.loss, tape.constant(predicted.view()), std::as_const(targets_).view()).item();
    std::vector<double> values(predicted.span().begin(), predicted.span().end());
    if (info_.binary)
      return Validation{loss, "nll", score_binary(values, actual, data_.target_count())[0].second, false};
    // Targets of different units count alike in the loss, not in the error.
    if (info_.targets.size() > 1) return Validation{loss, "loss", loss, false};
    for (double& value : values) value = value * info_.targets[0].deviation + info_.targets[0].mean;
    const double error =
        options_.loss == "mae" ? mean_absolute_error(values, actual) : root_mean_squared_error(values, actual);
    return Validation{loss, options_.loss == "mae" ? "mae" : "rmse", error, false};
  }

  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override {
    batch_.assign(data_.samples, probe_samples(split_.train, options_.batch_size));
    return probe_gates(core_, tape, layout_, batch_.pass_input(), checkpoint_steps);
  }

  MemoryNeeds memory_needs() override {
    PassSizes training = largest_batch(data_.samples, split_.train, options_.batch_size);
    training.packed = true;
    return {network_.describe(), training, largest_prediction(data_.samples, split_.valid), data_bytes(data_.samples)};
  }

 private:
  LayerChain core_;
  const RegressData& data_;
  const RegressInfo& info_;
  Split split_;
  TrainOptions options_;
  std::vector<std::int32_t> training_lengths_;
  std::vector<Indices> batches_;
  Indices chosen_;
  SampleBatch batch_;
  InputNoise noise_;
  Tensor targets_;
  SequenceLayout layout_;
};

RegressData load(const DataOptions& options, std::int64_t seed, Split& split) {
  RegressData data = read_regress_data(options.data, options, nullptr, true);
  const std::int64_t count = data.size();
  if (!options.valid.empty()) {
    if (data.columns.features.empty() && !options.labels.empty()) {
      fail(Code::kUsage, "--valid: with .npy files the validation part comes from --valid-fraction or --split");
    }
    append(data, read_regress_data(options.valid, options, &data.columns, true));
  }
  const std::vector<std::int32_t> one_class(static_cast<std::size_t>(data.size()), 0);
  split = split_samples(options, one_class, count, seed);
  return data;
}

class Regress final : public Task {
 public:
  std::string_view name() const override { return "regress"; }

  TrainResult train(const Options& options, Observer& outer) const override {
    if (options.data.folds > 0) fail(Code::kUsage, "--folds: not for regress, use --valid-fraction or --split");
    if (options.train.bptt > 0) fail(Code::kUsage, "--bptt: not for regress, which learns from whole sequences");
    const std::string& loss = options.train.loss;
    if (!loss.empty() && loss != "mse" && loss != "mae" && loss != "huber" && loss != "bce") {
      fail(Code::kUsage, "--loss {}: regress takes mse, mae, huber or bce", loss);
    }
    CurveRecorder observer(outer);
    Split split;
    RegressData data = load(options.data, options.train.seed, split);
    if (loss == "bce") require_binary_targets(data, options.data.data);
    for (const std::string& note : data.notes) observer.note(note);
    observer.note(fmt::format("data: {} samples to train, {} to validate, {} features, {}", split.train.size(),
                              split.valid.size(), data.samples.features, target_text(data.columns)));
    RegressInfo info = fit_regress_info(data, split.train, loss == "bce");
    info.split = options.data.split;
    fill(data, info, observer);

    const ModelOptions model_options = resolve_regress_model(options.model, data, observer);
    const TrainDefaults defaults{.epochs = 300, .batch_size = 32, .patience = 60, .lr = 2e-3, .schedule = "cosine"};
    const TrainOptions training = resolve_training(options.train, defaults, observer);
    Model model("regress", build_regression(model_options, data, info));
    model.network().initialize(static_cast<std::uint64_t>(options.train.seed));
    model.set_task_data(info.to_json());

    note_kernels(model.network(), training, observer);
    RegressProblem problem(model.network(), data, info, split, training);
    TrainSummary summary;
    try {
      summary = train_within(training.max_memory, problem, trainer_options(training, defaults, options.output.run_dir),
                             observer);
    } catch (const Error& error) {
      if (error.code() == Code::kDiverged && problem.has_best())
        model.save(options.output.out);  // the last good weights
      throw;
    }
    TrainResult result;
    result.task = "regress";
    result.samples = std::ssize(split.valid);
    result.metrics = score_regression(model.network(), data, info, split.valid);
    result.baselines = {mean_baseline(data, info, split.valid)};
    if (!info.binary) result.baselines.push_back(linear_baseline(data, split.train, split.valid));
    fill_result(result, summary, model, options.output, std::ssize(split.train));
    result.options = options;
    result.options.model = model_options;
    result.options.train = training;
    model.set_training(training_json(summary, training, result));
    model.save(options.output.out);
    if (wants_report(options.output)) {
      write_regress_report(result.options, model, data, split.valid, result, &observer);
    }
    return result;
  }

  EvaluateResult evaluate(const Model& model, const Options& options, Observer& observer) const override {
    const RegressInfo info = RegressInfo::from_model(model);
    const RegressData data = load_for_model(info, options, true, observer);
    if (info.binary) require_binary_targets(data, options.data.data);
    const Indices chosen = part_samples(options.data, info.split, data.size());
    EvaluateResult result;
    result.task = "regress";
    result.samples = std::ssize(chosen);
    result.metrics = score_regression(model.network(), data, info, chosen);
    result.baselines.push_back(mean_baseline(data, info, chosen));
    if (!options.data.part.empty() && !info.binary) {  // the training part is in the same file
      DataOptions training = options.data;
      training.part = "train";
      result.baselines.push_back(linear_baseline(data, part_samples(training, info.split, data.size()), chosen));
    }
    if (wants_report(options.output)) write_regress_report(options, model, data, chosen, result, nullptr);
    return result;
  }

  void predict(const Model& model, const Options& options, RowSink& sink) const override {
    const RegressInfo info = RegressInfo::from_model(model);
    Observer quiet;
    const RegressData data = load_for_model(info, options, false, quiet);
    const Indices chosen = part_samples(options.data, info.split, data.size());
    const Tensor values = predict_samples(model.network(), data.samples, chosen);
    const std::int64_t K = std::ssize(info.columns.targets);
    std::vector<std::string> columns = info.columns.targets;
    if (info.columns.per_step) columns.insert(columns.begin(), {"sample", "step"});
    sink.header(columns);
    std::int64_t row = 0;
    for (const std::int64_t n : chosen) {
      const std::int64_t steps = info.columns.per_step ? data.samples.length(n) : 1;
      for (std::int64_t t = 0; t < steps; ++t, ++row) {
        std::vector<std::string> cells;
        if (info.columns.per_step) cells = {std::to_string(n), std::to_string(t)};
        for (std::int64_t k = 0; k < K; ++k) cells.push_back(fmt::format("{:.7g}", values[row * K + k]));
        sink.row(cells);
      }
    }
  }

  DataReport check(const Options& options) const override {
    const RegressData data = read_regress_data(options.data.data, options.data, nullptr, false);
    DataReport report;
    report.facts.emplace_back("samples", std::to_string(data.size()));
    report.facts.emplace_back("kind", data.is_table() ? "rows of a table" : "sequences");
    report.facts.emplace_back("features", data.is_table() ? fmt::format("{}", fmt::join(data.columns.features, ", "))
                                                          : std::to_string(data.samples.features));
    report.facts.emplace_back("missing features", std::to_string(data.missing));
    if (data.columns.per_step) report.facts.emplace_back("targets", "at every step");
    const std::int64_t K = data.target_count();
    for (std::int64_t k = 0; k < K; ++k) add_target_facts(data, k, report);
    for (const std::string& note : data.notes) report.problems.push_back(note);
    return report;
  }

 private:
  static void add_target_facts(const RegressData& data, std::int64_t k, DataReport& report) {
    double low = INFINITY, high = -INFINITY, sum = 0;
    std::int64_t count = 0, without = 0;
    for (const std::vector<double>& targets : data.targets) {
      for (std::size_t j = static_cast<std::size_t>(k); j < targets.size(); j += data.columns.targets.size()) {
        const double value = targets[j];
        without += std::isnan(value);
        if (std::isnan(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
        sum += value;
        ++count;
      }
    }
    const std::string& name = data.columns.targets[static_cast<std::size_t>(k)];
    if (count > 0) {
      report.facts.emplace_back("target " + name, fmt::format("{} values from {:.6g} to {:.6g}, mean {:.6g}", count,
                                                              low, high, sum / static_cast<double>(count)));
    }
    if (data.targets.empty()) without = data.size();
    if (without > 0) {
      report.problems.push_back(
          fmt::format("target {}: {} of {} samples have none, training needs it", name, without, data.size()));
    }
    if (count > 0 && low == high) report.problems.push_back(fmt::format("target {} is always {:.6g}", name, low));
  }

  static void fill(RegressData& data, const RegressInfo& info, Observer& observer) {
    if (data.missing == 0) return;
    fill_missing(data, info.input_means());
    observer.note(fmt::format("data: {} missing values filled with the mean of the training part", data.missing));
  }

  static RegressData load_for_model(const RegressInfo& info, const Options& options, bool targets, Observer& observer) {
    RegressData data = read_regress_data(options.data.data, options.data, &info.columns, targets);
    if (data.samples.features != info.features) {
      fail(Code::kData, "{}: {} features, the model was trained on {}", fmt::join(options.data.data, ", "),
           data.samples.features, info.features);
    }
    for (const std::string& note : data.notes) observer.note(note);
    fill(data, info, observer);
    return data;
  }
};

}  // namespace

const Task& regress_task() {
  static const Regress task;
  return task;
}

}  // namespace carousel
