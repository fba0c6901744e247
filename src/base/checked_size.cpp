#include "base/checked_size.h"

#include "base/fail.h"

namespace carousel {

namespace {
constexpr std::int64_t kLimit = std::int64_t{1} << 48;
}

std::int64_t checked_size(std::initializer_list<std::int64_t> sizes, std::string_view what) {
  return checked_size(std::span<const std::int64_t>(sizes.begin(), sizes.size()), what);
}

std::int64_t checked_size(std::span<const std::int64_t> sizes, std::string_view what) {
  // A zero must not hide an overflow: code that multiplies only some of the sizes would meet it again.
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : sizes) {
    if (size < 0) fail(Code::kUsage, "{}: size {} is negative", what, size);
    if (size == 0) {
      empty = true;
    } else if (size > kLimit / product) {
      fail(Code::kUsage, "{}: too large, the product of its sizes exceeds 2^48", what);
    } else {
      product *= size;
    }
  }
  return empty ? 0 : product;
}

}  // namespace carousel
