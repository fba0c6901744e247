#include "tasks/forecast/forecast_training.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/ops/add_first_columns.h"
#include "autograd/ops/huber.h"
#include "autograd/ops/mae.h"
#include "autograd/ops/mse.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/module.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_stateful.h"
#include "tasks/gate_probe.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

constexpr std::int64_t kMaxWindowsPerEpoch = 16384;
constexpr std::int64_t kMaxValidationWindows = 8192;
constexpr std::int64_t kBatch = 256;  // of prediction

// Every few windows, so that at most `most` are left.
std::vector<WindowAt> thinned(const std::vector<WindowAt>& windows, std::int64_t most) {
  const std::int64_t stride = (std::ssize(windows) + most - 1) / std::max<std::int64_t>(most, 1);
  if (stride <= 1) return windows;
  std::vector<WindowAt> kept;
  for (std::size_t k = 0; k < windows.size(); k += static_cast<std::size_t>(stride)) kept.push_back(windows[k]);
  return kept;
}

detail::PassInput only_values(const Tensor& values) {
  detail::PassInput input;
  input.values = &values;
  return input;
}

}  // namespace

void flatten_targets(const Tensor& targets, Tensor& flat) {
  const std::int64_t horizon = targets.shape()[0], N = targets.shape()[1], K = targets.shape()[2];
  if (!(flat.shape() == Shape{N, horizon * K})) flat = Tensor({N, horizon * K});
  for (std::int64_t h = 0; h < horizon; ++h) {
    for (std::int64_t n = 0; n < N; ++n) {
      std::copy_n(targets.data() + (h * N + n) * K, K, flat.data() + (n * horizon + h) * K);
    }
  }
}

Tensor predict_windows(Sequential& network, std::span<const Series> scaled, std::span<const WindowAt> windows,
                       const ForecastInfo& info, std::span<const CarriedState> carried) {
  if (info.stateful) return predict_statefully(network, scaled, windows, info, carried);
  Tensor all({std::ssize(windows), network_outputs(info)});
  Tape<float> tape;
  tape.set_recording(false);
  SequenceLayout layout;
  Tensor inputs;
  for (std::int64_t first = 0; first < std::ssize(windows); first += kBatch) {
    const auto count = std::min<std::int64_t>(kBatch, std::ssize(windows) - first);
    std::vector<WindowAt> here(windows.begin() + first, windows.begin() + first + count);
    gather_inputs(scaled, here, info.window, inputs);
    tape.reset();
    const Variable y = detail::run_pass(forecast_core(network), tape, layout, only_values(inputs), false, {});
    std::copy_n(y.value().data, y.value().elements(), all.data() + first * all.shape()[1]);
  }
  return all;
}

void gather_expected(const ForecastData& data, std::span<const WindowAt> windows, const ForecastInfo& info,
                     const Tensor& targets, HeadTargets& expected) {
  flatten_targets(targets, expected.values);
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  if (!head || !head->counts()) return;
  const std::vector<std::int64_t> columns = info.target_positions();
  const Shape& shape = expected.values.shape();
  if (!(expected.shift.shape() == shape)) expected.shift = expected.slope = Tensor(shape);
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    const WindowAt& window = windows[static_cast<std::size_t>(i / shape[1])];
    const std::int64_t h = i % shape[1] / std::ssize(columns), column = columns[i % columns.size()];
    const auto series = static_cast<std::size_t>(window.series);
    const ValueUnits units = units_of(data.scalers[series], column);
    expected.values[i] = static_cast<float>(data.series[series].at(window.origin + h, column));
    expected.shift[i] = static_cast<float>(units.shift);
    expected.slope[i] = static_cast<float>(units.slope);
  }
}

namespace {

// Of points: the mean over the known targets.
Variable point_loss(const TrainOptions& options, Variable forecast, View<const float> target) {
  const std::int64_t elements = target.elements();
  std::vector<std::int64_t> known;
  for (std::int64_t i = 0; i < elements; ++i) {
    if (!std::isnan(target.data[i])) known.push_back(i);
  }
  if (known.empty()) return mse(forecast, forecast.value());  // 0, and nothing to learn
  if (std::ssize(known) < elements) {
    Tensor expected({std::ssize(known), 1});
    for (std::size_t i = 0; i < known.size(); ++i) expected.data()[i] = target.data[known[i]];
    return point_loss(options, select_rows(reshape(forecast, {elements, 1}), std::span<const std::int64_t>(known)),
                      static_cast<const Tensor&>(expected).view());
  }
  if (options.loss == "mae") return mae(forecast, target);
  if (options.loss == "huber") return huber(forecast, target);
  return mse(forecast, target);
}

}  // namespace

Variable forecast_loss(const TrainOptions& options, const ForecastHead* head, Variable forecast,
                       const HeadTargets& expected) {
  if (head) return head->loss(forecast, expected);
  return point_loss(options, forecast, expected.values.view());
}

std::vector<WindowAt> validation_windows(const ForecastData& data, const ForecastInfo& info) {
  return thinned(data.windows_in(&SeriesSplit::valid, info.shape()), kMaxValidationWindows);
}

std::vector<double> window_losses(Sequential& network, const ForecastData& data, std::span<const WindowAt> windows,
                                  const ForecastInfo& info, const TrainOptions& options) {
  Tensor forecasts = predict_windows(network, data.scaled, windows, info);
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  const std::vector<std::int64_t> targets = info.target_positions();
  const std::int64_t width = network_outputs(info);
  std::vector<double> losses;
  Tape<float> tape;
  tape.set_recording(false);
  WindowBatch batch;
  HeadTargets expected;
  for (std::size_t n = 0; n < windows.size(); ++n) {
    const std::vector<WindowAt> one{windows[n]};
    gather_windows(data.scaled, one, info.shape(), targets, batch);
    gather_expected(data, one, info, batch.targets, expected);
    const float* target = expected.values.data();
    const bool known = std::any_of(target, target + expected.values.elements(), [](float y) { return !std::isnan(y); });
    tape.reset();
    const View<const float> forecast{forecasts.data() + static_cast<std::int64_t>(n) * width, Shape{1, width}};
    losses.push_back(known ? forecast_loss(options, head.get(), tape.constant(forecast), expected).item()
                           : std::numeric_limits<double>::quiet_NaN());
  }
  return losses;
}

std::vector<double> noise_scales(const ForecastInfo& info) {
  std::vector<double> scales(info.columns.size(), 0.0);
  std::fill_n(scales.begin(), info.value_columns(), 1.0);
  return scales;
}

std::optional<Validation> validation_loss(Sequential& network, const ForecastData& data,
                                          const std::vector<WindowAt>& windows, const ForecastInfo& info,
                                          const TrainOptions& options) {
  if (windows.empty()) return std::nullopt;
  const Tensor forecasts = predict_windows(network, data.scaled, windows, info);
  WindowBatch batch;
  HeadTargets expected;
  gather_windows(data.scaled, windows, info.shape(), info.target_positions(), batch);
  gather_expected(data, windows, info, batch.targets, expected);
  const std::unique_ptr<ForecastHead> head = make_forecast_head(info);
  Tape<float> tape;
  tape.set_recording(false);
  const double loss = forecast_loss(options, head.get(), tape.constant(forecasts.view()), expected).item();
  return Validation{loss, head ? std::string(head->metric()) : options.loss, loss, false};
}

ForecastProblem::ForecastProblem(Sequential& network, const ForecastData& data, const ForecastInfo& info,
                                 const TrainOptions& options)
    : TaskProblem(network),
      data_(data),
      info_(info),
      options_(options),
      head_(make_forecast_head(info)),
      targets_(info.target_positions()) {
  training_ = data.training_windows(info.shape());
  validation_ = validation_windows(data, info);
  per_epoch_ = std::min<std::int64_t>(std::ssize(training_), kMaxWindowsPerEpoch);
  order_.resize(training_.size());
  noise_ = InputNoise(options.input_noise, static_cast<std::uint64_t>(options.seed), noise_scales(info));
}

std::vector<Parameter*> ForecastProblem::parameters() { return recurrent_branch().parameters(); }

Sequential& ForecastProblem::recurrent_branch() const {
  return dynamic_cast<Sum&>(forecast_core(network_)).branches().front();
}

std::int64_t ForecastProblem::batches_in_epoch(std::int64_t epoch) {
  fill_permutation({static_cast<std::uint64_t>(options_.seed), Purpose::kShuffle, static_cast<std::uint64_t>(epoch)},
                   order_);
  return (per_epoch_ + options_.batch_size - 1) / options_.batch_size;
}

void ForecastProblem::prepare(std::int64_t epoch, std::int64_t batch) {
  const std::int64_t first = batch * options_.batch_size, end = std::min(per_epoch_, first + options_.batch_size);
  std::vector<WindowAt> windows;
  for (std::int64_t k = first; k < end; ++k) {
    windows.push_back(training_[static_cast<std::size_t>(order_[static_cast<std::size_t>(k)])]);
  }
  gather_windows(data_.scaled, windows, info_.shape(), targets_, batch_);
  gather_expected(data_, windows, info_, batch_.targets, expected_);
  if (!noise_) return;
  noisy_ = batch_.inputs;
  const std::vector<std::int32_t> lengths(static_cast<std::size_t>(end - first),
                                          static_cast<std::int32_t>(info_.window));
  noise_.add(epoch, std::span(order_).subspan(static_cast<std::size_t>(first), lengths.size()), lengths, noisy_);
}

// The forecasts of the batch. Noise is what the recurrent branch sees: the linear one was fitted without.
Variable ForecastProblem::run(Tape<float>& tape) {
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  detail::PassInput input = only_values(noise_ ? noisy_ : batch_.inputs);
  input.bptt = options_.bptt;
  input.checkpoint_steps = checkpoint_steps;
  if (!noise_) return detail::run_pass(forecast_core(network_), tape, layout_, input, true, key);
  std::vector<Sequential>& branches = dynamic_cast<Sum&>(forecast_core(network_)).branches();
  Variable forecast = detail::run_pass(branches[0], tape, layout_, input, true, key);
  for (std::size_t k = 1; k < branches.size(); ++k) {
    forecast = add_first_columns(
        forecast, detail::run_pass(branches[k], tape, linear_layout_, only_values(batch_.inputs), true, key));
  }
  return forecast;
}

Variable ForecastProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t) {
  return forecast_loss(options_, head_.get(), run(tape), expected_);
}

std::optional<Validation> ForecastProblem::validate() {
  return validation_loss(network_, data_, validation_, info_, options_);
}

std::vector<std::pair<std::string, double>> ForecastProblem::gate_saturation(Tape<float>& tape) {
  const std::int64_t count = probe_size(std::ssize(training_), options_.batch_size);
  std::vector<WindowAt> windows;
  for (std::int64_t k = 0; k < count; ++k) {
    windows.push_back(training_[static_cast<std::size_t>(k * std::ssize(training_) / count)]);
  }
  gather_inputs(data_.scaled, windows, info_.window, batch_.inputs);
  return probe_gates(window_reader(recurrent_branch()), tape, layout_, only_values(batch_.inputs), checkpoint_steps);
}

MemoryNeeds ForecastProblem::memory_needs() {
  MemoryNeeds needs{forecast_core(network_).describe(), {}, {}, 0};
  PassSizes sizes{.time_steps = info_.window, .features = std::ssize(info_.columns)};
  for (const auto& [part, samples] : {std::pair(&needs.training, std::min(per_epoch_, options_.batch_size)),
                                      std::pair(&needs.validation, std::min(std::ssize(validation_), kBatch))}) {
    sizes.samples = samples;
    sizes.rows = samples * info_.window;
    *part = sizes;
  }
  for (const Series& series : data_.series) needs.data_bytes += 16 * std::ssize(series.values);  // as read and scaled
  return needs;
}

}  // namespace carousel
