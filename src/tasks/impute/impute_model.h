// impute_model.h: the network that fills missing values, and what its model file keeps beside it.
//
// It reads windows of rows from both ends, in scaled units: the columns, missing values on the straight line between
// their known neighbours (network_rows), and the derived ones of forecast_columns.h, with "C is known" of every target.
// What it gives for a row and target, [T, N, targets], is added to that line: before training it is linear
// interpolation.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "carousel/model.h"
#include "tasks/forecast/forecasts.h"
#include "tasks/impute/impute_gaps.h"
#include "tasks/options.h"

namespace carousel {

// By how far the nearest known value of the same target is, in rows: 1, 2 to 3, 4 to 7, 8 to 15, 16 or more.
inline constexpr std::int64_t kDistances = 5;

// Kept in Model::task_data().
struct ImputeInfo {
  ForecastInfo series;         // how series are read, split and scaled, columns, window, season, levels; horizon 1
  std::vector<Gap> gaps;       // of the training parts
  double hidden = 0;           // the share hidden in training
  std::vector<double> errors;  // [kDistances, targets, levels]: quantiles of the errors in validation, in scaled units;
                               // empty: not known

  std::string to_json() const;
  // Throws Error{kModel} if the model does not fill values or its description does not fit.
  static ImputeInfo from_model(const Model& model);
  std::int64_t targets() const { return std::ssize(series.targets); }
};

// The model options with every "auto" replaced; the observer is told. `rows`: of training.
ModelOptions resolve_impute_model(const ModelOptions& options, const ForecastInfo& info, std::int64_t rows,
                                  Observer& observer);

// `options` is resolved. The output layer is zero.
Sequential build_imputer(const ModelOptions& options, const ForecastInfo& info, std::uint64_t seed);

// A series, in the units of the data, as the network reads it. REQUIRES: the columns that info was made for.
Series network_rows(const Series& series, const Scaler& scaler, const ForecastInfo& info);

// What the network says about missing values, in scaled units: [places]; `rows` are network_rows(). Each place is
// answered from the window that begins at the multiple of half a window nearest to half a window before it, moved
// inside the series; a series that is shorter is one window.
std::vector<double> answer(Sequential& network, const ForecastInfo& info, std::span<const Series> rows,
                           std::span<const ValueAt> places);

// The same in the units of the data, point [places, 1], with quantiles if info.errors are known. `series` are in those
// units, too, as many as there are scalers.
Forecasts fill_values(Sequential& network, const ImputeInfo& info, std::span<const Series> series,
                      std::span<const Scaler> scalers, std::span<const ValueAt> places);

// Which of the kDistances a missing value is away from the nearest known one of its target.
std::int64_t distance_of(const Series& series, const ValueAt& place);

}  // namespace carousel
