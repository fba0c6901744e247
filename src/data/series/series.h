// series.h: time series read from a table, and where the numbers of one stand.
//
// A Series owns its values as double, row-major [T, C]: row t holds the C columns at time t, so values[t * C + c].
// Nothing is missing any more: gaps are filled while reading and reported in SeriesSet::notes, never silently.
//
// Layouts. `wide`: one row per time, a time column (optional) and one or more value columns; one series, id "".
// `long`: the same with an id column; the rows of one id, in file order, are one series. `rows`: one series per row,
// the id and then its values, ragged (the empty cells at the end do not count); a row has no times and one column,
// "value".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace carousel {

struct Series {
  std::string id;
  std::vector<std::string> times;    // [T] as written in the file; empty if there is no time column
  std::vector<std::string> columns;  // [C] names
  std::vector<double> values;        // [T, C]

  std::int64_t column_count() const noexcept { return static_cast<std::int64_t>(columns.size()); }
  std::int64_t time_steps() const noexcept {
    return columns.empty() ? 0 : static_cast<std::int64_t>(values.size() / columns.size());
  }
  double at(std::int64_t time, std::int64_t column) const noexcept {
    return values[static_cast<std::size_t>(time * column_count() + column)];
  }
};

struct SeriesOptions {
  std::string format{};                // of the table (parse_table_format); empty: recognised
  std::string layout{};                // "wide", "long", "rows"; empty: recognised
  std::string time_column{};           // empty: recognised
  std::string id_column{};             // empty: recognised (layout long)
  std::vector<std::string> targets{};  // value columns, kept in this order; empty: all numeric columns
};

struct SeriesSet {
  std::vector<Series> series;  // in the order of their first row
  std::string path, layout, time_column, id_column;
  std::vector<std::string> notes;  // what was recognised, left out or filled in: for the user to read
  std::int64_t missing = 0;        // values filled in
};

// Reads the file (gzip too). A missing value takes the last known value of its column, at the beginning the next known.
// Throws Error{kIo} if it cannot be read; Error{kUsage} for an unknown layout and options that contradict each other;
// Error{kData} for a named column that is not there (it lists the columns), and with file and line for a row of another
// length, text where a number belongs, times that run backwards, a column without any number, a file without rows.
SeriesSet read_series(const std::string& path, const SeriesOptions& options = {});

// The positions of the named columns in the series. Throws Error{kUsage} that lists the columns.
std::vector<std::int64_t> column_positions(const Series& series, std::span<const std::string> names);

}  // namespace carousel
