#include "data/series/series.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/series/category_columns.h"
#include "data/series/row_rules.h"
#include "data/series/series_columns.h"
#include "data/table.h"

namespace carousel {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

enum class Kind { kUnknown, kNumber, kText };  // of a value column, by its first cell that is not missing

std::string label(const Series& series) { return series.id.empty() ? "" : "series '" + series.id + "': "; }

class SeriesLoader {
 public:
  SeriesLoader(const std::string& path, const SeriesOptions& options) : options_(options), table_(open(path, options)) {
    set_.path = path;
    missing_number_ = to_number(options_.missing_value);
    Row row;
    more_ = table_.next(row);
    take(row);
    columns_ = recognise_series_columns(table_, cells_, options_);
    set_.layout = columns_.layout;
    for (const std::int64_t part : columns_.time) {
      set_.time_column += (set_.time_column.empty() ? "" : ",") + name_of(part);
    }
    if (columns_.id >= 0) set_.id_column = name_of(columns_.id);
    kinds_.assign(columns_.values.size(), Kind::kNumber);
    std::fill_n(kinds_.begin(), columns_.first_named, Kind::kUnknown);
    texts_.resize(kinds_.size());
    for (std::size_t v = columns_.target_count; v < kinds_.size(); ++v) {
      const auto known = std::ranges::find(options.categories, name_of(columns_.values[v]), &CategoryColumn::name);
      kinds_[v] = known == options.categories.end() ? Kind::kUnknown : Kind::kText;
      if (kinds_[v] == Kind::kText) texts_[v] = CategoryCodes(*known);
    }
  }

  SeriesSet load(const SeriesChange& change) {
    if (columns_.layout == "rows") {
      load_rows();
    } else {
      load_wide_or_long();
      drop_columns();
      if (columns_.layout == "columns" && !growing_.empty()) {
        growing_ = separate_columns(growing_.front(), columns_.target_count);
        columns_.target_count = 1;
      }
    }
    if (growing_.empty()) fail(Code::kData, "{}: no row of data", set_.path);
    set_.target_count = static_cast<std::int64_t>(columns_.target_count);
    leave_out_short();
    for (const SeriesRows& one : growing_) require_numbers(one.series);
    RowRules rules(options_, times_.writing(), set_.path);
    rules.apply(growing_);
    for (SeriesRows& one : growing_) {
      set_future(one);
      if (change) change(one.series);
    }
    count_missing();
    rules.fill(growing_);
    set_.missing -= rules.filled();
    write_notes(rules);
    for (SeriesRows& one : growing_) set_.series.push_back(std::move(one.series));
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

  SeriesRows& series_of(const std::string& id) {
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
      SeriesRows& one = series_of(id);
      one.lines.push_back(line_);
      if (!columns_.time.empty()) take_time(one);
      take_statics(one);
      for (std::size_t v = 0; v < columns_.values.size(); ++v) one.series.values.push_back(value(v));
    } while (advance());
  }

  // The text of the time: of one column as it is, of several as `2010-1-1 0:00`.
  std::string time_text() const {
    constexpr std::array kBefore = {"", "-", "-", " ", ":"};
    std::string text;
    for (std::size_t part = 0; part < columns_.time.size(); ++part) {
      const std::string cell(trim_blanks(cells_[static_cast<std::size_t>(columns_.time[part])]));
      text += kBefore[part] + (part == 4 && cell.size() == 1 ? "0" + cell : cell);
    }
    return columns_.time.size() == 4 ? text + ":00" : text;
  }

  void take_time(SeriesRows& one) {
    const std::string text = time_text();
    std::string problem;
    const auto span = times_.read(text, problem);
    if (!span) fail(Code::kData, "{}:{}: column '{}': {}", set_.path, line_, set_.time_column, problem);
    if (times_.understood()) {
      one.begins.push_back(span->begin);
    } else {
      labels_[one.series.id].push_back(text);
    }
  }

  void take_statics(SeriesRows& one) {
    one.series.statics.resize(columns_.statics.size());
    for (std::size_t k = 0; k < columns_.statics.size(); ++k) {
      const std::string_view cell = trim_blanks(cells_[static_cast<std::size_t>(columns_.statics[k])]);
      std::string& known = one.series.statics[k];
      if (no_value(cell) || cell == known) continue;
      if (!known.empty()) {
        fail(Code::kData,
             "{}:{}: {}static column '{}' changes from '{}' to '{}'; a column that changes is --past or "
             "--future",
             set_.path, line_, label(one.series), name_of(columns_.statics[k]), known, cell);
      }
      known = cell;
    }
  }

  bool no_value(std::string_view cell) const {
    if (is_missing(cell)) return true;
    if (options_.missing_value.empty()) return false;
    return trim_blanks(cell) == options_.missing_value || (missing_number_ && to_number(cell) == missing_number_);
  }

  double value(std::size_t v) {
    const std::string& cell = cells_[static_cast<std::size_t>(columns_.values[v])];
    const bool covariate = v >= columns_.target_count;
    if (no_value(cell) || (kinds_[v] == Kind::kText && !covariate)) return kMissing;
    if (kinds_[v] == Kind::kUnknown) {
      kinds_[v] = to_number(cell) ? Kind::kNumber : Kind::kText;
      if (kinds_[v] == Kind::kText && !covariate) {
        set_.notes.push_back(fmt::format("column '{}' holds text (line {}: '{}') and is left out",
                                         name_of(columns_.values[v]), line_, shortened(cell)));
        return kMissing;
      }
    }
    if (kinds_[v] == Kind::kText) {
      return texts_[v].code(std::string(trim_blanks(cell)), set_.path, line_, name_of(columns_.values[v]));
    }
    return parse_number(cell, set_.path, line_, name_of(columns_.values[v]));
  }

  // Keeps the columns that turned out to hold numbers, and covariates of text as their categories.
  void drop_columns() {
    std::vector<std::size_t> kept;
    for (std::size_t v = 0; v < kinds_.size(); ++v) {
      if (kinds_[v] == Kind::kNumber || v >= columns_.target_count) {
        kept.push_back(v);
        continue;
      }
      if (kinds_[v] == Kind::kUnknown && !growing_.empty()) {
        set_.notes.push_back(fmt::format("column '{}' is empty and is left out", name_of(columns_.values[v])));
      }
    }
    if (kept.empty() && !growing_.empty()) {
      fail(Code::kData, "{}: no column holds numbers; its columns are {}", set_.path, listed(table_.columns()));
    }
    columns_.target_count = static_cast<std::size_t>(
        std::count_if(kept.begin(), kept.end(), [&](std::size_t v) { return v < columns_.target_count; }));
    if (columns_.target_count == 0 && !growing_.empty()) {
      fail(Code::kData, "{}: no column is left to forecast; its columns are {}", set_.path, listed(table_.columns()));
    }
    std::vector<std::string> names;
    for (const std::size_t v : kept) {
      names.push_back(name_of(columns_.values[v]));
      if (kinds_[v] != Kind::kText) continue;
      const std::string note = texts_[v].note(names.back());
      if (!note.empty()) set_.notes.push_back(note);
      set_.categories.push_back({names.back(), texts_[v].categories()});
      names.pop_back();
      for (const std::string& name : set_.categories.back().columns()) names.push_back(name);
    }
    for (SeriesRows& one : growing_) {
      Series& series = one.series;
      series.columns = names;
      if (names.size() == kinds_.size() && set_.categories.empty()) continue;
      std::vector<double> values;
      values.reserve(one.lines.size() * names.size());
      for (std::size_t t = 0; t < one.lines.size(); ++t) {
        for (const std::size_t v : kept) {
          const double value = series.values[t * kinds_.size() + v];
          if (kinds_[v] == Kind::kText) {
            texts_[v].append(value, values);
          } else {
            values.push_back(value);
          }
        }
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
    SeriesRows& one = series_of(id);
    one.series.columns = {"value"};
    one.lines.push_back(line);
    one.series.values.reserve(end - 1);
    for (std::size_t c = 1; c < end; ++c) {
      const bool missing = no_value(cells[c]);
      one.series.values.push_back(missing ? kMissing
                                          : parse_number(cells[c], set_.path, line, fmt::format("{}", c + 1)));
    }
  }

  bool has_target(const Series& series, std::int64_t row) const {
    for (std::int64_t c = 0; c < set_.target_count; ++c) {
      if (!std::isnan(series.at(row, c))) return true;
    }
    return false;
  }

  // --min-length: series that are too short, or have too few values.
  void leave_out_short() {
    std::vector<std::string> left_out;
    std::vector<SeriesRows> kept;
    for (SeriesRows& one : growing_) {
      std::int64_t known = 0;
      for (std::int64_t t = 0; t < one.series.time_steps(); ++t) known += has_target(one.series, t) ? 1 : 0;
      if (known < options_.min_length) {
        left_out.push_back(one.series.id);
      } else {
        kept.push_back(std::move(one));
      }
    }
    growing_ = std::move(kept);
    if (left_out.empty()) return;
    const std::size_t named = std::min<std::size_t>(left_out.size(), 5);
    set_.notes.push_back(
        fmt::format("{} series with fewer than {} values left out: {}{}", left_out.size(), options_.min_length,
                    fmt::join(left_out.begin(), left_out.begin() + static_cast<std::ptrdiff_t>(named), ", "),
                    named < left_out.size() ? " ..." : ""));
    if (growing_.empty())
      fail(Code::kData, "{}: no series has {} values (--min-length)", set_.path, options_.min_length);
  }

  void require_numbers(const Series& series) const {
    for (std::int64_t c = 0; c < series.column_count(); ++c) {
      std::int64_t t = 0;
      while (t < series.time_steps() && std::isnan(series.at(t, c))) ++t;
      if (t < series.time_steps()) continue;
      fail(Code::kData, "{}: {}column '{}' holds no number{}", set_.path, label(series),
           series.columns[static_cast<std::size_t>(c)],
           series.id.empty() ? "" : "; --min-length 1 leaves out series without any value");
    }
  }

  // Rows at the end without a target: the future, or nothing.
  void set_future(SeriesRows& one) {
    Series& series = one.series;
    if (const auto found = labels_.find(columns_.layout == "columns" ? "" : series.id); found != labels_.end()) {
      series.times = TimeAxis::labels(found->second);
    }
    if (options_.to_fill) return;
    std::int64_t known = series.time_steps();
    while (!has_target(series, known - 1)) --known;
    const std::int64_t rest = series.time_steps() - known;
    if (!options_.future.empty()) {
      series.future_rows = rest;
    } else if (rest > 0) {
      series.values.resize(static_cast<std::size_t>(known * series.column_count()));
      series.times.resize(known);
      one.lines.resize(static_cast<std::size_t>(known));
      left_out_rows_ += rest;
    }
  }

  void count_missing() {
    for (const SeriesRows& one : growing_) {
      const Series& series = one.series;
      const std::int64_t known = series.known_steps() * series.column_count();
      for (std::int64_t i = 0; i < known; ++i) {
        if (!std::isnan(series.values[static_cast<std::size_t>(i)])) continue;
        ++gaps_[series.columns[static_cast<std::size_t>(i % series.column_count())]];
        ++set_.missing;
      }
    }
  }

  void write_notes(const RowRules& rules) {
    rules.add_notes(set_.notes);
    const char* rule = options_.missing == "last"          ? "filled with the last known one"
                       : options_.missing == "interpolate" ? "filled by straight lines between known ones"
                                                           : "neither learnt nor scored";
    for (const auto& [column, count] : gaps_) {
      set_.notes.push_back(
          fmt::format("column '{}': {} missing {}: {}", column, count, count == 1 ? "value" : "values", rule));
    }
    if (left_out_rows_ > 0) {
      set_.notes.push_back(fmt::format("{} rows at the end without a target value are left out", left_out_rows_));
    }
    if (!columns_.row_numbers.empty()) {
      set_.notes.push_back(fmt::format("column '{}' counts the rows and is left out", columns_.row_numbers));
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
  std::vector<Kind> kinds_;           // [value columns]
  std::vector<CategoryCodes> texts_;  // [value columns], of covariates
  std::vector<SeriesRows> growing_;
  std::unordered_map<std::string, std::size_t> places_;  // id -> index in growing_
  TimeReader times_;
  std::unordered_map<std::string, std::vector<std::string>> labels_;  // id -> times that are not understood
  std::optional<double> missing_number_;                              // options_.missing_value as a number
  std::map<std::string, std::int64_t> gaps_;                          // column -> missing values
  std::int64_t left_out_rows_ = 0;
};

}  // namespace

SeriesSet read_series(const std::string& path, const SeriesOptions& options, const SeriesChange& change) {
  return SeriesLoader(path, options).load(change);
}

}  // namespace carousel
