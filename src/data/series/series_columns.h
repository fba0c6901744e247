// series_columns.h: which columns of a table are the time, the id, the values, and which layout it is.
// Judged by the header, the first row and what the user named; used by read_series only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/series/series.h"
#include "data/table.h"

namespace carousel {

struct SeriesColumns {
  std::string layout;                 // "wide", "columns", "long", "rows"
  std::vector<std::int64_t> time;     // places in the table: none, one, or the parts of a time from the year on
  std::int64_t id = -1;               // -1: none
  std::vector<std::int64_t> values;   // targets, past and future columns; empty for layout rows
  std::size_t first_named = 0;        // the values before it are whatever was left: they may turn out to be text
  std::size_t target_count = 0;       // of values, the first ones
  std::vector<std::int64_t> statics;  // in the order asked
  std::string row_numbers;            // a column that only counts the rows and is left out; "": none
};

// Throws Error{kUsage} for an unknown layout, or options that do not fit the layout; Error{kData} for a named column
// that is not there, or if no column is left for the values.
SeriesColumns recognise_series_columns(const TableReader& table, const std::vector<std::string>& first_row,
                                       const SeriesOptions& options);

}  // namespace carousel
