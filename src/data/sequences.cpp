#include "data/sequences.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "base/checked_size.h"
#include "base/fail.h"
#include "data/lines.h"
#include "data/nearest.h"
#include "data/number.h"
#include "data/table_format.h"

namespace carousel {
namespace {

// What the header of a .ts file promises; nothing where it is silent.
struct Promises {
  std::optional<std::int64_t> features, time_steps;
  bool labelled = true;
  std::vector<std::string> labels;  // empty: any
};

std::vector<std::string_view> split(std::string_view text, char delimiter) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = text.find(delimiter, at);
    parts.push_back(trim_blanks(text.substr(at, end - at)));
    if (end == std::string_view::npos) return parts;
    at = end + 1;
  }
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (const std::string_view word : split(text, ' ')) {
    if (!word.empty()) out.emplace_back(word);
  }
  return out;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return text;
}

// One feature of one sample; a missing value is NaN until fill() replaces it.
std::vector<float> parse_values(const CheckedLines& lines, std::span<const std::string_view> cells,
                                std::size_t feature) {
  std::vector<float> values;
  values.reserve(cells.size());
  for (const std::string_view cell : cells) {
    if (is_missing(cell) && !cell.empty()) {
      values.push_back(std::numeric_limits<float>::quiet_NaN());
      continue;
    }
    const std::optional<double> value = to_number(cell);
    if (!value || std::abs(*value) > std::numeric_limits<float>::max()) {
      fail(Code::kData, "{}:{}: feature {}, time step {}: expected a number, got '{}'", lines.path(),
           lines.line_number(), feature + 1, values.size() + 1, shortened(cell));
    }
    values.push_back(static_cast<float>(*value));
  }
  return values;
}

std::int64_t fill(const CheckedLines& lines, std::vector<float>& values, std::size_t feature) {
  const auto first = std::find_if(values.begin(), values.end(), [](float v) { return !std::isnan(v); });
  if (first == values.end()) {
    fail(Code::kData, "{}:{}: feature {} has no value at all", lines.path(), lines.line_number(), feature + 1);
  }
  std::int64_t filled = 0;
  float before = *first;
  for (float& value : values) {
    if (std::isnan(value)) {
      value = before;
      ++filled;
    }
    before = value;
  }
  return filled;
}

class Collector {
 public:
  explicit Collector(CheckedLines& lines, Promises promises) : lines_(lines), promises_(std::move(promises)) {}

  void add(std::vector<std::vector<float>> features, std::string_view label) {
    const std::int64_t time_steps = checked_features(features);
    for (std::size_t c = 0; c < features.size(); ++c) file_.filled += fill(lines_, features[c], c);
    const auto width = static_cast<std::int64_t>(features.size());
    checked_size({time_steps, width}, "sequence");
    Sequence sample{Tensor(Shape{time_steps, width}), std::string(label), lines_.line_number()};
    for (std::int64_t c = 0; c < width; ++c) {
      for (std::int64_t t = 0; t < time_steps; ++t) {
        sample.values[t * width + c] = features[static_cast<std::size_t>(c)][static_cast<std::size_t>(t)];
      }
    }
    check_label(sample.label);
    file_.features = width;
    file_.samples.push_back(std::move(sample));
  }

  SequenceFile finish() {
    if (file_.samples.empty()) fail(Code::kData, "{}: the file has no samples", lines_.path());
    file_.label_names =
        promises_.labels.empty() ? std::vector<std::string>(seen_.begin(), seen_.end()) : promises_.labels;
    return std::move(file_);
  }

 private:
  std::int64_t checked_features(const std::vector<std::vector<float>>& features) const {
    const auto width = static_cast<std::int64_t>(features.size());
    const std::int64_t expected = file_.samples.empty() ? promises_.features.value_or(width) : file_.features;
    const std::int64_t line = lines_.line_number();
    if (width != expected) {
      fail(Code::kData, "{}:{}: expected {} features separated by ':', got {}", lines_.path(), line, expected, width);
    }
    for (std::size_t c = 1; c < features.size(); ++c) {
      if (features[c].size() == features[0].size()) continue;
      fail(Code::kData, "{}:{}: feature {} has {} time steps, expected {} as in feature 1", lines_.path(), line, c + 1,
           features[c].size(), features[0].size());
    }
    const auto time_steps = static_cast<std::int64_t>(features[0].size());
    if (time_steps != promises_.time_steps.value_or(time_steps)) {
      fail(Code::kData, "{}:{}: the sample has {} time steps, expected {} (@seriesLength)", lines_.path(), line,
           time_steps, *promises_.time_steps);
    }
    return time_steps;
  }

  void check_label(const std::string& label) {
    if (!promises_.labelled) return;
    if (label.empty()) fail(Code::kData, "{}:{}: the class label is empty", lines_.path(), lines_.line_number());
    const auto& known = promises_.labels;
    if (!known.empty() && std::find(known.begin(), known.end(), label) == known.end()) {
      fail(Code::kData, "{}:{}: class label '{}' is not one of the header's: {}", lines_.path(), lines_.line_number(),
           shortened(label), listed(known));
    }
    seen_.insert(label);
  }

  CheckedLines& lines_;
  Promises promises_;
  SequenceFile file_;
  std::set<std::string> seen_;
};

std::int64_t header_count(const CheckedLines& lines, const std::vector<std::string>& line) {
  const std::optional<double> value = line.size() == 2 ? to_number(line[1]) : std::nullopt;
  if (!value || *value < 1 || *value > 1e12 || *value != std::floor(*value)) {
    fail(Code::kData, "{}:{}: {}: expected one whole number, at least 1", lines.path(), lines.line_number(), line[0]);
  }
  return static_cast<std::int64_t>(*value);
}

// One line that starts with '@'. Keys that promise nothing to a reader (@problemName, @missing ...) are let pass.
void read_header_line(const CheckedLines& lines, const std::vector<std::string>& line, Promises& promises) {
  const std::string key = lower(line[0]);
  const bool yes = line.size() > 1 && lower(line[1]) == "true";
  if (key == "@timestamps" && yes) {
    fail(Code::kData, "{}:{}: samples with time stamps cannot be read, expected @timeStamps false", lines.path(),
         lines.line_number());
  }
  if (key == "@univariate" && yes) promises.features = 1;
  if (key == "@dimensions" || key == "@dimension") promises.features = header_count(lines, line);
  if (key == "@serieslength") promises.time_steps = header_count(lines, line);
  if (key == "@classlabel" || key == "@targetlabel") {
    promises.labelled = yes;
    if (yes && key == "@classlabel") promises.labels.assign(line.begin() + 2, line.end());
  }
}

SequenceFile read_ts(CheckedLines& lines) {
  Promises promises;
  std::string line;
  bool data = false;
  while (!data && lines.next_filled(line)) {
    const std::vector<std::string> header = words(line);
    if (header[0].starts_with('#')) continue;
    if (!header[0].starts_with('@')) {
      fail(Code::kData, "{}:{}: expected a header line (@...) or @data, got '{}'", lines.path(), lines.line_number(),
           shortened(line));
    }
    data = lower(header[0]) == "@data";
    if (!data) read_header_line(lines, header, promises);
  }
  if (!data) fail(Code::kData, "{}: expected a line @data, found none", lines.path());
  Collector collector(lines, promises);
  while (lines.next_filled(line)) {
    if (line.starts_with('#')) continue;
    std::vector<std::string_view> parts = split(line, ':');
    std::string_view label;
    if (promises.labelled) {
      label = parts.back();
      parts.pop_back();
    }
    if (parts.empty()) {
      fail(Code::kData, "{}:{}: expected values, ':' and a class label", lines.path(), lines.line_number());
    }
    std::vector<std::vector<float>> features;
    for (std::size_t c = 0; c < parts.size(); ++c) features.push_back(parse_values(lines, split(parts[c], ','), c));
    collector.add(std::move(features), label);
  }
  return collector.finish();
}

SequenceFile read_tsv(CheckedLines& lines) {
  Collector collector(lines, {});
  std::string line;
  while (lines.next_filled(line)) {
    std::vector<std::string_view> cells = split(line, '\t');
    while (cells.size() > 2 && is_missing(cells.back())) cells.pop_back();
    if (cells.size() < 2) {
      fail(Code::kData, "{}:{}: expected a label and values separated by tabs", lines.path(), lines.line_number());
    }
    collector.add({parse_values(lines, std::span(cells).subspan(1), 0)}, cells[0]);
  }
  return collector.finish();
}

}  // namespace

bool is_sequence_file(const std::string& path) {
  const std::string ending = file_ending(path);
  if (ending != "tsv") return ending == "ts";
  CheckedLines lines(path);
  std::string line;
  if (!lines.next_filled(line)) return false;
  const std::vector<std::string_view> cells = split(line, '\t');
  return cells.size() >= 3 &&
         std::all_of(cells.begin(), cells.end(), [](auto cell) { return to_number(cell) || is_missing(cell); });
}

SequenceFile read_sequences(const std::string& path) {
  CheckedLines lines(path);
  return file_ending(path) == "tsv" ? read_tsv(lines) : read_ts(lines);
}

PaddedSequences pad_sequences(std::span<const Sequence> samples, std::span<const std::int64_t> indices) {
  const auto batch_size = static_cast<std::int64_t>(indices.size());
  PaddedSequences padded;
  std::int64_t time_steps = 0, features = 0;
  for (const std::int64_t index : indices) {
    const Shape& shape = samples[static_cast<std::size_t>(index)].values.shape();
    padded.lengths.push_back(static_cast<std::int32_t>(shape[0]));
    time_steps = std::max(time_steps, shape[0]);
    features = shape[1];
  }
  checked_size({time_steps, batch_size, features}, "batch of sequences");
  padded.values = Tensor(Shape{time_steps, batch_size, features});
  for (std::int64_t n = 0; n < batch_size; ++n) {
    const Tensor& values = samples[static_cast<std::size_t>(indices[static_cast<std::size_t>(n)])].values;
    CAROUSEL_ASSERT(values.shape()[1] == features);
    for (std::int64_t t = 0; t < values.shape()[0]; ++t) {
      std::copy_n(values.data() + t * features, features, padded.values.data() + (t * batch_size + n) * features);
    }
  }
  return padded;
}

}  // namespace carousel
