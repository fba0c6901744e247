// checked_size.h: products of sizes that cannot wrap round. Everything read from disk goes through here before memory
// is asked for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

namespace carousel {

// The product of the sizes. Throws Error{kUsage} that names `what` if a size is negative or the product exceeds
// 2^48 (no machine of ours holds more elements; every byte count of it still fits 64 bits). A size of 0 gives 0, but
// the other sizes are checked all the same.
std::int64_t checked_size(std::initializer_list<std::int64_t> sizes, std::string_view what);
std::int64_t checked_size(std::span<const std::int64_t> sizes, std::string_view what);

}  // namespace carousel
