#include "layers/scan/zoneout.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace carousel {
namespace {

constexpr std::int64_t kUnitsOfDraw = 4;  // words of one block of random bits; half a word for each of the two numbers

std::uint32_t zoneout_limit(double probability) { return static_cast<std::uint32_t>(std::lround(probability * 65536)); }

}  // namespace

void check_zoneout(const Cell& cell, const Zoneout& zoneout) {
  const auto check = [&](const char* name, double p) {
    if (!(p >= 0 && p < 1)) fail(Code::kUsage, "{}: {} is {}, expected 0 <= p < 1", cell.name, name, p);
  };
  check("zoneout", zoneout.output);
  check("zoneout_memory", zoneout.memory);
  if (zoneout.active() && cell.has_matrix()) {
    fail(Code::kUsage, "cell '{}' computes its steps together: leave zoneout and zoneout_memory out", cell.name);
  }
  if (zoneout.memory > 0 && (cell.state_count() == 1 || cell.fixed_unit_weights)) {  // a clock is no memory
    fail(Code::kUsage, "cell '{}' has no memory but h: leave zoneout_memory out, zoneout is for h", cell.name);
  }
}

template <class T>
ZoneoutShares<T>::ZoneoutShares(Arena& arena, const Zoneout& zoneout, const SequenceLayout& layout,
                                std::int64_t output_size, std::int64_t memory_size)
    : zoneout_(zoneout), layout_(&layout), widths_{output_size, memory_size} {
  for (int k = 0; k < 2; ++k) {
    if (zoneout.of(k) == 0) continue;
    const std::int64_t size = layout.samples() * widths_[k];
    shares_[k] = arena.allocate<T>(size);
    if (!zoneout.draws) std::fill_n(shares_[k], size, static_cast<T>(zoneout.of(k)));
  }
}

template <class T>
void ZoneoutShares<T>::draw(std::int64_t t, std::int64_t begin, std::int64_t rows) const noexcept {
  if (!zoneout_.draws) return;
  const std::int64_t units = std::max(widths_[0], widths_[1]), blocks = (units + kUnitsOfDraw - 1) / kUnitsOfDraw;
  const std::uint32_t limits[] = {zoneout_limit(zoneout_.output), zoneout_limit(zoneout_.memory)};
  for (std::int64_t row = begin; row < begin + rows; ++row) {
    const std::int64_t first = (t * layout_->samples() + layout_->sample(row)) * blocks;
    for (std::int64_t b = 0; b < blocks; ++b) {
      const auto bits = philox(zoneout_.key, static_cast<std::uint64_t>(first + b));
      for (int k = 0; k < 2; ++k) {
        if (!shares_[k]) continue;
        T* to = shares_[k] + row * widths_[k];
        const std::int64_t end = std::min(widths_[k], (b + 1) * kUnitsOfDraw);
        for (std::int64_t j = b * kUnitsOfDraw; j < end; ++j) {
          const std::uint32_t word = bits[static_cast<std::size_t>(j % kUnitsOfDraw)];
          to[j] = (k == 0 ? word & 0xffff : word >> 16) < limits[k] ? T(1) : T(0);
        }
      }
    }
  }
}

template class ZoneoutShares<float>;
template class ZoneoutShares<double>;

}  // namespace carousel
