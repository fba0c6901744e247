#include "tasks/edit_distance.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace carousel {
namespace {

template <class Token>
std::int64_t fewest_edits(std::span<const Token> a, std::span<const Token> b) {
  std::vector<std::int64_t> row(b.size() + 1);  // distances of the first tokens of a to those of b
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::int64_t diagonal = row[0];
    row[0] = static_cast<std::int64_t>(i) + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::int64_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::int64_t edit_distance(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return fewest_edits(a, b);
}
std::int64_t edit_distance(std::span<const std::string> a, std::span<const std::string> b) {
  return fewest_edits(a, b);
}

}  // namespace carousel
