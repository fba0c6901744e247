// windows.h: the (input, target) pairs that are cut out of a series.
//
// The window at origin o has the input rows o-window .. o-1 and the target rows o .. o+horizon-1: the origin is the
// first row that is not known. Windows never cross a split:
//   - in the training part, input and target lie wholly inside it:
//       count = floor((rows - window - horizon) / stride) + 1, or 0 if rows < window + horizon
//   - in a validation or test part the target lies wholly inside it and the input may reach back into the part before
//     (its values are known by then); the convention of the long-horizon benchmarks, whose borders start at split -
//     window. With `first` = max(begin, window):
//       count = floor((end - horizon - first) / stride) + 1, or 0 if end < first + horizon
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "carousel/tensor.h"
#include "data/series/series_split.h"

namespace carousel {

struct WindowShape {
  std::int64_t window = 1, horizon = 1, stride = 1;
};

// Evenly spaced origins: first, first + stride ...
struct Origins {
  std::int64_t first = 0, count = 0, stride = 1;
  std::int64_t operator[](std::int64_t index) const noexcept { return first + index * stride; }
};

// Throw Error{kUsage} if window, horizon or stride is less than 1. No window that fits is count 0, not an error.
Origins training_origins(const TrainingRange& training, const WindowShape& shape);
Origins held_back_origins(const Range& part, const WindowShape& shape);

// Throws Error{kData} if no training window fits: how many values there are, how many are needed, what to change.
void require_training_window(const Series& series, const TrainingRange& training, const WindowShape& shape);

// One window: which series of a list, and its origin.
struct WindowAt {
  std::int64_t series = 0, origin = 0;
};

// What a network is given for a value: the value, or where it is missing the last known one of its column before it, 0
// if there is none (the mean, of scaled series); never one from later.
double last_known(const Series& series, std::int64_t row, std::int64_t column);

// Copies the windows of a batch: inputs [window, N, C] with all columns, targets [horizon, N, target columns]. A
// missing input is as last_known() says, a missing target stays NaN. The tensors are made anew only if their shape
// differs, so a training loop reuses them. REQUIRES: every window lies inside its series, all series have the same
// columns.
struct WindowBatch {
  Tensor inputs, targets;
};
void gather_windows(std::span<const Series> series, std::span<const WindowAt> windows, const WindowShape& shape,
                    std::span<const std::int64_t> target_columns, WindowBatch& batch);

// The inputs alone, [window, N, C]; the origin may be the end of the series.
void gather_inputs(std::span<const Series> series, std::span<const WindowAt> windows, std::int64_t window,
                   Tensor& inputs);

}  // namespace carousel
