// sample_split.h: which samples train and which validate, by the options; and the parts that a model remembers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/split.h"
#include "tasks/options.h"

namespace carousel {

// Throws Error{kUsage} if there is a --split although samples of --valid validate.
void refuse_split_beside_valid(const DataOptions& options, bool has_valid);

// The first `count` samples are those of --data, those behind them those of --valid (if there are any). Without --valid
// by --split, else a random part with the classes' shares kept, drawn with --split-seed or, without it, `seed`;
// classes: one per sample (all 0 for values). Throws Error{kUsage} for an empty part and for
// both.
Split split_samples(const DataOptions& options, std::span<const std::int32_t> classes, std::int64_t count,
                    std::int64_t seed);

// The samples 0 .. count-1, or with options.part those of this part of `split`, which training remembered. Throws
// Error{kUsage} if training had no --split.
std::vector<std::int64_t> part_samples(const DataOptions& options, const std::string& split, std::int64_t count);

}  // namespace carousel
