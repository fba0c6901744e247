// series.h: time series read from a table, and where the numbers of one stand.
//
// A Series owns its values as double, row-major [T, C]: row t holds the C columns at time t, so values[t * C + c]. A
// missing value is NaN. Rows are one time step apart: where the file leaves out times there are rows of missing values
// (SeriesOptions::gaps), and whatever was changed stands in SeriesSet::notes.
//
// Layouts. `wide`: one row per time, a time column (optional) and one or more value columns; one series, id "".
// `columns`: the same, but every target column is a series of its own, whose id is the column's name; its column is
// "value", and past and future columns are those of all. `long`: as wide with an id column; the rows of one id, in file
// order, are one series. `rows`: one series per row, the id and then its values, ragged (the empty cells at the end do
// not count); a row has no times and one column, "value".
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/series/time_axis.h"

namespace carousel {

struct Series {
  std::string id;
  TimeAxis times;                    // of the rows; empty if there is no time column
  std::vector<std::string> columns;  // [C] names
  std::vector<double> values;        // [T, C]
  std::vector<std::string> statics;  // of SeriesOptions::statics, as written; "" if missing
  std::int64_t future_rows = 0;      // at the end: no target is known any more, but columns known ahead are

  std::int64_t column_count() const noexcept { return static_cast<std::int64_t>(columns.size()); }
  std::int64_t time_steps() const noexcept {
    return columns.empty() ? 0 : static_cast<std::int64_t>(values.size() / columns.size());
  }
  std::int64_t known_steps() const noexcept { return time_steps() - future_rows; }
  double at(std::int64_t time, std::int64_t column) const noexcept {
    return values[static_cast<std::size_t>(time * column_count() + column)];
  }
};

// A past or future column of text. It becomes a column of 1 and 0 for each category, named "column = category", 0 in
// all of them for any other text.
struct CategoryColumn {
  std::string name;
  std::vector<std::string> categories;  // sorted

  std::vector<std::string> columns() const;  // "column = category" of each
  bool operator==(const CategoryColumn&) const = default;
};

struct SeriesOptions {
  std::string format{};       // of the table (parse_table_format); empty: recognised
  std::string layout{};       // "wide", "columns", "long", "rows"; empty: recognised
  std::string time_column{};  // empty: recognised; "year,month,day,hour,minute" or the first of these: parts of a time
  std::string id_column{};    // empty: recognised (layout long)
  // The columns kept, in the order targets, past, future. Targets empty: all numeric columns that are nothing else.
  // Past columns are known up to the present, future ones ahead of it; statics are the same in all rows of a series.
  std::vector<std::string> targets{}, past{}, future{}, statics{};
  // Of past and future columns that are text; a column that is not among them is if its first value is, and has then
  // every category of the file.
  std::vector<CategoryColumn> categories{};
  std::string missing_value{};        // a further text or number that means "missing"
  std::string gaps{};                 // "mask", "refuse", "ignore"; empty: mask, but holidays of business days ignored
  std::string duplicates = "refuse";  // of a time: "refuse", "first", "last", "mean"
  std::string missing = "mask";       // values: "mask", "last", "interpolate", "refuse"
  bool sort = false;                  // rows need not be in order of time
  std::int64_t min_length = 0;        // series with fewer known target values are left out
  bool to_fill = false;  // missing targets are asked for: rows at the end without one stay, and are not the future
};

struct SeriesSet {
  std::vector<Series> series;  // in the order of their first row
  std::string path, layout, time_column, id_column;
  std::int64_t target_count = 0;  // of the columns of a series, the first ones
  std::vector<CategoryColumn> categories;
  std::vector<std::string> notes;  // what was recognised, left out or changed: for the user to read
  std::int64_t missing = 0;        // values that are missing, of known rows
};

// Reads the file (gzip too). Rows at the end that hold no target are the future if SeriesOptions::future names columns,
// else they are left out.
// Throws Error{kIo} if it cannot be read; Error{kUsage} for an unknown layout and options that contradict each other;
// Error{kData} for a named column that is not there (it lists the columns), and with file and line for a row of another
// length, text where a number belongs, times that run backwards, stand twice or lie at uneven distances, a static
// column that changes, a column of a series without any number, a file without rows.
// `change` is called with each series in turn when its rows are in order and nothing is filled in yet.
using SeriesChange = std::function<void(Series& series)>;
SeriesSet read_series(const std::string& path, const SeriesOptions& options = {}, const SeriesChange& change = {});

// The positions of the named columns in the series. Throws Error{kUsage} that lists the columns.
std::vector<std::int64_t> column_positions(const Series& series, std::span<const std::string> names);

}  // namespace carousel
