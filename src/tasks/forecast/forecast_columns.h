// forecast_columns.h: what the network of a forecaster sees at each time step, as columns.
//
//   the columns read      targets, past and future columns, scaled
//   "F ahead"             of each future column F: F(t + horizon), so that at the origin, the last row of a window, all
//                         steps of the horizon have been seen; scaled like F
//   "hour sin ahead" ...  with calendar_ahead the calendar features below of the time of row t + horizon
//   "C is known"          of each column C of which the training part lacks at least one value of 200, and of each
//                         target that is to be filled: 1, or 0 where C(t) is missing
//   "hour sin" ...        sine and cosine of the calendar features of the time
//   static ones           the same in every row: a number, scaled over the series of training, or one column for each
//                         category of training, 1 or 0 (a category that training did not have: all 0)
//   "series"              with --series-embedding: the number of the series among those of training, whose learnt
//                         vector the recurrent branch sees instead (layers/tokens/series_embedding.h); -1 for any other
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/series/scaler.h"
#include "data/series/series.h"

namespace carousel {

// A static column of the series.
struct StaticColumn {
  std::string name;
  std::vector<std::string> categories;  // empty: a number
  double shift = 0, factor = 1;         // of a number
};

// The columns behind those that are read.
struct DerivedColumns {
  std::vector<std::string> ahead;     // future columns
  std::vector<std::string> known;     // columns with missing values
  std::vector<std::string> calendar;  // of calendar_features()
  std::vector<StaticColumn> statics;
  std::vector<std::string> series;  // that training knew, sorted; empty: no column
  bool calendar_ahead = false;      // each row has the calendar of the row `horizon` later, too

  std::int64_t ahead_count() const;  // columns of the row `horizon` later, the first ones of names()
  std::vector<std::string> names() const;
  std::int64_t series_number(const std::string& id) const;  // -1 for one that training did not have
  // Throws Error{kModel} unless `columns` are some columns that are read, with those that names() is made from among
  // them, and then names(), and the statics are those of `reading`.
  void check(const std::vector<std::string>& columns, const SeriesOptions& reading) const;
  nlohmann::json to_json() const;
  // Throws what nlohmann::json throws, and Error{kModel} for an unknown calendar feature.
  static DerivedColumns from_json(const nlohmann::json& object);
};

// Judged by the training parts. `calendar`: features, "none" or nothing; with `calendar_ahead` they are known ahead, if
// there are some. Throws Error{kUsage} for an unknown feature or one that is given twice, and for features without a
// time column of dates.
DerivedColumns fit_derived_columns(std::span<const Series> series, std::span<const SeriesSplit> splits,
                                   const SeriesOptions& reading, const std::vector<std::string>& calendar,
                                   bool calendar_ahead = false);

// What the network sees of a series, in scaled units: the columns read, then derived.names(). What is not known, or
// lies behind the last row, is missing.
Series network_series(const Series& series, const Scaler& scaler, const DerivedColumns& derived, std::int64_t horizon);

}  // namespace carousel
