#include "layers/tokens/token_inputs.h"

#include <algorithm>

#include "autograd/ops/embedding.h"
#include "autograd/ops/embedding_sum.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {
namespace {

void check_sizes(const char* layer, std::initializer_list<std::int64_t> sizes) {
  for (const std::int64_t size : sizes) {
    if (size < 1) fail(Code::kUsage, "{}: a size is {}, expected at least 1", layer, size);
  }
}

}  // namespace

bool is_token_input(std::string_view type) noexcept {
  return type == "embedding" || type == "fixed_embedding" || type == "one_hot" || type == "hashed_embedding";
}

std::span<const std::int32_t> detail::fold_tokens(Flow& flow, std::int64_t limit, const char* layer) {
  if (flow.x) fail(Code::kUsage, "{}: got numbers, expected token ids", layer);
  Arena& arena = flow.tape->arena();
  auto* index = arena.allocate<std::int32_t>(std::ssize(flow.ids));
  auto* distinct = arena.allocate<std::int32_t>(std::min<std::int64_t>(std::ssize(flow.ids), limit));
  auto* place = arena.allocate<std::int32_t>(limit);  // of each token among the distinct ones, -1: not yet
  std::fill_n(place, limit, -1);
  std::int32_t count = 0;
  for (std::size_t r = 0; r < flow.ids.size(); ++r) {
    const std::int32_t id = flow.ids[r];
    if (id < 0 || id >= limit) {
      fail(Code::kUsage, "{}: token id {} is out of range, expected 0 to {}", layer, id, limit - 1);
    }
    if (place[id] < 0) {
      distinct[count] = id;
      place[id] = count++;
    }
    index[r] = place[id];
  }
  flow.row_index = {index, flow.ids.size()};
  flow.ids = {};
  return {distinct, static_cast<std::size_t>(count)};
}

FixedEmbedding::FixedEmbedding(std::int64_t vocabulary_size, std::int64_t embedding_size)
    : weight("weight", Tensor({vocabulary_size, embedding_size})) {
  check_sizes("fixed_embedding", {vocabulary_size, embedding_size});
}

void FixedEmbedding::initialize(std::uint64_t seed) {
  Embedding like(weight.value.shape()[0], weight.value.shape()[1]);
  like.initialize(seed);
  weight.value = std::move(like.weight.value);
}

LayerDescription FixedEmbedding::describe() const {
  return {"fixed_embedding",
          {{"vocabulary_size", weight.value.shape()[0]}, {"embedding_size", weight.value.shape()[1]}},
          {}};
}

void FixedEmbedding::forward(detail::Flow& flow) {
  const auto distinct = detail::fold_tokens(flow, weight.value.shape()[0], "fixed_embedding");
  flow.x = embedding(flow.tape->constant(static_cast<const Tensor&>(weight.value).view()), distinct);
}

OneHot::OneHot(std::int64_t vocabulary_size) : vocabulary_size_(vocabulary_size) {
  check_sizes("one_hot", {vocabulary_size});
}

LayerDescription OneHot::describe() const { return {"one_hot", {{"vocabulary_size", vocabulary_size_}}, {}}; }

void OneHot::forward(detail::Flow& flow) {
  const auto distinct = detail::fold_tokens(flow, vocabulary_size_, "one_hot");
  const std::int64_t rows = std::ssize(distinct);
  float* x = flow.tape->arena().allocate<float>(rows * vocabulary_size_);
  std::fill_n(x, rows * vocabulary_size_, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r) x[r * vocabulary_size_ + distinct[static_cast<std::size_t>(r)]] = 1;
  flow.x = flow.tape->constant({x, Shape{rows, vocabulary_size_}});
}

HashedEmbedding::HashedEmbedding(const Sizes& sizes)
    : weight("weight", Tensor({sizes.buckets, sizes.embedding_size})),
      starts("starts", Tensor({sizes.vocabulary_size + 1})),
      pieces("pieces", Tensor({sizes.pieces})) {
  check_sizes("hashed_embedding", {sizes.vocabulary_size, sizes.buckets, sizes.embedding_size, sizes.pieces});
  if (std::max(sizes.buckets, sizes.pieces) > kMostPieces) {
    fail(Code::kUsage, "hashed_embedding: {} buckets and {} pieces, expected at most {} each", sizes.buckets,
         sizes.pieces, kMostPieces);
  }
}

HashedEmbedding::HashedEmbedding(const WordPieces& words, std::int64_t buckets, std::int64_t embedding_size)
    : HashedEmbedding(Sizes{words.words(), buckets, embedding_size, std::ssize(words.pieces)}) {
  for (const std::int32_t piece : words.pieces) {
    if (piece < 0 || piece >= buckets) {
      fail(Code::kUsage, "hashed_embedding: piece {} is out of range, expected 0 to {}", piece, buckets - 1);
    }
  }
  std::copy(words.starts.begin(), words.starts.end(), starts.value.data());
  std::copy(words.pieces.begin(), words.pieces.end(), pieces.value.data());
}

void HashedEmbedding::initialize(std::uint64_t seed) {
  fill_normal({seed, Purpose::kWeights, 0}, 0.0F, 0.1F, weight.value.span());
}

LayerDescription HashedEmbedding::describe() const {
  return {"hashed_embedding",
          {{"vocabulary_size", starts.value.elements() - 1},
           {"buckets", weight.value.shape()[0]},
           {"embedding_size", weight.value.shape()[1]},
           {"pieces", pieces.value.elements()}},
          {}};
}

// What a model file says is checked here, word by word, as it is used.
void HashedEmbedding::append_pieces(const detail::Flow& flow, std::int32_t word, WordPieces& list) const {
  const std::int64_t known = starts.value.elements() - 1;
  if (word >= known) {
    const auto unseen = static_cast<std::size_t>(word - known);
    const std::int64_t begin = flow.unseen->starts[unseen];
    list.add(std::span(flow.unseen->pieces)
                 .subspan(static_cast<std::size_t>(begin),
                          static_cast<std::size_t>(flow.unseen->starts[unseen + 1] - begin)));
    return;
  }
  const float begin = starts.value[word], end = starts.value[word + 1];
  if (!(begin >= 0 && begin <= end && end <= static_cast<float>(pieces.value.elements()))) {
    fail(Code::kModel, "hashed_embedding: word {} has pieces {} to {} of {}", word, begin, end,
         pieces.value.elements());
  }
  for (auto k = static_cast<std::int64_t>(begin); k < static_cast<std::int64_t>(end); ++k) {
    const float piece = pieces.value[k];
    const bool fits = piece >= 0 && piece < static_cast<float>(weight.value.shape()[0]);
    list.pieces.push_back(fits ? static_cast<std::int32_t>(piece) : -1);  // embedding_sum() refuses -1
  }
  list.starts.push_back(std::ssize(list.pieces));
}

void HashedEmbedding::forward(detail::Flow& flow) {
  const std::int64_t unseen = flow.unseen ? flow.unseen->words() : 0;
  const auto distinct = detail::fold_tokens(flow, starts.value.elements() - 1 + unseen, "hashed_embedding");
  WordPieces list;
  for (const std::int32_t word : distinct) append_pieces(flow, word, list);
  flow.x = embedding_sum<float>(flow.tape->parameter(weight), list.starts, list.pieces);
}

}  // namespace carousel
