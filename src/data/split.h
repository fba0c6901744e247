// split.h: which samples train, which validate, which test.
//
// A Split holds sample indices in rising order. Everything is a pure function of its arguments and the seed. Splits by
// date belong to series/.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace carousel {

struct Split {
  std::vector<std::int64_t> train, valid;
};

// A random part of every class to validate: together round(fraction * samples), shared out between the classes in
// proportion (largest remainder first); a class keeps at least one sample to train. `labels` are class ids >= 0; one id
// for all samples gives a plain random split. Throws Error{kUsage} unless 0 < valid_fraction < 1 and both parts get a
// sample.
Split stratified_split(std::span<const std::int32_t> labels, double valid_fraction, std::uint64_t seed);

// `folds` splits; each sample validates in exactly one, and each fold has its share of every class, plus or minus one.
// Throws Error{kUsage} unless 2 <= folds <= samples.
std::vector<Split> stratified_folds(std::span<const std::int32_t> labels, std::int64_t folds, std::uint64_t seed);

// Sizes of consecutive parts of a file, in file order; what is left at the end is `unused`.
struct PartSizes {
  std::int64_t train = 0, valid = 0, test = 0, unused = 0;
};

// Reads "A,B,C": three row counts (whole numbers), or three fractions (if any has a decimal point). Throws
// Error{kUsage} if it is neither, or wants more than `rows`, or the first part is empty.
PartSizes parse_split(std::string_view text, std::int64_t rows);

}  // namespace carousel
