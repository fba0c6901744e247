#include "data/series/series_split.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "base/fail.h"
#include "data/series/time_text.h"

namespace carousel {
namespace {

constexpr const char* kForms =
    "expected training,validation[,test] as rows (8640,2880,2880), fractions (0.7,0.1,0.2) "
    "or last dates (2016-12,2017-06,2018-06)";

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> pieces(1);
  for (char character : text) {
    if (character == ',') {
      pieces.emplace_back();
    } else if (character != ' ') {
      pieces.back() += character;
    } else if (!pieces.back().empty()) {
      pieces.back() += character;  // "2016-07-01 00:00" keeps its blank
    }
  }
  for (std::string& piece : pieces) {
    while (!piece.empty() && piece.back() == ' ') piece.pop_back();
  }
  return pieces;
}

bool only_digits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_fraction(const std::string& text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1;
}

std::string name_of(const Series& series) { return series.id.empty() ? "the series" : "series '" + series.id + "'"; }

// The ends of the parts, in rows.
std::vector<std::int64_t> ends_from_rows(const Series& series, const std::vector<std::string>& pieces) {
  std::vector<std::int64_t> ends;
  std::int64_t end = 0;
  for (const std::string& piece : pieces) {
    std::int64_t count = 0;
    const auto [stop, error] = std::from_chars(piece.data(), piece.data() + piece.size(), count);
    if (error != std::errc() || count > series.known_steps() - end) {
      fail(Code::kUsage, "--split: the parts need {} rows up to '{}', {} has {}",
           error == std::errc() ? "more" : "too many", piece, name_of(series), series.known_steps());
    }
    ends.push_back(end += count);
  }
  return ends;
}

std::vector<std::int64_t> ends_from_fractions(const Series& series, const std::vector<double>& fractions) {
  std::vector<std::int64_t> ends;
  double sum = 0;
  for (double fraction : fractions) {
    sum += fraction;
    // 0.7 + 0.1 + 0.2 is a hair below or above 1 in binary; a hair is not a row.
    const double rows = std::floor(sum * static_cast<double>(series.known_steps()) + 1e-6);
    if (sum > 1 + 1e-9) fail(Code::kUsage, "--split: the fractions sum to {:g}, more than 1", sum);
    ends.push_back(std::min(static_cast<std::int64_t>(rows), series.known_steps()));
  }
  return ends;
}

std::vector<std::int64_t> ends_from_dates(const Series& series, const std::vector<std::string>& pieces) {
  if (series.times.empty()) {
    fail(Code::kUsage, "--split by dates needs a time column, {} has none; give rows or fractions", name_of(series));
  }
  if (!series.times.is_date()) {
    fail(Code::kUsage, "--split by dates: the time '{}' is not an ISO date such as 2016-07-01; give rows or fractions",
         series.times.text(0));
  }
  std::vector<std::int64_t> starts;
  for (std::int64_t t = 0; t < series.known_steps(); ++t) starts.push_back(series.times.begin(t));
  std::vector<std::int64_t> ends;
  for (const std::string& piece : pieces) {
    const std::int64_t last = parse_time(piece)->end;
    ends.push_back(std::lower_bound(starts.begin(), starts.end(), last) - starts.begin());
    if (ends.size() > 1 && ends.back() < ends[ends.size() - 2]) {
      fail(Code::kUsage, "--split: the date '{}' comes before the one in front of it", piece);
    }
  }
  return ends;
}

}  // namespace

SeriesSplit split_series(const Series& series, const std::string& parts) {
  const std::vector<std::string> pieces = split_at_commas(parts);
  if (pieces.size() < 2 || pieces.size() > 3) {
    fail(Code::kUsage, "--split has {} parts in '{}', {}", pieces.size(), parts, kForms);
  }
  std::vector<double> fractions(pieces.size());
  bool rows = true, all_fractions = true, dates = true;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    rows = rows && only_digits(pieces[i]);
    all_fractions = all_fractions && is_fraction(pieces[i], fractions[i]);
    dates = dates && parse_time(pieces[i]).has_value();
  }
  std::vector<std::int64_t> ends;
  if (rows) {
    ends = ends_from_rows(series, pieces);
  } else if (all_fractions) {
    ends = ends_from_fractions(series, fractions);
  } else if (dates) {
    ends = ends_from_dates(series, pieces);
  } else {
    fail(Code::kUsage, "--split '{}' is not understood, {}", parts, kForms);
  }
  if (ends[0] == 0) fail(Code::kUsage, "--split '{}' leaves no row of {} for training", parts, name_of(series));
  if (ends.size() == 2) ends.push_back(ends[1]);
  return {TrainingRange({0, ends[0]}), {ends[0], ends[1]}, {ends[1], ends[2]}};
}

SeriesSplit split_last(const Series& series, double valid_fraction, std::int64_t at_least) {
  if (!(valid_fraction >= 0 && valid_fraction < 1)) {
    fail(Code::kUsage, "--valid-fraction is {:g}, expected at least 0 and less than 1", valid_fraction);
  }
  const std::int64_t rows = series.known_steps();
  const auto share = static_cast<std::int64_t>(std::llround(valid_fraction * static_cast<double>(rows)));
  const std::int64_t held_back = std::max(share, at_least);
  if (held_back >= rows) {
    fail(Code::kData, "{} has {} values and {} of them are held back for validation, so none is left for training",
         name_of(series), rows, held_back);
  }
  return {TrainingRange({0, rows - held_back}), {rows - held_back, rows}, {rows, rows}};
}

SeriesSplit train_on_all(const Series& series) {
  const std::int64_t rows = series.known_steps();
  return {TrainingRange({0, rows}), {rows, rows}, {rows, rows}};
}

TrainingRange known_at(const TrainingRange& training, std::int64_t origin, bool sliding) {
  return TrainingRange({sliding ? std::max(training.begin(), origin - training.size()) : training.begin(), origin});
}

}  // namespace carousel
