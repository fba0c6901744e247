#include "data/text/token_index.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace carousel {
namespace {

std::uint32_t hash_of(std::string_view token) noexcept {
  return static_cast<std::uint32_t>(std::hash<std::string_view>{}(token));
}

}  // namespace

std::int32_t TokenIndex::find(std::string_view token) const noexcept {
  return slots_.empty() ? kNone : slots_[place(token, hash_of(token))].id;
}

std::int32_t TokenIndex::add(std::string_view token) {
  if (2 * (tokens_.size() + 1) > slots_.size()) grow();
  const std::uint32_t hash = hash_of(token);
  Slot& slot = slots_[place(token, hash)];
  if (slot.id == kNone) {
    tokens_.emplace_back(token);
    slot = {hash, static_cast<std::int32_t>(tokens_.size() - 1)};
  }
  return slot.id;
}

std::size_t TokenIndex::place(std::string_view token, std::uint32_t hash) const noexcept {
  for (std::size_t at = hash;; ++at) {
    at &= slots_.size() - 1;
    const Slot& slot = slots_[at];
    if (slot.id == kNone || (slot.hash == hash && tokens_[static_cast<std::size_t>(slot.id)] == token)) return at;
  }
}

void TokenIndex::grow() {
  constexpr std::size_t kLeast = 64;
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(std::max(kLeast, 2 * slots_.size())));
  for (const Slot& slot : before) {
    if (slot.id != kNone) slots_[place(tokens_[static_cast<std::size_t>(slot.id)], slot.hash)] = slot;
  }
}

}  // namespace carousel
