// attention_blocks.h: which rows of the queries meet which rows of the keys: products of many sizes at once.
//
// Both matrices hold the rows of one sample after another. Block b belongs to sample b: its queries meet its keys and
// no others, so padding exists nowhere. What belongs to a pair of rows (a score, a weight) stands in one flat row of
// numbers: block after block, in a block head after head, in a head query after query, its keys side by side.
#pragma once

#include <cstdint>
#include <span>

#include "base/arena.h"

namespace carousel {

struct AttentionBlock {
  std::int64_t query = 0, queries = 0;  // first row, number of rows
  std::int64_t key = 0, keys = 0;
  std::int64_t pair = 0;  // place of the first of heads * queries * keys numbers
};

// Borrows its list, which must live until the tape's reset().
struct AttentionBlocks {
  std::span<const AttentionBlock> list;
  std::int64_t heads = 1;

  // Rows that the blocks cover, from row 0 on, and the count of pairs.
  std::int64_t query_rows() const noexcept { return list.empty() ? 0 : list.back().query + list.back().queries; }
  std::int64_t key_rows() const noexcept { return list.empty() ? 0 : list.back().key + list.back().keys; }
  std::int64_t pairs() const noexcept {
    return list.empty() ? 0 : list.back().pair + heads * list.back().queries * list.back().keys;
  }
  AttentionBlocks first(std::int64_t samples) const { return {list.first(static_cast<std::size_t>(samples)), heads}; }
};

// Sample n has query_lengths[n] rows of queries and key_lengths[n] rows of keys. The list is put into the arena.
// REQUIRES: as many of the ones as of the others, none negative.
AttentionBlocks make_attention_blocks(Arena& arena, std::span<const std::int64_t> query_lengths,
                                      std::span<const std::int64_t> key_lengths, std::int64_t heads);

}  // namespace carousel
