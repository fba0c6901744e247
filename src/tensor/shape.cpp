#include <algorithm>
#include <string>

#include "base/checked_size.h"
#include "base/fail.h"
#include "carousel/tensor.h"

namespace carousel {

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) {
  if (sizes.size() > kMaxRank) fail(Code::kUsage, "shape: got {} axes, expected at most {}", sizes.size(), kMaxRank);
  checked_size(sizes, "shape");
  std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  rank_ = static_cast<int>(sizes.size());
}

std::int64_t Shape::elements() const noexcept {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes()) product *= size;
  return product;
}

bool Shape::operator==(const Shape& other) const noexcept { return std::ranges::equal(sizes(), other.sizes()); }

std::string Shape::to_string() const {
  std::string text = "[";
  for (const std::int64_t size : sizes()) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

}  // namespace carousel
