// row_rules.h: from the rows of a file to one row for every time step: order, repeated times, gaps, missing values.
// Used by read_series only.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/series/series.h"

namespace carousel {

// A series while its rows come in. What is missing is NaN.
struct SeriesRows {
  Series series;
  std::vector<std::int64_t> lines;   // [T] of the file
  std::vector<std::int64_t> begins;  // [T] TimeSpan::begin; empty if there are no times or they are labels
};

// Layout columns: each of the first `targets` columns of `all` as a series that is named after it, its column "value"
// and the columns behind the targets.
std::vector<SeriesRows> separate_columns(const SeriesRows& all, std::size_t targets);

// Applies the rules to all series of a file and remembers what they did.
class RowRules {
 public:
  RowRules(const SeriesOptions& options, TimeWriting writing, std::string path);

  // Sorts, merges, finds the step that all series have, inserts the missing rows (all NaN), and sets series.times.
  // Series without times stay as they are. Throws Error{kData} with file and line for what the rules refuse, for times
  // at uneven distances, for a change of the step within a series or from one series to the next.
  void apply(std::span<SeriesRows> all);
  // --missing: fills values between known ones, or refuses the first one missing. Values before the first known one of
  // a column and behind the last one stay missing.
  void fill(std::span<SeriesRows> all);

  // What was done, with the first place of each kind.
  void add_notes(std::vector<std::string>& notes) const;
  std::int64_t filled() const noexcept { return filled_; }

 private:
  struct Done {  // how often, and where first
    std::int64_t count = 0;
    std::string first;
    void add(std::int64_t more, const std::string& place);
  };

  std::string place(const SeriesRows& rows, std::size_t row) const;  // "series.csv:3: series 'b': "
  std::string clock_change(std::int64_t begin) const;
  void sort(SeriesRows& rows);
  void merge(SeriesRows& rows);
  TimeStep common_step(std::span<const SeriesRows> all) const;
  void insert(SeriesRows& rows, const TimeStep& step);
  void refuse_missing(const SeriesRows& rows) const;
  void fill_column(Series& series, std::size_t column);

  const SeriesOptions& options_;
  TimeWriting writing_;
  std::string path_;
  Done sorted_, merged_, inserted_, holidays_;
  std::int64_t filled_ = 0;
};

}  // namespace carousel
