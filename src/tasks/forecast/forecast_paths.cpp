#include "tasks/forecast/forecast_paths.h"

#include <algorithm>

#include "autograd/ops/add_first_columns.h"
#include "base/fail.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "layers/module.h"
#include "tasks/forecast/forecast_outputs.h"
#include "tasks/forecast/forecast_stateful.h"

namespace carousel {
namespace {

constexpr std::int64_t kRowsOfPaths = 4096;  // windows x paths that go on at once

// The windows of a block, each with its paths, one row of a batch for every path.
class PathBlock {
 public:
  PathBlock(Sequential& network, const ForecastData& data, const ForecastInfo& info)
      : parts_(network), data_(data), info_(info), head_(make_forecast_head(info)), targets_(info.target_positions()) {
    tape_.set_recording(false);
  }

  // Reads the history of the windows; `paths` rows for each of them from then on.
  void begin(std::span<const WindowAt> windows, std::int64_t paths) {
    windows_.assign(windows.begin(), windows.end());
    paths_ = paths;
    std::vector<HistoryRows> rows;
    std::int64_t longest = 0;
    // Of windows that go on from a carried state, all of one series.
    const CarriedState* carried = nullptr;
    if (info_.stateful && !data_.carried.empty()) {
      carried = &data_.carried[static_cast<std::size_t>(windows.front().series)];
    }
    for (const WindowAt& window : windows) {
      const std::int64_t start = carried ? carried->rows : 0;
      rows.push_back({window.series, info_.stateful ? start : window.origin - info_.window, window.origin});
      longest = std::max(longest, rows.back().end - rows.back().first);
    }
    std::vector<std::int32_t> lengths;
    Tensor inputs;
    gather_rows(data_.scaled, rows, longest, inputs, lengths);
    detail::PassInput input;
    input.values = &inputs;
    input.lengths = lengths;
    State initial;
    if (carried && carried->rows > 0) {
      for (const Tensor& state : carried->state.values) initial.values.push_back(repeated(state, std::ssize(windows)));
      input.initial = &initial;
    }
    input.final = &state_;
    tape_.reset();
    const Variable y = detail::run_pass(parts_.every_step(), tape_, layout_, input, false, {});
    const std::int64_t N = std::ssize(windows), O = y.shape().back();
    Tensor last({N, O});
    for (std::int64_t n = 0; n < N; ++n) {
      std::copy_n(y.value().data + ((lengths[static_cast<std::size_t>(n)] - 1) * N + n) * O, O, last.data() + n * O);
    }
    Tensor known;
    gather_inputs(data_.scaled, windows, info_.window, known);
    recurrent_ = repeated(last, paths_);
    window_ = repeated(known, paths_);
    for (Tensor& state : state_.values) state = repeated(state, paths_);
  }

  // The next values of all paths, [rows, targets]: sampled, or the points.
  void next(const RandomKey& key, std::int64_t first_window, std::int64_t step, BasicTensor<double>& values) {
    tape_.reset();
    const Variable linear = parts_.linear(tape_, linear_layout_, window_);
    const Variable numbers = add_first_columns(tape_.constant(std::as_const(recurrent_).view()), linear);
    const std::int64_t K = std::ssize(targets_), rows = recurrent_.shape()[0], width = recurrent_.shape()[1] / K;
    if (!(values.shape() == Shape{rows, K})) values = BasicTensor<double>({rows, K});
    parallel_for(rows, [&](std::int64_t row) {
      const Scaler& scaler =
          data_.scalers[static_cast<std::size_t>(windows_[static_cast<std::size_t>(row / paths_)].series)];
      std::vector<double> x(static_cast<std::size_t>(width));
      for (std::int64_t k = 0; k < K; ++k) {
        for (std::int64_t p = 0; p < width; ++p) {
          x[static_cast<std::size_t>(p)] = numbers.value().data[(row * width + p) * K + k];
        }
        // In the middle of a cell of the generator's grid, so never 0 or 1.
        const auto index = static_cast<std::uint64_t>(((first_window * paths_ + row) * info_.horizon + step) * K + k);
        const double level = static_cast<double>(uniform(key, index)) + 0x1p-25;
        values[row * K + k] =
            head_ ? head_->quantile(x, units_of(scaler, targets_[static_cast<std::size_t>(k)]), level) : x[0];
      }
    });
  }

  // Takes the values as the next row of each path.
  void feed(const BasicTensor<double>& values) {
    const std::int64_t rows = values.shape()[0], C = window_.shape()[2], K = std::ssize(targets_);
    Tensor row({1, rows, C});  // what is no target stays as it is: the number of the series
    std::copy_n(window_.data() + window_.elements() - rows * C, rows * C, row.data());
    for (std::int64_t i = 0; i < rows * K; ++i) {
      row[i / K * C + targets_[static_cast<std::size_t>(i % K)]] = static_cast<float>(values[i]);
    }
    detail::PassInput input;
    input.values = &row;
    input.initial = &state_;
    State after;
    input.final = &after;
    tape_.reset();
    const Variable y = detail::run_pass(parts_.every_step(), tape_, layout_, input, false, {});
    std::copy_n(y.value().data, y.value().elements(), recurrent_.data());
    state_ = std::move(after);
    std::copy(window_.data() + rows * C, window_.data() + window_.elements(), window_.data());
    std::copy_n(row.data(), rows * C, window_.data() + window_.elements() - rows * C);
  }

 private:
  // [..., N, size] -> [..., N x times, size]
  static Tensor repeated(const Tensor& one, std::int64_t times) {
    const Shape& shape = one.shape();
    const std::int64_t size = shape.back(), rows = one.elements() / size;
    Tensor all = shape.rank() == 2 ? Tensor({rows * times, size}) : Tensor({shape[0], shape[1] * times, size});
    for (std::int64_t row = 0; row < rows * times; ++row) {
      std::copy_n(one.data() + row / times * size, size, all.data() + row * size);
    }
    return all;
  }

  StatefulForecaster parts_;
  const ForecastData& data_;
  const ForecastInfo& info_;
  std::unique_ptr<ForecastHead> head_;
  std::vector<std::int64_t> targets_;
  std::vector<WindowAt> windows_;
  std::int64_t paths_ = 1;
  Tape<float> tape_;
  SequenceLayout layout_, linear_layout_;
  State state_;
  Tensor recurrent_;  // [rows, numbers], what the recurrent branch says of the next step
  Tensor window_;     // [window, rows, C], the last rows
};

}  // namespace

void check_recursive(Sequential& network, const ForecastInfo& info) {
  if (!info.feeds_itself()) {
    fail(Code::kUsage,
         "--strategy recursive: {} of {} columns are targets; all must be, since forecasts are fed back as the next "
         "row; leave --target out or forecast directly",
         info.targets.size(), info.value_columns());
  }
  if (info.distribution != "point" && info.transform.ends_with("difference")) {
    fail(Code::kUsage,
         "--strategy recursive --distribution {}: not with --transform {}, since quantiles of paths of differences are "
         "not those of the values; forecast directly, points, or other values",
         info.distribution, info.transform);
  }
  StatefulForecaster{network};  // refuses networks that cannot carry a state
}

BasicTensor<double> sample_paths(Sequential& network, const ForecastData& data, std::span<const WindowAt> windows,
                                 const ForecastInfo& info, std::int64_t paths, std::uint64_t seed) {
  check_recursive(network, info);
  if (info.distribution == "point") paths = 1;
  const std::int64_t K = std::ssize(info.targets), H = info.horizon;
  BasicTensor<double> all({std::ssize(windows), paths, H * K}), values;
  const RandomKey key{seed, Purpose::kSample, 0};
  PathBlock block(network, data, info);
  const std::int64_t at_once = std::max<std::int64_t>(1, kRowsOfPaths / paths);
  for (std::int64_t first = 0; first < std::ssize(windows); first += at_once) {
    const std::int64_t count = std::min(at_once, std::ssize(windows) - first);
    block.begin(windows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)), paths);
    for (std::int64_t h = 0; h < H; ++h) {
      block.next(key, first, h, values);
      for (std::int64_t row = 0; row < count * paths; ++row) {
        std::copy_n(values.data() + row * K, K, all.data() + ((first * paths + row) * H + h) * K);
      }
      if (h + 1 < H) block.feed(values);
    }
  }
  return all;
}

Forecasts recursive_forecasts(Sequential& network, const ForecastData& data, std::span<const WindowAt> windows,
                              const ForecastInfo& info) {
  constexpr std::uint64_t kSeed = 1;
  const BasicTensor<double> all = sample_paths(network, data, windows, info, info.paths, kSeed);
  const std::int64_t N = all.shape()[0], paths = all.shape()[1], values = all.shape()[2];
  if (info.distribution == "point") {
    Tensor points({N, values});
    for (std::int64_t i = 0; i < N * values; ++i) points[i] = static_cast<float>(all[i]);
    return read_outputs(points, data, windows, info);
  }
  const std::int64_t Q = std::ssize(info.levels);
  Forecasts forecasts{BasicTensor<double>({N, values}), info.levels, BasicTensor<double>({N, values, Q})};
  parallel_for(N, [&](std::int64_t n) {
    std::vector<double> drawn(static_cast<std::size_t>(paths));
    for (std::int64_t i = 0; i < values; ++i) {
      double sum = 0;
      for (std::int64_t s = 0; s < paths; ++s) {
        drawn[static_cast<std::size_t>(s)] = all[(n * paths + s) * values + i];
        sum += drawn[static_cast<std::size_t>(s)];
      }
      std::sort(drawn.begin(), drawn.end());
      forecasts.point[n * values + i] = sum / static_cast<double>(paths);
      for (std::int64_t q = 0; q < Q; ++q) {
        forecasts.quantiles[(n * values + i) * Q + q] = next_quantile(drawn, info.levels[static_cast<std::size_t>(q)]);
      }
    }
  });
  return forecasts;
}

}  // namespace carousel
