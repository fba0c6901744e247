#include "data/series/series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/series/series_columns.h"
#include "data/series/time_axis.h"
#include "data/table.h"

namespace carousel {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// A series while its rows come in; gaps are NaN.
struct Growing {
  Series series;
  std::vector<std::int64_t> lines;  // [T] of the file
};

enum class Kind { kUnknown, kNumber, kText };  // of a value column, by its first cell that is not missing

std::string label(const Series& series) { return series.id.empty() ? "" : "series '" + series.id + "': "; }

class SeriesLoader {
 public:
  SeriesLoader(const std::string& path, const SeriesOptions& options) : options_(options), table_(open(path, options)) {
    set_.path = path;
    Row row;
    more_ = table_.next(row);
    take(row);
    columns_ = recognise_series_columns(table_, cells_, options_);
    set_.layout = columns_.layout;
    if (columns_.time >= 0) set_.time_column = name_of(columns_.time);
    if (columns_.id >= 0) set_.id_column = name_of(columns_.id);
    kinds_.assign(columns_.values.size(), columns_.values_named ? Kind::kNumber : Kind::kUnknown);
  }

  SeriesSet load() {
    if (columns_.layout == "rows") {
      load_rows();
    } else {
      load_wide_or_long();
      drop_columns();
    }
    if (growing_.empty()) fail(Code::kData, "{}: no row of data", set_.path);
    for (Growing& one : growing_) {
      check_times(one);
      fill_gaps(one.series);
    }
    write_notes();
    for (Growing& one : growing_) set_.series.push_back(std::move(one.series));
    return std::move(set_);
  }

 private:
  static TableReader open(const std::string& path, const SeriesOptions& options) {
    TableOptions table = parse_table_format(options.format);
    table.ragged = true;  // layout rows is; the others are checked row by row
    return TableReader(path, table);
  }

  const std::string& name_of(std::int64_t column) const { return table_.columns()[static_cast<std::size_t>(column)]; }

  void take(const Row& row) {
    line_ = row.line;
    cells_.assign(row.cells.begin(), row.cells.end());
  }

  bool advance() {
    Row row;
    more_ = table_.next(row);
    if (more_) take(row);
    return more_;
  }

  Growing& series_of(const std::string& id) {
    const auto [place, is_new] = places_.try_emplace(id, growing_.size());
    if (is_new) growing_.emplace_back().series.id = id;
    return growing_[place->second];
  }

  void load_wide_or_long() {
    if (!more_) return;
    do {
      if (cells_.size() != table_.columns().size()) {
        fail(Code::kData, "{}:{}: {} fields, expected {} as in the header (if it is a remark or a footer, delete it)",
             set_.path, line_, cells_.size(), table_.columns().size());
      }
      std::string id;
      if (columns_.id >= 0) {
        id = cells_[static_cast<std::size_t>(columns_.id)];
        if (id.empty()) fail(Code::kData, "{}:{}: column '{}' is empty", set_.path, line_, set_.id_column);
      }
      Growing& one = series_of(id);
      one.lines.push_back(line_);
      if (columns_.time >= 0) one.series.times.push_back(cells_[static_cast<std::size_t>(columns_.time)]);
      for (std::size_t v = 0; v < columns_.values.size(); ++v) one.series.values.push_back(value(v));
    } while (advance());
  }

  double value(std::size_t v) {
    const std::string& cell = cells_[static_cast<std::size_t>(columns_.values[v])];
    if (is_missing(cell) || kinds_[v] == Kind::kText) return kMissing;
    if (kinds_[v] == Kind::kUnknown) {
      kinds_[v] = to_number(cell) ? Kind::kNumber : Kind::kText;
      if (kinds_[v] == Kind::kText) {
        set_.notes.push_back(fmt::format("column '{}' holds text (line {}: '{}') and is left out",
                                         name_of(columns_.values[v]), line_, shortened(cell)));
        return kMissing;
      }
    }
    return parse_number(cell, set_.path, line_, name_of(columns_.values[v]));
  }

  // Keeps the columns that turned out to hold numbers.
  void drop_columns() {
    std::vector<std::size_t> kept;
    for (std::size_t v = 0; v < kinds_.size(); ++v) {
      if (kinds_[v] == Kind::kNumber) kept.push_back(v);
      if (kinds_[v] == Kind::kUnknown && !growing_.empty()) {
        set_.notes.push_back(fmt::format("column '{}' is empty and is left out", name_of(columns_.values[v])));
      }
    }
    if (kept.empty() && !growing_.empty()) {
      fail(Code::kData, "{}: no column holds numbers; its columns are {}", set_.path, listed(table_.columns()));
    }
    for (Growing& one : growing_) {
      Series& series = one.series;
      for (std::size_t v : kept) series.columns.push_back(name_of(columns_.values[v]));
      if (kept.size() == kinds_.size()) continue;
      std::vector<double> values;
      values.reserve(one.lines.size() * kept.size());
      for (std::size_t t = 0; t < one.lines.size(); ++t) {
        for (std::size_t v : kept) values.push_back(series.values[t * kinds_.size() + v]);
      }
      series.values = std::move(values);
    }
  }

  void load_rows() {
    const std::vector<std::string>& header = table_.columns();
    const bool header_is_data = header.size() > 1 && !is_missing(header[1]) && to_number(header[1]).has_value();
    if (header_is_data) add_row(1, header);
    if (!more_) return;
    do {
      add_row(line_, cells_);
    } while (advance());
  }

  void add_row(std::int64_t line, const std::vector<std::string>& cells) {
    const std::string& id = cells[0];
    if (places_.count(id) != 0) fail(Code::kData, "{}:{}: series '{}' occurs twice", set_.path, line, id);
    std::size_t end = cells.size();
    while (end > 1 && trim_blanks(cells[end - 1]).empty()) --end;
    if (end == 1) fail(Code::kData, "{}:{}: series '{}' has no values", set_.path, line, id);
    Growing& one = series_of(id);
    one.series.columns = {"value"};
    one.lines.push_back(line);
    one.series.values.reserve(end - 1);
    for (std::size_t c = 1; c < end; ++c) {
      const bool missing = is_missing(cells[c]);
      one.series.values.push_back(missing ? kMissing
                                          : parse_number(cells[c], set_.path, line, fmt::format("{}", c + 1)));
    }
  }

  void check_times(const Growing& one) {
    const std::vector<std::string>& times = one.series.times;
    std::int64_t before = std::numeric_limits<std::int64_t>::min();
    for (std::size_t t = 0; t < times.size(); ++t) {
      const auto span = parse_time(times[t]);
      if (!span) return;  // labels without meaning: the order of the file is the order of time
      if (span->begin < before) {
        fail(Code::kData, "{}:{}: {}time '{}' comes before '{}' in the row above; sort the rows by time{}", set_.path,
             one.lines[t], label(one.series), times[t], times[t - 1],
             columns_.id < 0 ? " (several series in one file need --id-column)" : "");
      }
      if (span->begin == before) ++repeated_times_;
      before = span->begin;
    }
  }

  void fill_gaps(Series& series) {
    const auto width = static_cast<std::size_t>(series.column_count());
    const auto steps = static_cast<std::size_t>(series.time_steps());
    for (std::size_t c = 0; c < width; ++c) {
      std::size_t first = 0;
      while (first < steps && std::isnan(series.values[first * width + c])) ++first;
      if (first == steps) {
        fail(Code::kData, "{}: {}column '{}' holds no number", set_.path, label(series), series.columns[c]);
      }
      double last = series.values[first * width + c];
      for (std::size_t t = 0; t < steps; ++t) {
        double& value = series.values[t * width + c];
        if (std::isnan(value)) {
          value = last;
          ++gaps_[series.columns[c]];
          ++set_.missing;
        }
        last = value;
      }
    }
  }

  void write_notes() {
    for (const auto& [column, count] : gaps_) {
      set_.notes.push_back(fmt::format("column '{}': {} missing {} filled with the last known one", column, count,
                                       count == 1 ? "value" : "values"));
    }
    if (repeated_times_ > 0) {
      set_.notes.push_back(
          fmt::format("column '{}': {} rows have the same time as the row above", set_.time_column, repeated_times_));
    }
    if (table_.blank_lines() > 0) set_.notes.push_back(fmt::format("{} blank lines passed over", table_.blank_lines()));
    for (const std::string& key : table_.nested_keys()) {
      set_.notes.push_back(fmt::format("key '{}' holds an object or a list and is left out", key));
    }
  }

  SeriesOptions options_;
  TableReader table_;
  SeriesColumns columns_;
  SeriesSet set_;
  std::vector<std::string> cells_;  // of the current row
  std::int64_t line_ = 0;
  bool more_ = false;
  std::vector<Kind> kinds_;  // [value columns]
  std::vector<Growing> growing_;
  std::unordered_map<std::string, std::size_t> places_;  // id -> index in growing_
  std::map<std::string, std::int64_t> gaps_;             // column -> values filled in
  std::int64_t repeated_times_ = 0;
};

}  // namespace

SeriesSet read_series(const std::string& path, const SeriesOptions& options) {
  return SeriesLoader(path, options).load();
}

std::vector<std::int64_t> column_positions(const Series& series, std::span<const std::string> names) {
  std::vector<std::int64_t> positions;
  for (const std::string& name : names) {
    const auto found = std::find(series.columns.begin(), series.columns.end(), name);
    if (found == series.columns.end()) {
      fail(Code::kUsage, "the series has no column '{}'; its columns are {}", name, listed(series.columns));
    }
    positions.push_back(found - series.columns.begin());
  }
  return positions;
}

}  // namespace carousel
