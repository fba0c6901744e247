#include "tasks/forecast/forecast_update.h"

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "tasks/forecast/forecast_state.h"

namespace carousel {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

// Puts rows behind those of a series.
class RowAppender {
 public:
  // `gaps` as in SeriesOptions; `path` is that of the new rows.
  RowAppender(std::string path, std::string gaps) : path_(std::move(path)), gaps_(std::move(gaps)) {}

  void append(Series& known, const Series& added) const {
    if (known.times.understood() != added.times.understood() || known.times.empty() != added.times.empty()) {
      fail(Code::kData, "{}: series '{}' begins with time '{}', the rows before it end with '{}': times of two kinds",
           path_, known.id, first_text(added), last_text(known));
    }
    if (known.times.understood()) return append_in_time(known, added);
    if (!known.times.empty() && first_text(added) == last_text(known)) fail_not_later(known, added);
    std::vector<std::string> labels = texts_of(known), more = texts_of(added);
    labels.insert(labels.end(), more.begin(), more.end());
    if (!labels.empty()) known.times = TimeAxis::labels(std::move(labels));
    known.values.insert(known.values.end(), added.values.begin(), added.values.end());
    known.future_rows = added.future_rows;
  }

 private:
  static std::string first_text(const Series& series) { return series.times.text(0); }
  static std::string last_text(const Series& series) { return series.times.text(series.time_steps() - 1); }
  static std::vector<std::string> texts_of(const Series& series) {
    std::vector<std::string> texts;
    for (std::int64_t t = 0; t < series.times.size(); ++t) texts.push_back(series.times.text(t));
    return texts;
  }

  [[noreturn]] void fail_not_later(const Series& known, const Series& added) const {
    fail(Code::kData,
         "{}: series '{}' begins at '{}', but the state has its rows up to '{}' already; give later rows only, or make "
         "the state anew from all rows",
         path_, known.id, first_text(added), last_text(known));
  }

  // How the times are written, those of both.
  TimeWriting writing_of(const Series& known, const Series& added) const {
    TimeReader reader;
    std::string problem;
    for (const Series* series : {&known, &added}) {
      for (const std::string& text : texts_of(*series)) {
        if (!reader.read(text, problem)) fail(Code::kData, "{}: series '{}': {}", path_, known.id, problem);
      }
    }
    return reader.writing();
  }

  // The steps without a row before a new row that is so far behind the last one; gaps that are no gaps: 0.
  std::int64_t gap_before(const Series& known, const TimeStep& step, std::int64_t distance,
                          const std::string& time) const {
    const bool business = step.unit == TimeStep::Unit::kBusinessDay;
    if (gaps_ == "ignore" || (gaps_.empty() && business)) return 0;
    if (distance % step.count != 0 || (gaps_ == "refuse" && distance != step.count)) {
      fail(Code::kData, "{}: series '{}': time '{}' is not one {} behind the row before it; --gaps says what to do",
           path_, known.id, time, step.name());
    }
    return distance / step.count - 1;
  }

  void append_in_time(Series& known, const Series& added) const {
    const TimeStep step = known.times.step();
    const TimeWriting writing = writing_of(known, added);
    const auto C = static_cast<std::size_t>(known.column_count());
    std::vector<std::int64_t> places;
    for (std::int64_t t = 0; t < known.time_steps(); ++t) places.push_back(step.place(known.times.begin(t)));
    const std::int64_t most = known.time_steps() + 2 * added.time_steps();  // as many rows missing as there are
    std::int64_t known_rows = 0;
    for (std::int64_t t = 0; t < added.time_steps(); ++t) {
      const std::int64_t place = step.place(added.times.begin(t)), distance = place - places.back();
      if (distance <= 0) fail_not_later(known, added);
      const std::int64_t gap = gap_before(known, step, distance, added.times.text(t));
      if (gap > most - std::ssize(places)) {
        fail(Code::kData, "{}: series '{}': {} times are missing before '{}'; make the state anew from all rows", path_,
             known.id, gap, added.times.text(t));
      }
      for (std::int64_t k = 0; k < gap; ++k) places.push_back(places.back() + step.count);
      places.push_back(place);
      known.values.resize((places.size() - 1) * C, kNoValue);
      const auto row = added.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(t) * C);
      known.values.insert(known.values.end(), row, row + static_cast<std::ptrdiff_t>(C));
      if (t < added.known_steps()) known_rows = std::ssize(places);
    }
    known.times = TimeAxis::irregular(step, writing, std::move(places));
    known.future_rows = known.time_steps() - known_rows;
  }

  std::string path_, gaps_;
};

}  // namespace

ForecastData read_updated_series(const Model& model, const Options& options, const ForecastInfo& info) {
  ForecastData data = read_forecast_state(model, options, info);
  ForecastInfo as_they_are = info;  // of the times of a few rows alone no step can be told
  as_they_are.reading.gaps = "ignore";
  as_they_are.reading.min_length = 0;
  DataOptions reading = options.data;
  reading.gaps.clear();
  const std::string& path = options.data.data.front();
  const RowAppender rows(path, options.data.gaps.empty() ? info.reading.gaps : options.data.gaps);
  for (const Series& added : read_rows_for_model(reading.data, reading, as_they_are, data.notes)) {
    const auto known = std::ranges::find(data.series, added.id, &Series::id);
    if (known == data.series.end()) {
      fail(Code::kData, "{}: series '{}' is not in the state {}, which has {} series; make it anew from all rows", path,
           added.id, options.output.state, data.series.size());
    }
    rows.append(*known, added);
  }
  scale_known_series(data, info);
  return data;
}

}  // namespace carousel
