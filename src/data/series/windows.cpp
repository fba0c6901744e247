#include "data/series/windows.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace carousel {
namespace {

void check_shape(const WindowShape& shape) {
  if (shape.window < 1 || shape.horizon < 1 || shape.stride < 1) {
    fail(Code::kUsage, "window is {}, horizon {}, stride {}: each must be at least 1", shape.window, shape.horizon,
         shape.stride);
  }
}

Origins origins_between(std::int64_t first, std::int64_t last, std::int64_t stride) {
  return {first, last < first ? 0 : (last - first) / stride + 1, stride};
}

}  // namespace

Origins training_origins(const TrainingRange& training, const WindowShape& shape) {
  check_shape(shape);
  return origins_between(training.begin() + shape.window, training.end() - shape.horizon, shape.stride);
}

Origins held_back_origins(const Range& part, const WindowShape& shape) {
  check_shape(shape);
  return origins_between(std::max(part.begin, shape.window), part.end - shape.horizon, shape.stride);
}

void require_training_window(const Series& series, const TrainingRange& training, const WindowShape& shape) {
  if (training_origins(training, shape).count > 0) return;
  fail(Code::kData,
       "{}: {} values in all, {} of them for training, but a window of {} and a horizon of {} need {}; choose a "
       "smaller --window or --horizon, hold back less, or give a longer series{}",
       series.id.empty() ? "the series is too short" : "series '" + series.id + "' is too short", series.known_steps(),
       training.size(), shape.window, shape.horizon, shape.window + shape.horizon,
       series.id.empty() ? "" : "; --min-length N leaves out series of fewer values");
}

double last_known(const Series& series, std::int64_t row, std::int64_t column) {
  for (; row >= 0; --row) {
    if (!std::isnan(series.at(row, column))) return series.at(row, column);
  }
  return 0;
}

void gather_inputs(std::span<const Series> series, std::span<const WindowAt> windows, std::int64_t window,
                   Tensor& inputs) {
  const auto samples = static_cast<std::int64_t>(windows.size());
  const std::int64_t columns = series.empty() ? 0 : series[0].column_count();
  const Shape shape{window, samples, columns};
  if (!(inputs.shape() == shape)) inputs = Tensor(shape);
  for (std::int64_t n = 0; n < samples; ++n) {
    const WindowAt& at = windows[static_cast<std::size_t>(n)];
    const Series& source = series[static_cast<std::size_t>(at.series)];
    CAROUSEL_ASSERT(at.origin >= window && at.origin <= source.time_steps());
    for (std::int64_t t = 0; t < window; ++t) {
      float* row = inputs.data() + (t * samples + n) * columns;
      for (std::int64_t c = 0; c < columns; ++c) {
        const double value = source.at(at.origin - window + t, c);
        row[c] = !std::isnan(value) ? static_cast<float>(value)
                 : t > 0            ? row[c - samples * columns]
                                    : static_cast<float>(last_known(source, at.origin - window, c));
      }
    }
  }
}

void gather_windows(std::span<const Series> series, std::span<const WindowAt> windows, const WindowShape& shape,
                    std::span<const std::int64_t> target_columns, WindowBatch& batch) {
  gather_inputs(series, windows, shape.window, batch.inputs);
  const auto samples = static_cast<std::int64_t>(windows.size());
  const auto targets = static_cast<std::int64_t>(target_columns.size());
  const Shape target_shape{shape.horizon, samples, targets};
  if (!(batch.targets.shape() == target_shape)) batch.targets = Tensor(target_shape);
  for (std::int64_t n = 0; n < samples; ++n) {
    const WindowAt& at = windows[static_cast<std::size_t>(n)];
    const Series& source = series[static_cast<std::size_t>(at.series)];
    CAROUSEL_ASSERT(at.origin + shape.horizon <= source.time_steps());
    for (std::int64_t h = 0; h < shape.horizon; ++h) {
      float* row = batch.targets.data() + (h * samples + n) * targets;
      for (std::int64_t k = 0; k < targets; ++k) {
        row[k] = static_cast<float>(source.at(at.origin + h, target_columns[static_cast<std::size_t>(k)]));
      }
    }
  }
}

}  // namespace carousel
