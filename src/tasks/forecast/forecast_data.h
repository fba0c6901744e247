// forecast_data.h: the series of a forecast, their parts and their scaled copies.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "carousel/module.h"
#include "data/series/scaler.h"
#include "data/series/series_split.h"
#include "data/series/windows.h"
#include "tasks/forecast/forecast_model.h"
#include "tasks/options.h"

namespace carousel {

// What the recurrent branch of a stateful forecaster remembers after some rows of a series: reading goes on from there.
struct CarriedState {
  State state;            // of one sample
  std::int64_t rows = 0;  // the first ones of the series, which need not be read again
};

struct ForecastData {
  std::vector<Series> series, scaled;  // as read, and in scaled units
  std::vector<Scaler> scalers;         // of each series
  std::vector<SeriesSplit> splits;
  std::vector<CarriedState> carried;         // of each series, if stateful; empty: they are read from their first row
  std::vector<std::string> notes, problems;  // all that is to be said; of it, what is wrong with the data
  std::int64_t target_count = 1;             // of the columns, the first ones

  bool has_training_part() const;  // of any series

  // All windows of a part of every series, `stride` rows apart, but for those that have no known target value.
  // Training: wholly inside; else the target is inside.
  std::vector<WindowAt> training_windows(const WindowShape& shape) const;
  std::vector<WindowAt> windows_in(Range SeriesSplit::*part, const WindowShape& shape) const;

 private:
  void add_windows(std::size_t at, const Origins& origins, std::int64_t horizon, std::vector<WindowAt>& windows) const;
};

// For training: reads options.data and, as whole series to validate on, options.valid; splits, picks window, horizon
// and season where they are "auto" and fits the scaling on the training parts. Fills `info`, of which only
// derived.calendar_ahead and reading.to_fill are read. Throws Error{kData} if no window fits (how many values, how many
// needed). `change`, for the leak check, is called with each series as it was read.
ForecastData read_training_series(const DataOptions& options, ForecastInfo& info, const SeriesChange& change = {});

// For --series-embedding: the column of numbers of the series that have a training part. Throws Error{kUsage} if there
// is one such series only.
void number_series(ForecastData& data, ForecastInfo& info);

// Facts for `data check`: layout, columns, lengths, times.
std::vector<std::pair<std::string, std::string>> describe_series(const ForecastData& data, const ForecastInfo& info);

// How a series is divided for a trained model: as in training (if whole series were held back there, all is test part),
// or all of it known, for forecasts from its end.
enum class Parts { kAsTrained, kAllKnown };

// The series of `paths` with the columns of a trained model, as read. Throws Error{kData} if there are others.
std::vector<Series> read_rows_for_model(const std::vector<std::string>& paths, const DataOptions& options,
                                        const ForecastInfo& info, std::vector<std::string>& notes,
                                        const SeriesChange& change = {});

// For a trained model: the series of `paths` with its columns and its scaling (of several series: each one's own, from
// its training part).
ForecastData read_series_for_model(const std::vector<std::string>& paths, const DataOptions& options,
                                   const ForecastInfo& info, Parts parts, const SeriesChange& change = {});

// Fills in what data.series and data.scalers decide: every row is known, and forecasts go on from the last. Throws
// Error{kData} for a future column that is not known for the whole horizon.
void scale_known_series(ForecastData& data, const ForecastInfo& info);

}  // namespace carousel
