#include "autograd/ops/attention_blocks.h"

namespace carousel {

AttentionBlocks make_attention_blocks(Arena& arena, std::span<const std::int64_t> query_lengths,
                                      std::span<const std::int64_t> key_lengths, std::int64_t heads) {
  auto* list = arena.allocate<AttentionBlock>(std::ssize(query_lengths));
  AttentionBlock next;
  for (std::size_t n = 0; n < query_lengths.size(); ++n) {
    next.queries = query_lengths[n];
    next.keys = key_lengths[n];
    list[n] = next;
    next.query += next.queries;
    next.key += next.keys;
    next.pair += heads * next.queries * next.keys;
  }
  return {{list, query_lengths.size()}, heads};
}

}  // namespace carousel
