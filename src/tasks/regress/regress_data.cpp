#include "tasks/regress/regress_data.h"

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
    std::vector<double> targets(data.columns.targets.size(), kNone);
    for (std::size_t k = 0; k < places.targets.size(); ++k) {
      targets[k] = target_value(table, row, places.targets[k], targets_required);
    }
    data.targets.push_back(std::move(targets));
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
    data.targets.push_back(
        {sequence.label.empty() ? kNone : parse_number(sequence.label, path, sequence.line, "target")});
    data.samples.sequences.push_back(std::move(sequence));
  }
}

// The row of targets at step t of sample n, of `steps` steps; `place` is for messages. Behind the end of its sample a
// row is empty (NaN).
void add_step_targets(const std::string& place, std::span<const double> row, std::int64_t t, std::int64_t steps,
                      std::vector<double>& targets) {
  for (std::size_t k = 0; k < row.size(); ++k) {
    if (t < steps && !std::isfinite(row[k])) {
      fail(Code::kData, "{}, step {}: target {} is {}, expected a number: the sample has {} steps", place, t, k, row[k],
           steps);
    }
    if (t >= steps && !std::isnan(row[k])) {
      fail(Code::kData, "{}, step {}: target {} is {}, expected NaN: the sample has only {} steps", place, t, k, row[k],
           steps);
    }
  }
  if (t < steps) targets.insert(targets.end(), row.begin(), row.end());
}

// The targets of the .npy file options.labels for the samples of `samples_path`, which are there already.
void read_array_targets(const DataOptions& options, const std::string& samples_path, RegressData& data) {
  const std::string& path = options.labels;
  BasicTensor<double> targets = read_npy<double>(path, NpyConversion::kRound);
  const std::int64_t N = data.size(), rank = targets.shape().rank();
  data.columns.per_step = rank == 3;
  if (rank == 3 && options.batch_first) {
    targets = transpose_time_and_batch(static_cast<const BasicTensor<double>&>(targets).view());
  }
  const Shape& shape = targets.shape();  // [N], [N, K] or [T, N, K]
  std::int64_t longest = 0;
  for (std::int64_t n = 0; n < N; ++n) longest = std::max(longest, data.samples.length(n));
  if (rank < 1 || rank > 3 || shape[rank == 3 ? 1 : 0] != N || targets.elements() == 0 ||
      (rank == 3 && shape[0] < longest)) {
    fail(Code::kData,
         "{}: has shape {} (time first), expected [{}], [{}, targets] or [{}, {}, targets] for the samples of {}", path,
         shape.to_string(), N, N, longest, N, samples_path);
  }
  const std::int64_t K = rank == 1 ? 1 : shape.back();
  data.columns.targets = {"target"};
  for (std::int64_t k = 1; k < K; ++k) data.columns.targets.push_back(fmt::format("target_{}", k + 1));
  data.targets.resize(static_cast<std::size_t>(N));
  for (std::int64_t row = 0; row < targets.elements() / K; ++row) {
    const std::int64_t n = row % N;
    add_step_targets(fmt::format("{}: sample {}", path, n), {targets.data() + row * K, static_cast<std::size_t>(K)},
                     row / N, rank == 3 ? data.samples.length(n) : 1, data.targets[static_cast<std::size_t>(n)]);
  }
}

void read_array(const std::string& path, const DataOptions& options, bool targets_required, RegressData& data) {
  data.samples.sequences = read_npy_sequences(path, options.batch_first);
  data.samples.features = data.samples.sequences[0].values.shape()[1];
  for (std::int64_t n = 0; n < data.size(); ++n) {
    for (const float value : data.samples.sequences[static_cast<std::size_t>(n)].values.span()) {
      if (std::isinf(value)) fail(Code::kData, "{}: sample {} has an infinite number", path, n);
      data.missing += std::isnan(value);
    }
  }
  if (!options.labels.empty()) {
    read_array_targets(options, path, data);
  } else if (targets_required) {
    fail(Code::kUsage, "{}: --labels FILE.npy is missing, the targets of its {} samples", path, data.size());
  }
}

void check_same_columns(const RegressColumns* known, const std::vector<std::string>& paths, RegressData& data) {
  if (!known) return;
  if (data.columns.features.size() != known->features.size()) {
    fail(Code::kData, "{}: holds {}, the model was trained on {}", fmt::join(paths, ", "),
         data.is_table() ? "a table" : "sequences", known->features.empty() ? "sequences" : "a table");
  }
  if (data.targets.empty()) return;
  if (data.columns.per_step != known->per_step) {
    const auto kind = [](bool per_step) {
      return per_step ? "targets at every step" : "one row of targets per sample";
    };
    fail(Code::kData, "{}: has {}, the model was trained on {}", fmt::join(paths, ", "), kind(data.columns.per_step),
         kind(known->per_step));
  }
  if (data.columns.targets.size() == known->targets.size()) return;
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
  if (known) {
    data.columns.targets = known->targets;
    data.columns.per_step = known->per_step;
  }
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

std::vector<double> targets_of(const RegressData& data, std::span<const std::int64_t> samples) {
  std::vector<double> list;
  for (const std::int64_t n : samples) {
    const std::vector<double>& targets = data.targets[static_cast<std::size_t>(n)];
    list.insert(list.end(), targets.begin(), targets.end());
  }
  return list;
}

std::vector<double> packed_targets_of(const RegressData& data, std::span<const std::int64_t> samples,
                                      const SequenceLayout& layout) {
  std::vector<double> list;
  const std::int64_t K = data.target_count(), N = std::ssize(samples);
  for (const std::int64_t row : layout.padded_rows()) {  // t N + n
    const std::int64_t sample = samples[static_cast<std::size_t>(row % N)];
    const double* targets = data.targets[static_cast<std::size_t>(sample)].data() + row / N * K;
    list.insert(list.end(), targets, targets + K);
  }
  return list;
}

void require_binary_targets(const RegressData& data, const std::vector<std::string>& paths) {
  const std::int64_t K = data.target_count();
  for (std::int64_t n = 0; n < data.size(); ++n) {
    const std::vector<double>& targets = data.targets[static_cast<std::size_t>(n)];
    for (std::int64_t j = 0; j < std::ssize(targets); ++j) {
      const double value = targets[static_cast<std::size_t>(j)];
      if (value == 0 || value == 1) continue;
      const std::string step = data.columns.per_step ? fmt::format(", step {}", j / K) : "";
      fail(Code::kData, "{}: sample {}{}: target '{}' is {}, expected 0 or 1, as --loss bce learns probabilities",
           fmt::join(paths, ", "), n, step, data.columns.targets[static_cast<std::size_t>(j % K)], value);
    }
  }
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
