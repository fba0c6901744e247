// token_index.h: tokens with the ids 0, 1, 2, ... in the order in which they came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace carousel {

// Open addressing over tokens that lie one behind another: a look-up, several for every word that is read, touches a
// slot of 8 bytes and the token, where a node of std::unordered_map is found by walking through others.
class TokenIndex {
 public:
  static constexpr std::int32_t kNone = -1;

  std::int32_t find(std::string_view token) const noexcept;  // its id, or kNone
  std::int32_t add(std::string_view token);                  // its id, the next one if it is new

  std::int64_t size() const noexcept { return static_cast<std::int64_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const noexcept { return tokens_; }  // by id

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t id = kNone;
  };
  std::size_t place(std::string_view token, std::uint32_t hash) const noexcept;  // its slot, or the one to put it in
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half of them used
  std::vector<std::string> tokens_;
};

}  // namespace carousel
