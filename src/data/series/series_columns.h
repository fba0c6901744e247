// series_columns.h: which column of a table is the time, which the id, which hold values, and which layout it is.
// Judged by the header, the first row and what the user named; used by read_series only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/series/series.h"
#include "data/table.h"

namespace carousel {

struct SeriesColumns {
  std::string layout;                // "wide", "long", "rows"
  std::int64_t time = -1;            // place in the table; -1: none
  std::int64_t id = -1;              // -1: none
  std::vector<std::int64_t> values;  // empty for layout rows
  bool values_named = false;         // the user named them, so each must hold numbers
};

// Throws Error{kUsage} for an unknown layout, or options that do not fit the layout; Error{kData} for a named column
// that is not there, or if no column is left for the values.
SeriesColumns recognise_series_columns(const TableReader& table, const std::vector<std::string>& first_row,
                                       const SeriesOptions& options);

}  // namespace carousel
