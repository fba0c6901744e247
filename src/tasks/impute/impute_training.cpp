#include "tasks/impute/impute_training.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "layers/module.h"
#include "tasks/forecast/forecast_training.h"
#include "tasks/gate_probe.h"

namespace carousel {
namespace {

constexpr std::uint64_t kScoringSeed = 1, kScoringDraw = std::uint64_t{1} << 23;  // behind those of all epochs
constexpr std::int64_t kWindowsPerEpoch = 1024;  // as many, where half windows give fewer and the rows suffice
constexpr std::int64_t kMostWindowsPerEpoch = 16384;

}  // namespace

Range train_part(const SeriesSplit& split) { return split.train; }
Range valid_part(const SeriesSplit& split) { return split.valid; }
Range test_part(const SeriesSplit& split) { return split.test; }

HiddenValues hide_part(const ForecastData& data, PartOf part, const HidingRule& rule, std::uint64_t seed,
                       std::uint64_t draw) {
  HiddenValues hidden{data.series, {}};
  for (std::size_t k = 0; k < hidden.series.size(); ++k) {
    Series& series = hidden.series[k];
    const Range rows = part(data.splits[k]);
    series.values.resize(static_cast<std::size_t>(rows.end * series.column_count()));
    series.times.resize(rows.end);
    hide_values(rule, rows, {seed, Purpose::kHide, draw << 32 | k}, static_cast<std::int64_t>(k), series,
                hidden.places);
  }
  return hidden;
}

std::vector<HiddenValues> hide_to_score(const ForecastData& data, PartOf part, const HidingRule& rule) {
  constexpr std::size_t kEnough = 1000, kMostDraws = 10;
  std::vector<HiddenValues> draws;
  for (std::size_t count = 0; count < kEnough && draws.size() < kMostDraws; count += draws.back().places.size()) {
    draws.push_back(hide_part(data, part, rule, kScoringSeed, kScoringDraw + draws.size()));
    if (draws.back().places.empty()) return {};
  }
  return draws;
}

std::vector<double> right_values(const ForecastData& data, std::span<const ValueAt> places) {
  std::vector<double> right;
  for (const ValueAt& place : places) {
    right.push_back(data.scaled[static_cast<std::size_t>(place.series)].at(place.row, place.target));
  }
  return right;
}

ImputeProblem::ImputeProblem(Sequential& network, const ForecastData& data, const ImputeInfo& info,
                             const HidingRule& rule, const TrainOptions& options)
    : TaskProblem(network), data_(data), info_(info), rule_(rule), options_(options) {
  for (HiddenValues& draw : hide_to_score(data, valid_part, rule)) validation_.push_back(ask(std::move(draw)));
  noise_ = InputNoise(options.input_noise, static_cast<std::uint64_t>(options.seed),
                      std::vector<double>(info.series.columns.size(), 1.0));
  cut_windows(0);
}

ImputeProblem::Asked ImputeProblem::ask(HiddenValues hidden) const {
  Asked asked;
  for (std::size_t k = 0; k < hidden.series.size(); ++k) {
    asked.rows.push_back(network_rows(hidden.series[k], data_.scalers[k], info_.series));
  }
  asked.places = std::move(hidden.places);
  asked.right = right_values(data_, asked.places);
  return asked;
}

// Windows of the training part, half a window apart or less, from another row on in each epoch; the first and the last
// rows are always in one.
void ImputeProblem::cut_windows(std::int64_t epoch) {
  const std::int64_t W = info_.series.window;
  std::int64_t rows = 0;
  for (const SeriesSplit& split : data_.splits) rows += split.train.size();
  const std::int64_t stride = std::clamp<std::int64_t>(rows / kWindowsPerEpoch, 1, std::max<std::int64_t>(W / 2, 1));
  windows_.clear();
  for (std::size_t k = 0; k < data_.splits.size(); ++k) {
    const TrainingRange& part = data_.splits[k].train;
    if (part.size() < W) continue;  // held back as a whole
    const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kSample, static_cast<std::uint64_t>(epoch)};
    const auto shift = static_cast<std::int64_t>(uniform_below(key, k, static_cast<std::uint64_t>(stride)));
    const std::int64_t last = part.end() - W;
    for (std::int64_t begin = part.begin() - shift; begin < last + stride; begin += stride) {
      windows_.push_back({static_cast<std::int64_t>(k), std::clamp(begin, part.begin(), last) + W});
    }
  }
  order_.resize(windows_.size());
}

std::int64_t ImputeProblem::batches_in_epoch(std::int64_t epoch) {
  const auto seed = static_cast<std::uint64_t>(options_.seed), number = static_cast<std::uint64_t>(epoch);
  cut_windows(epoch);
  fill_permutation({seed, Purpose::kShuffle, number}, order_);
  Asked asked = ask(hide_part(data_, train_part, rule_, seed, number));
  rows_ = std::move(asked.rows);
  const auto K = static_cast<std::size_t>(info_.targets());
  missing_.resize(rows_.size());
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    missing_[k].assign(static_cast<std::size_t>(rows_[k].time_steps()) * K, std::numeric_limits<double>::quiet_NaN());
  }
  for (std::size_t i = 0; i < asked.places.size(); ++i) {
    const ValueAt& place = asked.places[i];
    const auto k = static_cast<std::size_t>(place.series);
    missing_[k][static_cast<std::size_t>(place.row) * K + static_cast<std::size_t>(place.target)] =
        asked.right[i] - rows_[k].at(place.row, place.target);
  }
  const std::int64_t windows = std::min(std::ssize(windows_), kMostWindowsPerEpoch);
  return (windows + options_.batch_size - 1) / options_.batch_size;
}

void ImputeProblem::prepare(std::int64_t epoch, std::int64_t batch) {
  const std::int64_t first = batch * options_.batch_size, W = info_.series.window, K = info_.targets();
  const std::int64_t N = std::min({options_.batch_size, std::ssize(windows_) - first, kMostWindowsPerEpoch - first});
  const std::span<const std::int64_t> chosen(order_.data() + first, static_cast<std::size_t>(N));
  std::vector<WindowAt> windows;
  for (const std::int64_t number : chosen) windows.push_back(windows_[static_cast<std::size_t>(number)]);
  gather_inputs(rows_, windows, W, inputs_);
  if (!(expected_.values.shape() == Shape{W, N, K})) expected_.values = Tensor({W, N, K});
  for (std::int64_t n = 0; n < N; ++n) {
    const WindowAt& window = windows[static_cast<std::size_t>(n)];
    const double* missing = missing_[static_cast<std::size_t>(window.series)].data() + (window.origin - W) * K;
    for (std::int64_t i = 0; i < W * K; ++i) {
      expected_.values[(i / K * N + n) * K + i % K] = static_cast<float>(missing[i]);
    }
  }
  if (!noise_) return;
  noise_.add(epoch, chosen, std::vector<std::int32_t>(static_cast<std::size_t>(N), static_cast<std::int32_t>(W)),
             inputs_);
}

Variable ImputeProblem::loss(Tape<float>& tape, std::int64_t, std::int64_t) {
  const RandomKey key{static_cast<std::uint64_t>(options_.seed), Purpose::kDropout, passes_++};
  detail::PassInput input;
  input.values = &inputs_;
  input.checkpoint_steps = checkpoint_steps;
  return forecast_loss(options_, nullptr, detail::run_pass(network_, tape, layout_, input, true, key), expected_);
}

std::optional<Validation> ImputeProblem::validate() {
  std::vector<float> errors;
  for (const Asked& draw : validation_) {
    const std::vector<double> answers = answer(network_, info_.series, draw.rows, draw.places);
    for (std::size_t i = 0; i < answers.size(); ++i) errors.push_back(static_cast<float>(answers[i] - draw.right[i]));
  }
  if (errors.empty()) return std::nullopt;
  const Shape shape{std::ssize(errors), 1};
  Tape<float> tape;
  tape.set_recording(false);
  const Variable all = tape.constant(View<const float>{errors.data(), shape});
  const double loss = forecast_loss(options_, nullptr, all, {Tensor(shape), {}, {}}).item();
  return Validation{loss, options_.loss, loss, false};
}

std::vector<std::pair<std::string, double>> ImputeProblem::gate_saturation(Tape<float>& tape) {
  const std::int64_t count = probe_size(std::ssize(windows_), options_.batch_size);
  std::vector<WindowAt> windows;
  for (std::int64_t k = 0; k < count; ++k) {
    windows.push_back(windows_[static_cast<std::size_t>(k * std::ssize(windows_) / count)]);
  }
  gather_inputs(rows_, windows, info_.series.window, inputs_);
  detail::PassInput input;
  input.values = &inputs_;
  return probe_gates(network_, tape, layout_, input, checkpoint_steps);
}

MemoryNeeds ImputeProblem::memory_needs() {
  MemoryNeeds needs{network_.describe(), {}, {}, 0};
  PassSizes sizes{.time_steps = info_.series.window, .features = std::ssize(info_.series.columns)};
  sizes.samples = std::min(options_.batch_size, std::ssize(windows_));
  sizes.rows = sizes.samples * sizes.time_steps;
  needs.training = needs.validation = sizes;
  // As read, scaled, with values hidden, and as the network reads them: of an epoch and of the validation.
  for (const Series& series : data_.scaled) needs.data_bytes += 48 * std::ssize(series.values);
  return needs;
}

}  // namespace carousel
