#include "tasks/forecast/forecast_linear.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "data/series/series_fill.h"
#include "layers/module.h"
#include "tasks/baselines/ridge.h"

namespace carousel {
namespace {

constexpr std::int64_t kMaxWindows = 20000;  // more windows than this add time, not accuracy
constexpr std::int64_t kMaxInputs = 300;     // window x columns up to which all columns are tried together

struct Place {
  const Series* series;
  std::int64_t origin;
};

// The series with missing values filled (carry_forward); those that have none are not copied.
struct Filled {
  std::vector<Series> copies;
  std::vector<const Series*> series;

  explicit Filled(const std::vector<Series>& all) {
    copies.reserve(all.size());
    for (const Series& one : all) {
      const bool whole =
          std::none_of(one.values.begin(), one.values.end(), [](double value) { return std::isnan(value); });
      if (!whole) copies.push_back(carry_forward(one));
      series.push_back(whole ? &one : &copies.back());
    }
  }
};

// The first four fifths of the training windows of every series to fit, the others and those of the validation part to
// check; about kMaxWindows in all.
void choose_windows(const ForecastData& data, const Filled& filled, const ForecastInfo& info, std::vector<Place>& fit,
                    std::vector<Place>& check, std::vector<Place>& validation) {
  const std::int64_t total = std::ssize(data.training_windows(info.shape()));
  const WindowShape shape = info.shape(std::max<std::int64_t>(1, total / kMaxWindows));
  for (std::size_t s = 0; s < data.scaled.size(); ++s) {
    const Origins origins = training_origins(data.splits[s].train, shape);
    for (std::int64_t k = 0; k < origins.count; ++k) {
      (k < origins.count * 4 / 5 ? fit : check).push_back({filled.series[s], origins[k]});
    }
    const Origins later = held_back_origins(data.splits[s].valid, shape);
    for (std::int64_t k = 0; k < later.count; ++k) validation.push_back({filled.series[s], later[k]});
  }
}

// What one map sees: the columns of its inputs, and the target.
struct Candidate {
  std::vector<std::int64_t> columns;
  std::int64_t target = 0;
  bool seasonal = false;
};

// The row of the window that the forecast of step h starts from.
std::int64_t anchor_row(const ForecastInfo& info, bool seasonal, std::int64_t step) {
  if (!seasonal) return info.window - 1;
  const std::int64_t back = info.season * (step / info.season + 1) - step;
  return info.window - back;
}

Moments collect(const std::vector<Place>& places, const ForecastInfo& info, const Candidate& candidate) {
  const std::int64_t N = std::ssize(places), W = info.window, columns = std::ssize(candidate.columns);
  BasicTensor<double> inputs({N, W * columns}), outputs({N, info.horizon});
  for (std::int64_t n = 0; n < N; ++n) {
    const auto& [series, origin] = places[static_cast<std::size_t>(n)];
    double* in = inputs.data() + n * W * columns;
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t column = candidate.columns[static_cast<std::size_t>(j)];
      const double last = series->at(origin - 1, column);
      for (std::int64_t t = 0; t + 1 < W; ++t) in[t * columns + j] = series->at(origin - W + t, column) - last;
      in[(W - 1) * columns + j] = last;
    }
    for (std::int64_t h = 0; h < info.horizon; ++h) {
      const double anchor = series->at(origin - W + anchor_row(info, candidate.seasonal, h), candidate.target);
      outputs[n * info.horizon + h] = series->at(origin + h, candidate.target) - anchor;
    }
  }
  return moments_of(static_cast<const BasicTensor<double>&>(inputs).view(),
                    static_cast<const BasicTensor<double>&>(outputs).view());
}

// Puts the map of one target into the weights, in terms of the window's own values.
void place_map(const LinearMap& map, const Candidate& candidate, std::int64_t target_index, const ForecastInfo& info,
               LinearStart& start) {
  const std::int64_t W = info.window, C = std::ssize(info.columns), K = std::ssize(info.targets);
  const std::int64_t columns = std::ssize(candidate.columns);
  for (std::int64_t h = 0; h < info.horizon; ++h) {
    const std::int64_t row = h * K + target_index;
    float* weight = start.weight.data() + row * W * C;
    start.bias[row] = static_cast<float>(map.intercept[static_cast<std::size_t>(h)]);
    for (std::int64_t j = 0; j < columns; ++j) {
      const std::int64_t column = candidate.columns[static_cast<std::size_t>(j)];
      const double* from = map.weights.data() + h * W * columns;
      double last = from[(W - 1) * columns + j];
      for (std::int64_t t = 0; t + 1 < W; ++t) {
        weight[t * C + column] = static_cast<float>(from[t * columns + j]);
        last -= from[t * columns + j];
      }
      weight[(W - 1) * C + column] = static_cast<float>(last);
    }
    weight[anchor_row(info, candidate.seasonal, h) * C + candidate.target] += 1;
  }
}

}  // namespace

LinearStart fit_linear_start(const ForecastData& data, const ForecastInfo& info) {
  std::vector<Place> fit, check, validation;
  const Filled filled(data.scaled);
  choose_windows(data, filled, info, fit, check, validation);
  const std::int64_t C = std::ssize(info.columns), outputs = info.horizon * std::ssize(info.targets);
  LinearStart start{Tensor({outputs, info.window * C}), Tensor({outputs}), ""};
  const bool can_be_seasonal = info.season > 1 && info.window >= info.season;
  const std::vector<std::int64_t> targets = info.target_positions();
  std::int64_t seasonal_targets = 0, crossed_targets = 0;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    std::vector<Candidate> candidates{{{targets[k]}, targets[k], false}};
    if (can_be_seasonal) candidates.push_back({{targets[k]}, targets[k], true});
    const std::int64_t seen = info.value_columns();
    if (seen > 1 && info.window * seen <= kMaxInputs) {
      candidates.push_back({{}, targets[k], false});
      for (std::int64_t c = 0; c < seen; ++c) candidates.back().columns.push_back(c);
    }
    double least = std::numeric_limits<double>::infinity();
    LinearMap best_map;
    const Candidate* best = nullptr;
    for (const Candidate& candidate : candidates) {
      const Moments fitted = collect(fit, info, candidate), checked = collect(check, info, candidate);
      const PenaltyChoice choice = choose_penalty(
          fitted, validation.empty() ? checked : combined(checked, collect(validation, info, candidate)));
      if (best && !(choice.error < least)) continue;
      least = choice.error;
      best = &candidate;
      best_map = fit_ridge(combined(fitted, checked), choice.penalty);
    }
    place_map(best_map, *best, static_cast<std::int64_t>(k), info, start);
    seasonal_targets += best->seasonal;
    crossed_targets += best->columns.size() > 1;
  }
  start.description =
      fmt::format("linear start: {} of {} targets from the same phase of the season, {} from all columns",
                  seasonal_targets, targets.size(), crossed_targets);
  return start;
}

namespace {

class LinearStartBaseline final : public ForecastBaseline {
 public:
  LinearStartBaseline(Sequential& network, const ForecastInfo& info)
      : map_(dynamic_cast<Sum&>(forecast_core(network)).branches().back()),
        window_(info.window),
        targets_(info.target_positions()) {}
  std::string_view name() const override { return "linear_start"; }
  bool of_scaled_values() const override { return true; }

  void forecast(const ForecastPlaces& places, View<double> out) const override {
    constexpr std::size_t kAtOnce = 256;
    const std::int64_t values = out.shape.elements() / std::ssize(places.origins);
    for (std::size_t first = 0; first < places.origins.size(); first += kAtOnce) {
      const auto here = places.origins.subspan(first, std::min(kAtOnce, places.origins.size() - first));
      forecast_some(places.series, here, out.data + static_cast<std::int64_t>(first) * values, values);
    }
  }

 private:
  // out [origins, values]
  void forecast_some(const Series& series, std::span<const std::int64_t> origins, double* out,
                     std::int64_t values) const {
    std::vector<WindowAt> windows;
    for (const std::int64_t origin : origins) windows.push_back({0, origin});
    Tensor inputs;
    gather_inputs(std::span(&series, 1), windows, window_, inputs);
    Tape<float> tape;
    tape.set_recording(false);
    SequenceLayout layout;
    for (std::int64_t done = 0; done < values;) {
      tape.reset();
      detail::PassInput input;
      input.values = &inputs;
      const Variable y = detail::run_pass(map_, tape, layout, input, false, {});
      const std::int64_t given = y.shape()[1];
      for (std::int64_t n = 0; n < y.shape()[0]; ++n) {
        std::copy_n(y.value().data + n * given, given, out + n * values + done);
      }
      done += given;
      if (done < values) feed(y.value(), inputs);
    }
  }

  // Moves the windows on by a row, that of the forecasts y [N, targets]; what is no target stays as it is.
  void feed(View<const float> y, Tensor& inputs) const {
    const std::int64_t N = inputs.shape()[1], C = inputs.shape()[2], K = std::ssize(targets_);
    std::copy(inputs.data() + N * C, inputs.data() + inputs.elements(), inputs.data());
    float* row = inputs.data() + (window_ - 1) * N * C;
    for (std::int64_t i = 0; i < N * K; ++i) row[i / K * C + targets_[static_cast<std::size_t>(i % K)]] = y.data[i];
  }

  Sequential& map_;
  std::int64_t window_;
  std::vector<std::int64_t> targets_;
};

}  // namespace

std::unique_ptr<ForecastBaseline> linear_start_baseline(Sequential& network, const ForecastInfo& info) {
  return std::make_unique<LinearStartBaseline>(network, info);
}

}  // namespace carousel
