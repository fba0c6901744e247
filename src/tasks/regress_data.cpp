#include "tasks/regress_data.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.h"
#include "data/number.h"
#include "data/table.h"
#include "formats/npy.h"

namespace carousel {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

enum class Kind { kTable, kSequences, kArray };

// A .tsv is a table here: a UCR file, which looks the same, has to be named.
Kind kind_of(const std::string& path, const std::string& format) {
  std::string name = path;
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (format == "npy" || (format.empty() && name.ends_with(".npy"))) return Kind::kArray;
  if (format == "ts" || format == "ucr" || (format.empty() && name.ends_with(".ts"))) return Kind::kSequences;
  return Kind::kTable;
}

// Where the columns of one file are.
struct Places {
  std::vector<std::int64_t> features, targets;  // targets may be empty: a file to predict for
};

void choose_columns(const TableReader& table, const DataOptions& options, RegressColumns& columns) {
  const std::vector<std::string>& all = table.columns();
  columns.targets = options.target;
  if (columns.targets.empty()) columns.targets = {all.back()};
  for (const std::string& name : columns.targets) table.column_index(name);
  for (const std::string& name : all) {
    if (std::find(columns.targets.begin(), columns.targets.end(), name) == columns.targets.end()) {
      columns.features.push_back(name);
    }
  }
  if (columns.features.empty()) {
    fail(Code::kData, "{}: only the target column '{}', no feature to predict it from", table.path(), all.back());
  }
}

Places find_columns(const TableReader& table, const RegressColumns& columns, bool targets_required) {
  Places places;
  for (const std::string& name : columns.features) places.features.push_back(table.column_index(name));
  const bool all_there = std::all_of(columns.targets.begin(), columns.targets.end(),
                                     [&](const std::string& name) { return table.has_column(name); });
  if (targets_required || all_there) {
    for (const std::string& name : columns.targets) places.targets.push_back(table.column_index(name));
  }
  return places;
}

double feature_value(const TableReader& table, const Row& row, std::int64_t column) {
  const std::string_view cell = row.cells[static_cast<std::size_t>(column)];
  if (is_missing(cell)) return kNone;
  const std::optional<double> value = to_number(cell);
  if (!value || std::abs(*value) > std::numeric_limits<float>::max()) {
    fail(Code::kData,
         "{}:{}: column '{}': expected a number, got '{}'; every column but the target is a feature: code it as "
         "numbers, or leave the column out of the file",
         table.path(), row.line, table.columns()[static_cast<std::size_t>(column)], cell.substr(0, 40));
  }
  return *value;
}

double target_value(const TableReader& table, const Row& row, std::int64_t column, bool required) {
  const std::string_view cell = row.cells[static_cast<std::size_t>(column)];
  const std::string& name = table.columns()[static_cast<std::size_t>(column)];
  if (!is_missing(cell)) return parse_number(cell, table.path(), row.line, name);
  if (required) fail(Code::kData, "{}:{}: the target '{}' is missing", table.path(), row.line, name);
  return kNone;
}

void note_unused(const TableReader& table, const RegressColumns& columns, RegressData& data) {
  for (const std::string& name : table.columns()) {
    const auto has = [&](const std::vector<std::string>& list) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (!has(columns.features) && !has(columns.targets)) {
      data.notes.push_back(
          fmt::format("{}: column '{}' is not used, the model was trained without it", table.path(), name));
    }
  }
}

void read_table(const std::string& path, const DataOptions& options, bool targets_required, RegressData& data) {
  TableReader table(path, parse_table_format(options.format));
  if (data.columns.targets.empty()) choose_columns(table, options, data.columns);
  note_unused(table, data.columns, data);
  const Places places = find_columns(table, data.columns, targets_required);
  const std::int64_t C = std::ssize(data.columns.features);
  Row row;
  while (table.next(row)) {
    Sequence sequence{Tensor({1, C}), "", row.line};
    for (std::int64_t c = 0; c < C; ++c) {
      const double value = feature_value(table, row, places.features[static_cast<std::size_t>(c)]);
      data.missing += std::isnan(value);
      sequence.values[c] = static_cast<float>(value);
    }
    data.samples.sequences.push_back(std::move(sequence));
    for (const std::int64_t column : places.targets) {
      data.targets.push_back(target_value(table, row, column, targets_required));
    }
    if (places.targets.empty()) data.targets.insert(data.targets.end(), data.columns.targets.size(), kNone);
  }
  if (table.blank_lines() > 0) {
    data.notes.push_back(fmt::format("{}: {} blank lines passed over", path, table.blank_lines()));
  }
  data.samples.features = C;
}

void check_features(const std::string& path, std::int64_t features, const RegressData& data) {
  if (data.samples.features != 0 && data.samples.features != features) {
    fail(Code::kData, "{}: has {} features, the file before it has {}", path, features, data.samples.features);
  }
}

void read_sequence_file(const std::string& path, bool targets_required, RegressData& data) {
  SequenceFile file = read_sequences(path);
  check_features(path, file.features, data);
  data.samples.features = file.features;
  data.columns.targets = {"target"};
  if (file.filled > 0) data.notes.push_back(fmt::format("{}: {} missing values filled in", path, file.filled));
  for (Sequence& sequence : file.samples) {
    if (targets_required && sequence.label.empty()) fail(Code::kData, "{}:{}: has no target", path, sequence.line);
    data.targets.push_back(sequence.label.empty() ? kNone
                                                  : parse_number(sequence.label, path, sequence.line, "target"));
    data.samples.sequences.push_back(std::move(sequence));
  }
}

// Targets [N, K] of an .npy file, as [N K].
void read_array_targets(const std::string& path, const std::string& samples_path, std::int64_t samples,
                        RegressData& data) {
  const BasicTensor<double> targets = read_npy<double>(path, NpyConversion::kRound);
  const Shape& shape = targets.shape();
  if (shape.rank() < 1 || shape.rank() > 2 || shape[0] != samples || shape.elements() == 0) {
    fail(Code::kData, "{}: has shape {}, expected [{}] or [{}, targets] for the samples of {}", path, shape.to_string(),
         samples, samples, samples_path);
  }
  for (std::int64_t k = 0; k < targets.elements(); ++k) {
    if (!std::isfinite(targets[k])) fail(Code::kData, "{}: element {} is not a finite number", path, k);
  }
  data.columns.targets = {"target"};
  for (std::int64_t k = 1; shape.rank() == 2 && k < shape[1]; ++k) {
    data.columns.targets.push_back(fmt::format("target_{}", k + 1));
  }
  data.targets.assign(targets.span().begin(), targets.span().end());
}

void read_array(const std::string& path, const DataOptions& options, bool targets_required, RegressData& data) {
  const char* expected = options.batch_first ? "[N, T, C]" : "[T, N, C]";
  Tensor values = read_npy<float>(path, NpyConversion::kRound);
  if (values.shape().rank() != 3 || values.elements() == 0) {
    fail(Code::kData, "{}: has shape {}, expected {}", path, values.shape().to_string(), expected);
  }
  if (options.batch_first) values = transpose_time_and_batch(static_cast<const Tensor&>(values).view());
  const std::int64_t T = values.shape()[0], N = values.shape()[1], C = values.shape()[2];
  if (!options.labels.empty()) {
    read_array_targets(options.labels, path, N, data);
  } else if (targets_required) {
    fail(Code::kUsage, "{}: --labels FILE.npy is missing, the targets of its {} samples", path, N);
  }
  for (std::int64_t n = 0; n < N; ++n) {
    Sequence sequence{Tensor({T, C}), "", n + 1};
    for (std::int64_t t = 0; t < T; ++t) {
      std::copy_n(values.data() + (t * N + n) * C, C, sequence.values.data() + t * C);
    }
    for (const float value : sequence.values.span()) {
      if (std::isinf(value)) fail(Code::kData, "{}: sample {} has an infinite number", path, n);
      data.missing += std::isnan(value);
    }
    data.samples.sequences.push_back(std::move(sequence));
  }
  data.samples.features = C;
}

void check_same_columns(const RegressColumns* known, const std::vector<std::string>& paths, RegressData& data) {
  if (!known) return;
  if (data.columns.features.size() != known->features.size()) {
    fail(Code::kData, "{}: holds {}, the model was trained on {}", fmt::join(paths, ", "),
         data.is_table() ? "a table" : "sequences", known->features.empty() ? "sequences" : "a table");
  }
  if (data.columns.targets.size() == known->targets.size() || data.targets.empty()) return;
  fail(Code::kData, "{}: {} targets per sample, the model has {}", fmt::join(paths, ", "), data.target_count(),
       known->targets.size());
}

void check_options(const DataOptions& options, Kind kind, const std::string& path) {
  if (kind != Kind::kArray && !options.labels.empty()) {
    fail(Code::kUsage, "--labels {}: belongs to a .npy file of sequences, {} has its targets inside", options.labels,
         path);
  }
  if (kind != Kind::kTable && !options.target.empty()) {
    fail(Code::kUsage, "--target {}: names columns of a table, {} has none", options.target.front(), path);
  }
}

}  // namespace

RegressData read_regress_data(const std::vector<std::string>& paths, const DataOptions& options,
                              const RegressColumns* known, bool targets_required) {
  RegressData data;
  const Kind kind = kind_of(paths.front(), options.format);
  check_options(options, kind, paths.front());
  if (known && kind == Kind::kTable) data.columns = *known;
  if (kind == Kind::kTable && known && known->features.empty()) {
    fail(Code::kData, "{}: is a table, the model was trained on sequences (.npy, .ts)", paths.front());
  }
  if (kind == Kind::kArray && paths.size() > 1) {
    fail(Code::kUsage, "{}: one .npy file at a time, since --labels belongs to it", fmt::join(paths, ", "));
  }
  for (const std::string& path : paths) {
    if (kind_of(path, options.format) != kind) {
      fail(Code::kUsage, "{}: files of different kinds, expected tables, .ts files or one .npy file",
           fmt::join(paths, ", "));
    }
    if (kind == Kind::kTable) read_table(path, options, targets_required, data);
    if (kind == Kind::kSequences) read_sequence_file(path, targets_required, data);
    if (kind == Kind::kArray) read_array(path, options, targets_required, data);
  }
  if (data.size() == 0) fail(Code::kData, "{}: no samples in it", fmt::join(paths, ", "));
  check_same_columns(known, paths, data);
  if (known) data.columns.targets = known->targets;
  if (data.targets.empty()) data.targets.assign(static_cast<std::size_t>(data.size() * data.target_count()), kNone);
  return data;
}

void append(RegressData& data, RegressData more) {
  if (data.samples.features != more.samples.features) {
    fail(Code::kData, "training and validation files differ: {} and {} features", data.samples.features,
         more.samples.features);
  }
  std::move(more.samples.sequences.begin(), more.samples.sequences.end(), std::back_inserter(data.samples.sequences));
  data.targets.insert(data.targets.end(), more.targets.begin(), more.targets.end());
  data.notes.insert(data.notes.end(), more.notes.begin(), more.notes.end());
  data.missing += more.missing;
}

void fill_missing(RegressData& data, const std::vector<double>& values) {
  if (data.missing == 0) return;
  for (Sequence& sequence : data.samples.sequences) {
    for (std::int64_t k = 0; k < sequence.values.elements(); ++k) {
      if (std::isnan(sequence.values[k])) {
        sequence.values[k] = static_cast<float>(values[static_cast<std::size_t>(k) % values.size()]);
      }
    }
  }
}

}  // namespace carousel
