// regress_data.h: what the regress task reads: rows of numbers or sequences of numbers, with one or more targets each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "layers/sequence_layout.h"
#include "tasks/options.h"
#include "tasks/samples.h"

namespace carousel {

// The columns of a table, or for sequences no feature names and made-up target names ("target", "target_2" ...).
struct RegressColumns {
  std::vector<std::string> features, targets;
  bool per_step = false;  // sequences: a row of targets at every step, not one for the sample
};

struct RegressData {
  Samples samples;                           // a row of a table is a sequence of one step; missing features are NaN
  std::vector<std::vector<double>> targets;  // of each sample [K], or [T_n, K] if columns.per_step; NaN: none
  RegressColumns columns;
  std::int64_t missing = 0;        // features without a value
  std::vector<std::string> notes;  // what was left aside, one line each

  std::int64_t size() const noexcept { return samples.size(); }
  std::int64_t target_count() const noexcept { return std::ssize(columns.targets); }
  bool is_table() const noexcept { return !columns.features.empty(); }
};

// Reads `paths`: tables of any format, UCR .ts sequences whose labels are numbers, or .npy [T, N, C] (options.labels:
// .npy [N], [N, K] or, for every step, [T, N, K], in the order of the samples' axes). In a table options.target are the
// targets (default: the last column), all other columns the features; with `known` columns (of a model) exactly those
// are taken, by name. `targets_required`: a sample without a target is an error, else its target is NaN. Throws
// Error{kData} with file and line for text where a number belongs.
RegressData read_regress_data(const std::vector<std::string>& paths, const DataOptions& options,
                              const RegressColumns* known, bool targets_required);

// Adds the samples of `more` behind those of `data` (same columns).
void append(RegressData& data, RegressData more);

// The targets of these samples, one sample after another: [samples, K] or [sum of lengths, K].
std::vector<double> targets_of(const RegressData& data, std::span<const std::int64_t> samples);
// Those of targets at every step in the order of the packed rows of `layout`, which is that of these samples.
std::vector<double> packed_targets_of(const RegressData& data, std::span<const std::int64_t> samples,
                                      const SequenceLayout& layout);

// Throws Error{kData} with the first target that is neither 0 nor 1; `paths` is where they come from.
void require_binary_targets(const RegressData& data, const std::vector<std::string>& paths);

// Missing features become the number of their column in `values` [C].
void fill_missing(RegressData& data, const std::vector<double>& values);

}  // namespace carousel
