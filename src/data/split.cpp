#include "data/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/fail.h"
#include "base/random.h"
#include "data/number.h"

namespace carousel {
namespace {

// The samples of every class, each class in random order.
std::vector<std::vector<std::int64_t>> shuffled_classes(std::span<const std::int32_t> labels, std::uint64_t seed) {
  std::vector<std::int64_t> order(labels.size());
  fill_permutation({seed, Purpose::kSplit, 0}, order);
  const std::int32_t last = labels.empty() ? -1 : *std::max_element(labels.begin(), labels.end());
  std::vector<std::vector<std::int64_t>> classes(static_cast<std::size_t>(last + 1));
  for (const std::int64_t index : order) {
    const std::int32_t label = labels[static_cast<std::size_t>(index)];
    CAROUSEL_ASSERT(label >= 0);
    classes[static_cast<std::size_t>(label)].push_back(index);
  }
  return classes;
}

// How many samples of each class validate.
std::vector<std::int64_t> shares(const std::vector<std::vector<std::int64_t>>& classes, double fraction,
                                 std::int64_t total) {
  std::vector<std::int64_t> counts, by_remainder(classes.size());
  std::vector<double> remainders;
  for (const auto& members : classes) {
    const double exact = fraction * static_cast<double>(members.size());
    counts.push_back(static_cast<std::int64_t>(std::floor(exact)));
    remainders.push_back(exact - std::floor(exact));
    total -= counts.back();
  }
  std::iota(by_remainder.begin(), by_remainder.end(), 0);
  std::stable_sort(by_remainder.begin(), by_remainder.end(), [&](std::int64_t a, std::int64_t b) {
    return remainders[static_cast<std::size_t>(a)] > remainders[static_cast<std::size_t>(b)];
  });
  for (const std::int64_t index : by_remainder) {
    const auto label = static_cast<std::size_t>(index);
    const bool spare = counts[label] + 1 < static_cast<std::int64_t>(classes[label].size());
    if (total > 0 && spare) {
      ++counts[label];
      --total;
    }
  }
  return counts;
}

}  // namespace

Split stratified_split(std::span<const std::int32_t> labels, double valid_fraction, std::uint64_t seed) {
  if (!(valid_fraction > 0 && valid_fraction < 1)) {
    fail(Code::kUsage, "valid_fraction is {}, expected a number above 0 and below 1", valid_fraction);
  }
  const auto classes = shuffled_classes(labels, seed);
  const auto total = static_cast<std::int64_t>(std::llround(valid_fraction * static_cast<double>(labels.size())));
  const std::vector<std::int64_t> counts = shares(classes, valid_fraction, total);
  Split split;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    const auto middle = classes[label].begin() + counts[label];
    split.valid.insert(split.valid.end(), classes[label].begin(), middle);
    split.train.insert(split.train.end(), middle, classes[label].end());
  }
  if (split.valid.empty() || split.train.empty()) {
    fail(Code::kUsage,
         "valid_fraction {} of {} samples leaves {} to train and {} to validate, expected at least 1 each",
         valid_fraction, labels.size(), split.train.size(), split.valid.size());
  }
  std::sort(split.valid.begin(), split.valid.end());
  std::sort(split.train.begin(), split.train.end());
  return split;
}

std::vector<Split> stratified_folds(std::span<const std::int32_t> labels, std::int64_t folds, std::uint64_t seed) {
  if (folds < 2 || folds > static_cast<std::int64_t>(labels.size())) {
    fail(Code::kUsage, "folds is {}, expected 2 .. {} (the number of samples)", folds, labels.size());
  }
  // Dealt out like cards, class after class, so that the folds' sizes differ by at most one too.
  std::vector<std::int64_t> fold_of(labels.size());
  std::int64_t dealt = 0;
  for (const auto& members : shuffled_classes(labels, seed)) {
    for (const std::int64_t index : members) fold_of[static_cast<std::size_t>(index)] = dealt++ % folds;
  }
  std::vector<Split> splits(static_cast<std::size_t>(folds));
  for (std::int64_t fold = 0; fold < folds; ++fold) {
    Split& split = splits[static_cast<std::size_t>(fold)];
    for (std::size_t i = 0; i < fold_of.size(); ++i) {
      (fold_of[i] == fold ? split.valid : split.train).push_back(static_cast<std::int64_t>(i));
    }
  }
  return splits;
}

PartSizes parse_split(std::string_view text, std::int64_t rows) {
  const auto refuse = [&](std::string_view why) {
    fail(Code::kUsage, "split '{}': {}; expected three row counts like 800,100,100 or fractions like 0.8,0.1,0.1", text,
         why);
  };
  std::array<double, 3> values{};
  std::size_t count = 0;
  for (std::string_view rest = text;; ++count) {
    const std::size_t comma = rest.find(',');
    const std::optional<double> value = to_number(rest.substr(0, comma));
    if (!value || *value < 0) refuse("a part is not a number");
    if (count < values.size()) values[count] = *value;
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (count + 1 != values.size()) refuse(fmt::format("it has {} parts", count + 1));
  std::array<std::int64_t, 3> sizes{};
  if (text.find('.') != std::string_view::npos) {
    if (values[0] + values[1] + values[2] > 1 + 1e-9) refuse("the fractions are more than 1 together");
    double sum = 0;
    std::int64_t before = 0;  // the borders are rounded, not the parts, so that whole files are used up
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      sum += values[i];
      const auto border = std::min<std::int64_t>(rows, std::llround(sum * static_cast<double>(rows)));
      sizes[i] = border - before;
      before = border;
    }
  } else {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (values[i] > static_cast<double>(rows)) refuse(fmt::format("part {} is more than the {} rows", i + 1, rows));
      if (values[i] != std::floor(values[i])) refuse("a count is not whole");
      sizes[i] = static_cast<std::int64_t>(values[i]);
    }
  }
  const std::int64_t used = sizes[0] + sizes[1] + sizes[2];
  if (used > rows) refuse(fmt::format("the parts are {} rows together, the data has {}", used, rows));
  if (sizes[0] == 0) refuse(fmt::format("the training part is empty ({} rows)", rows));
  return {sizes[0], sizes[1], sizes[2], rows - used};
}

}  // namespace carousel
