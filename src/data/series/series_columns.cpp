#include "data/series/series_columns.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/fail.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/series/time_axis.h"

namespace carousel {
namespace {

std::string lower(std::string_view text) {
  std::string result(trim_blanks(text));
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

template <std::size_t N>
bool is_one_of(const std::string& name, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), name) != words.end();
}

// A name that means a time in any place, and names that mean a time or a row number when they come first.
constexpr std::array<std::string_view, 6> kTimeNames = {"date", "time", "datetime", "timestamp", "date_time", "ds"};
constexpr std::array<std::string_view, 14> kFirstNames = {
    "", "year", "quarter", "month", "week", "day", "hour", "period", "t", "step", "index", "no", "row", "rownames"};
constexpr std::array<std::string_view, 4> kRowNumberNames = {"index", "no", "row", "rownames"};
constexpr std::array<std::string_view, 5> kTimeParts = {"year", "month", "day", "hour", "minute"};
constexpr std::array<std::string_view, 4> kIdNames = {"unique_id", "series_id", "item_id", "series"};

// V1, V2 ... as the M4 files have it.
bool is_numbered_header(const std::vector<std::string>& columns) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c] != fmt::format("V{}", c + 1)) return false;
  }
  return columns.size() >= 3;
}

using Places = std::vector<std::int64_t>;

// Columns year, month and whatever of day, hour and minute follows.
Places find_time_parts(const std::vector<std::string>& columns) {
  Places parts;
  for (const std::string_view part : kTimeParts) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return lower(c) == part; });
    if (found == columns.end()) break;
    parts.push_back(found - columns.begin());
  }
  return parts.size() >= 2 ? parts : Places{};
}

Places find_time_column(const std::vector<std::string>& columns, const std::vector<std::string>& first_row) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (is_one_of(lower(columns[c]), kTimeNames)) return {static_cast<std::int64_t>(c)};
  }
  if (columns.size() < 2) return {};
  const Places parts = find_time_parts(columns);
  if (!parts.empty()) return parts;
  if (is_one_of(lower(columns[0]), kFirstNames)) return {0};
  // A first column that is no number is the time, whatever its name and its form.
  const bool text = !first_row.empty() && !is_missing(first_row[0]) && !to_number(first_row[0]);
  return text ? Places{0} : Places{};
}

// The columns that --time-column names: one, or the parts of a time with commas between them.
Places named_time_columns(const TableReader& table, const std::string& names) {
  if (table.has_column(names)) return {table.column_index(names)};
  Places places;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    places.push_back(table.column_index(trim_blanks(std::string_view(names).substr(begin, end - begin))));
    begin = end + 1;
  }
  if (places.size() > kTimeParts.size()) {
    fail(Code::kUsage, "--time-column names {} columns, expected at most year, month, day, hour and minute",
         places.size());
  }
  return places;
}

std::int64_t find_id_column(const std::vector<std::string>& columns, bool asked_for) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::string name = lower(columns[c]);
    if (is_one_of(name, kIdNames) || (asked_for && name == "id")) return static_cast<std::int64_t>(c);
  }
  return -1;
}

void recognise_rows(const SeriesOptions& options) {
  if (!options.time_column.empty() || !options.id_column.empty()) {
    fail(Code::kUsage, "layout rows has one series per row: it takes neither --time-column nor --id-column");
  }
  if (!options.targets.empty() && options.targets != std::vector<std::string>{"value"}) {
    fail(Code::kUsage, "layout rows has the one column 'value', so --target '{}' does not fit", options.targets[0]);
  }
  for (const auto* names : {&options.past, &options.future, &options.statics}) {
    if (names->empty()) continue;
    fail(Code::kUsage, "layout rows has the one column 'value': it takes no covariates such as '{}'", names->front());
  }
}

bool contains(const Places& places, std::int64_t place) {
  return std::find(places.begin(), places.end(), place) != places.end();
}

// The places of named columns behind `places`. A column has one part to play.
void add_named(const TableReader& table, const std::vector<std::string>& names, const char* what,
               const SeriesOptions& options, SeriesColumns& found, Places& places) {
  for (const std::string& name : names) {
    const std::int64_t place = table.column_index(name);
    if (contains(found.time, place) && options.time_column.empty()) found.time.clear();  // a value: not the time
    if (contains(found.time, place) || place == found.id) {
      fail(Code::kUsage, "{}: column '{}' is {} and the time or id column as well", table.path(), name, what);
    }
    if (contains(found.values, place) || contains(found.statics, place)) {
      fail(Code::kUsage, "{} names '{}' twice, or it is named for something else as well", what, name);
    }
    places.push_back(place);
  }
}

// Everything else is a target, but for a column that only counts the rows.
Places remaining_columns(const TableReader& table, SeriesColumns& found) {
  Places rest;
  const std::vector<std::string>& columns = table.columns();
  for (std::int64_t c = 0; c < std::ssize(columns); ++c) {
    if (contains(found.time, c) || c == found.id || contains(found.values, c) || contains(found.statics, c)) continue;
    if (c == 0 && !found.time.empty() && is_one_of(lower(columns[0]), kRowNumberNames)) {
      found.row_numbers = columns[0];
    } else {
      rest.push_back(c);
    }
  }
  return rest;
}

}  // namespace

SeriesColumns recognise_series_columns(const TableReader& table, const std::vector<std::string>& first_row,
                                       const SeriesOptions& options) {
  const std::vector<std::string>& columns = table.columns();
  SeriesColumns found;
  found.layout = options.layout;
  constexpr std::array<std::string_view, 5> kLayouts = {"", "wide", "columns", "long", "rows"};
  if (!is_one_of(found.layout, kLayouts)) {
    fail(Code::kUsage, "layout is '{}', expected wide, columns, long or rows", found.layout);
  }
  if (found.layout.empty() && options.id_column.empty() && is_numbered_header(columns)) found.layout = "rows";
  if (found.layout == "rows") {
    recognise_rows(options);
    found.target_count = 1;
    return found;
  }
  const bool columns_layout = found.layout == "columns";
  if (columns_layout && !options.statics.empty()) {
    fail(Code::kUsage, "layout columns has one row for all series: --static '{}' would be the same for each",
         options.statics.front());
  }
  if (!options.id_column.empty()) {
    if (found.layout == "wide") fail(Code::kUsage, "layout wide has one series: it takes no --id-column");
    if (columns_layout) fail(Code::kUsage, "layout columns has a series in each column: it takes no --id-column");
    found.id = table.column_index(options.id_column);
  } else if (found.layout != "wide" && !columns_layout) {
    found.id = find_id_column(columns, found.layout == "long");
  }
  if (found.layout == "long" && found.id < 0) {
    fail(Code::kUsage, "{}: layout long needs --id-column: no column is named unique_id, series_id or id",
         table.path());
  }
  if (!columns_layout) found.layout = found.id >= 0 ? "long" : "wide";
  found.time = options.time_column.empty() ? find_time_column(columns, first_row)
                                           : named_time_columns(table, options.time_column);
  if (contains(found.time, found.id)) found.time.clear();
  add_named(table, options.targets, "--target", options, found, found.values);
  found.target_count = found.values.size();
  add_named(table, options.past, "--past", options, found, found.values);
  add_named(table, options.future, "--future", options, found, found.values);
  add_named(table, options.statics, "--static", options, found, found.statics);
  if (options.targets.empty()) {
    const Places rest = remaining_columns(table, found);
    found.target_count = found.first_named = rest.size();
    found.values.insert(found.values.begin(), rest.begin(), rest.end());
  }
  if (found.target_count == 0) fail(Code::kData, "{}: no column is left for the values of the series", table.path());
  return found;
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
