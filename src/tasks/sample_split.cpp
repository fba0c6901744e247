#include "tasks/sample_split.h"

#include <numeric>

#include "base/fail.h"

namespace carousel {
namespace {

std::vector<std::int64_t> range(std::int64_t begin, std::int64_t count) {
  std::vector<std::int64_t> list(static_cast<std::size_t>(count));
  std::iota(list.begin(), list.end(), begin);
  return list;
}

}  // namespace

void refuse_split_beside_valid(const DataOptions& options, bool has_valid) {
  if (!has_valid || options.split.empty()) return;
  fail(Code::kUsage, "--split and --valid both say what is held back; choose one");
}

Split split_samples(const DataOptions& options, std::span<const std::int32_t> classes, std::int64_t count,
                    std::int64_t seed) {
  refuse_split_beside_valid(options, std::ssize(classes) > count);
  if (std::ssize(classes) > count) return {range(0, count), range(count, std::ssize(classes) - count)};
  if (!options.split.empty()) {
    const PartSizes parts = parse_split(options.split, count);
    if (parts.valid == 0) fail(Code::kUsage, "--split {}: the validation part is empty", options.split);
    return {range(0, parts.train), range(parts.train, parts.valid)};
  }
  return stratified_split(classes, options.valid_fraction,
                          static_cast<std::uint64_t>(options.split_seed >= 0 ? options.split_seed : seed));
}

std::vector<std::int64_t> part_samples(const DataOptions& options, const std::string& split, std::int64_t count) {
  if (options.part.empty()) return range(0, count);
  if (split.empty()) fail(Code::kUsage, "--part {}: the model was trained without --split", options.part);
  const PartSizes parts = parse_split(split, count);
  std::vector<std::int64_t> list = options.part == "train"   ? range(0, parts.train)
                                   : options.part == "valid" ? range(parts.train, parts.valid)
                                                             : range(parts.train + parts.valid, parts.test);
  if (list.empty()) fail(Code::kUsage, "--part {}: this part of the split {} is empty", options.part, split);
  return list;
}

}  // namespace carousel
