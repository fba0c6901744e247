#include "tasks/forecast/forecast_refit.h"

#include <algorithm>

#include "base/fail.h"
#include "tasks/forecast/forecast_linear.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_shrinkage.h"
#include "tasks/forecast/forecast_stateful.h"
#include "tasks/forecast/forecast_training.h"
#include "tasks/report/report_files.h"

namespace carousel {
namespace {

// The series up to the end of what is learnt from, and nothing behind it.
ForecastData cut_at(const ForecastData& data, const std::vector<TrainingRange>& parts, const ForecastInfo& info) {
  ForecastData known;
  known.scalers = data.scalers;
  known.target_count = data.target_count;
  for (std::size_t k = 0; k < data.series.size(); ++k) {
    Series& series = known.series.emplace_back(data.series[k]);
    const std::int64_t end = parts[k].end();
    series.values.resize(static_cast<std::size_t>(end * series.column_count()));
    if (!series.times.empty()) series.times.resize(end);
    series.future_rows = 0;
    known.splits.push_back({parts[k], {end, end}, {end, end}});
    known.scaled.push_back(network_series(series, known.scalers[k], info.derived, info.horizon));
  }
  return known;
}

// Ends training after as many epochs.
class StopAfter final : public Observer {
 public:
  explicit StopAfter(std::int64_t epochs) : epochs_(epochs) {}
  void epoch(const EpochEvent& event) override { done_ = event.epoch; }
  bool stop_requested() override { return done_ >= epochs_; }

 private:
  std::int64_t epochs_, done_ = 0;
};

// A model with the layers and the fixed numbers of another, trained on `known`.
Model trained_again(const Model& model, const ForecastData& known, const ForecastInfo& info) {
  const ForecastInfo network_info = info.of_network();
  Model fresh("forecast", build_sequential(model.network().describe().branches[0]));
  const std::vector<Parameter*> from = model.network().buffers(), to = fresh.network().buffers();
  for (std::size_t k = 0; k < to.size(); ++k) to[k]->value = from[k]->value;
  LinearStart start = fit_linear_start(known, network_info);
  start.width = network_outputs(network_info) / start.bias.elements();
  reset_weights(fresh.network(), start, static_cast<std::uint64_t>(info.training.seed));
  calibrate_start(fresh.network(), known, network_info);
  fresh.set_task_data(model.task_data());
  if (info.kept_epochs == 0) return fresh;
  const auto problem = make_forecast_problem(fresh.network(), known, network_info, info.training);
  StopAfter stop(info.kept_epochs);  // the schedule is that of all epochs
  const std::vector<Tensor> untrained = output_weights(fresh.network());
  train(*problem, trainer_options(info.training, forecast_defaults(), ""), stop);
  keep_share(fresh.network(), untrained, info.kept_share);
  return fresh;
}

void copy_rows(const Forecasts& from, const std::vector<std::size_t>& rows, Forecasts& to) {
  const auto copy = [&](const BasicTensor<double>& part, BasicTensor<double>& whole) {
    const std::int64_t size = part.elements() / std::ssize(rows);
    for (std::size_t n = 0; n < rows.size(); ++n) {
      std::copy_n(part.data() + static_cast<std::int64_t>(n) * size, size,
                  whole.data() + static_cast<std::int64_t>(rows[n]) * size);
    }
  };
  copy(from.point, to.point);
  if (!from.levels.empty()) copy(from.quantiles, to.quantiles);
}

}  // namespace

void check_refit(const Options& options, const ForecastInfo& info) {
  if (info.by_series && options.data.refit == "sliding" && options.data.test.empty()) {
    fail(Code::kUsage,
         "--refit sliding: takes as many rows as the training part of a series has, but these series were held back "
         "as a whole (--valid); choose --refit expanding");
  }
  if (options.data.refit_model == 0) return;
  if (options.data.refit == "none") {
    fail(Code::kUsage, "--refit-model: say on what with --refit expanding or --refit sliding");
  }
  const std::pair<bool, const char*> others[] = {
      {options.data.part == "train", "in --part train there are not enough rows before the first origins"},
      {options.model.dtype != "f32", "--dtype is of the weights of the file"},
      {!options.data.test.empty(), "--test has one origin for each series"},
      {options.data.leak_check, "--leak-check is about the model as it is"},
      {!options.model.ensemble.empty(), "--ensemble has models that are not trained again"},
      {wants_report(options.output), "--report and --plots draw the model as it is"}};
  for (const auto& [given, reason] : others) {
    if (given) fail(Code::kUsage, "--refit-model: {}; leave one of them out", reason);
  }
}

TrainDefaults forecast_defaults() {
  return {.epochs = 60, .batch_size = 32, .patience = 8, .lr = 3e-4, .average_decay = 0.98};
}

TrainDefaults stateful_defaults(std::int64_t origins, std::int64_t bptt) {
  constexpr std::int64_t kRows =
      3'000'000;  // of all epochs together: enough for 30,000 rows or fewer, minutes for more
  TrainDefaults defaults = forecast_defaults();
  defaults.epochs = std::clamp<std::int64_t>(kRows / std::max<std::int64_t>(origins, 1), 10, 100);
  defaults.patience = defaults.epochs;                                         // the schedule is run to its end
  defaults.batch_size = std::clamp<std::int64_t>(origins / (4 * bptt), 1, 8);  // some pieces an epoch
  defaults.lr = 3e-3;
  defaults.schedule = "cosine";
  return defaults;
}

std::unique_ptr<TaskProblem> make_forecast_problem(Sequential& network, const ForecastData& data,
                                                   const ForecastInfo& info, const TrainOptions& options) {
  if (info.stateful) return std::make_unique<StatefulForecastProblem>(network, data, info, options);
  return std::make_unique<ForecastProblem>(network, data, info, options);
}

Forecasts refitted_model_forecasts(const Model& model, const ForecastData& data, std::span<const WindowAt> windows,
                                   const ForecastInfo& info, const RefitOptions& options, Observer& observer) {
  if (info.training.batch_size < 1) {
    fail(Code::kUsage, "--refit-model: the model file does not say how it was trained; train it again");
  }
  if (info.training.schedule == "plateau") {
    fail(Code::kUsage,
         "--refit-model: the model was trained with schedule plateau, which follows a validation part, and at a later "
         "origin there is none; leave it out or train with another schedule");
  }
  if (info.by_series) {
    fail(Code::kUsage,
         "--refit-model: the model was trained on other series than it is judged by (--valid), so there is nothing to "
         "train it again on; leave it out");
  }
  const std::vector<std::vector<std::size_t>> rounds = origin_rounds(windows, data.series.size());
  observer.note(
      fmt::format("refit: the network is trained {} times, {} epochs each, on {}",
                  (std::ssize(rounds) + options.origins - 1) / options.origins, info.kept_epochs,
                  options.sliding ? "as many rows before the origin as training had" : "all rows before the origin"));
  std::vector<TrainingRange> parts;
  for (const SeriesSplit& split : data.splits) parts.push_back(split.train);
  const Shape shape{std::ssize(windows), info.horizon * std::ssize(info.targets)};
  Forecasts all{BasicTensor<double>(shape), {}, {}};
  std::optional<Model> now;
  for (std::size_t r = 0; r < rounds.size(); ++r) {
    std::vector<WindowAt> here;
    for (const std::size_t n : rounds[r]) here.push_back(windows[n]);
    if (static_cast<std::int64_t>(r) % options.origins == 0) {
      for (const WindowAt& window : here) {
        const auto k = static_cast<std::size_t>(window.series);
        parts[k] = known_at(data.splits[k].train, window.origin, options.sliding);
      }
      now = trained_again(model, cut_at(data, parts, info), info);
    }
    const Forecasts some = model_forecasts(*now, data, here, info);
    if (r == 0 && !some.levels.empty()) {
      all.levels = some.levels;
      all.quantiles = BasicTensor<double>({shape[0], shape[1], std::ssize(some.levels)});
    }
    copy_rows(some, rounds[r], all);
  }
  return all;
}

}  // namespace carousel
