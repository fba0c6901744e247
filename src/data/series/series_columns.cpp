#include "data/series/series_columns.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/fail.h"
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
constexpr std::array<std::string_view, 4> kIdNames = {"unique_id", "series_id", "item_id", "series"};

// V1, V2 ... as the M4 files have it.
bool is_numbered_header(const std::vector<std::string>& columns) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c] != fmt::format("V{}", c + 1)) return false;
  }
  return columns.size() >= 3;
}

std::int64_t find_time_column(const std::vector<std::string>& columns, const std::vector<std::string>& first_row) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (is_one_of(lower(columns[c]), kTimeNames)) return static_cast<std::int64_t>(c);
  }
  if (columns.size() < 2) return -1;
  if (is_one_of(lower(columns[0]), kFirstNames)) return 0;
  // A first column that is no number is the time, whatever its name and its form.
  const bool text = !first_row.empty() && !is_missing(first_row[0]) && !to_number(first_row[0]);
  return text ? 0 : -1;
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
}

}  // namespace

SeriesColumns recognise_series_columns(const TableReader& table, const std::vector<std::string>& first_row,
                                       const SeriesOptions& options) {
  const std::vector<std::string>& columns = table.columns();
  SeriesColumns found;
  found.layout = options.layout;
  if (!found.layout.empty() && found.layout != "wide" && found.layout != "long" && found.layout != "rows") {
    fail(Code::kUsage, "layout is '{}', expected wide, long or rows", found.layout);
  }
  if (found.layout.empty() && options.id_column.empty() && is_numbered_header(columns)) found.layout = "rows";
  if (found.layout == "rows") {
    recognise_rows(options);
    return found;
  }
  if (!options.id_column.empty()) {
    if (found.layout == "wide") fail(Code::kUsage, "layout wide has one series: it takes no --id-column");
    found.id = table.column_index(options.id_column);
  } else if (found.layout != "wide") {
    found.id = find_id_column(columns, found.layout == "long");
  }
  if (found.layout == "long" && found.id < 0) {
    fail(Code::kUsage, "{}: layout long needs --id-column: no column is named unique_id, series_id or id",
         table.path());
  }
  found.layout = found.id >= 0 ? "long" : "wide";
  found.time =
      options.time_column.empty() ? find_time_column(columns, first_row) : table.column_index(options.time_column);
  if (found.time == found.id) found.time = -1;
  found.values_named = !options.targets.empty();
  for (const std::string& name : options.targets) {
    const std::int64_t place = table.column_index(name);
    if (place == found.time && options.time_column.empty()) found.time = -1;  // asked for as a value: not the time
    if (place == found.time || place == found.id) {
      fail(Code::kUsage, "{}: column '{}' is a target and the time or id column as well", table.path(), name);
    }
    if (std::find(found.values.begin(), found.values.end(), place) != found.values.end()) {
      fail(Code::kUsage, "--target names '{}' twice", name);
    }
    found.values.push_back(place);
  }
  for (std::int64_t c = 0; !found.values_named && c < static_cast<std::int64_t>(columns.size()); ++c) {
    if (c != found.time && c != found.id) found.values.push_back(c);
  }
  if (found.values.empty()) fail(Code::kData, "{}: no column is left for the values of the series", table.path());
  return found;
}

}  // namespace carousel
