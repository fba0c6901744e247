#include "layers/tokens/sentence_encoder.h"

#include <algorithm>
#include <vector>

#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {
namespace {

struct Sentence {
  std::int64_t sorted;  // sample, in the sorted order of the layout
  std::int64_t begin;   // its first step there
};

// The sentences of all samples in their original order.
struct Sentences {
  std::vector<Sentence> list;
  std::vector<std::int32_t> lengths;  // of each
  std::vector<std::int32_t> counts;   // of each sample, in the original order
};

Sentences find_sentences(const SequenceLayout& layout, std::span<const std::int32_t> ids, std::int64_t mark) {
  Sentences found;
  std::vector<std::int64_t> sorted_place(static_cast<std::size_t>(layout.samples()));
  for (std::int64_t k = 0; k < layout.samples(); ++k) sorted_place[static_cast<std::size_t>(layout.sample(k))] = k;
  for (const std::int64_t k : sorted_place) {
    const std::size_t before = found.list.size();
    std::int64_t begin = 0;
    for (std::int64_t t = 0; t <= layout.length(k); ++t) {
      if (t < layout.length(k) && ids[static_cast<std::size_t>(layout.offset(t) + k)] != mark) continue;
      if (t > begin) {
        found.list.push_back({k, begin});
        found.lengths.push_back(static_cast<std::int32_t>(t - begin));
      }
      begin = t + 1;
    }
    found.counts.push_back(static_cast<std::int32_t>(found.list.size() - before));
  }
  return found;
}

std::int64_t longest(const std::vector<std::int32_t>& lengths) {
  return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
}

}  // namespace

SentenceEncoder::SentenceEncoder(Sequential network, std::int64_t mark) : Sequential(std::move(network)), mark_(mark) {
  if (mark < 0) fail(Code::kUsage, "sentence_encoder: the mark is {}, expected a token id", mark);
}

LayerDescription SentenceEncoder::describe() const {
  return {"sentence_encoder", {{"mark", mark_}}, Sequential::describe().branches};
}

void SentenceEncoder::forward(detail::Flow& flow) {
  if (flow.x) fail(Code::kUsage, "sentence_encoder: got numbers, expected token ids");
  if (flow.has_initial() || flow.final) {
    fail(Code::kUsage, "sentence_encoder: every sentence starts anew; leave the states out");
  }
  const SequenceLayout& documents = *flow.layout;
  const Sentences found = find_sentences(documents, flow.ids, mark_);
  SequenceLayout& sentences = documents.another();
  sentences.assign(longest(found.lengths), std::ssize(found.lengths), found.lengths);
  auto* words = flow.tape->arena().allocate<std::int32_t>(sentences.rows());
  for (std::int64_t t = 0; t < sentences.longest(); ++t) {
    for (std::int64_t j = 0; j < sentences.batch_size(t); ++j) {
      const Sentence& sentence = found.list[static_cast<std::size_t>(sentences.sample(j))];
      words[sentences.offset(t) + j] =
          flow.ids[static_cast<std::size_t>(documents.offset(sentence.begin + t) + sentence.sorted)];
    }
  }
  flow.ids = {words, static_cast<std::size_t>(sentences.rows())};
  flow.layout = &sentences;
  Sequential::forward(flow);
  if (flow.is_sequence) fail(Code::kUsage, "sentence_encoder: the network inside gives no single row per sentence");

  SequenceLayout& steps = documents.another();
  steps.assign(longest(found.counts), documents.samples(), found.counts);
  std::vector<std::int64_t> first(found.counts.size(), 0);  // sentence of each sample
  for (std::size_t n = 1; n < first.size(); ++n) first[n] = first[n - 1] + found.counts[n - 1];
  auto* index = flow.tape->arena().allocate<std::int64_t>(steps.rows());
  for (std::int64_t t = 0; t < steps.longest(); ++t) {
    for (std::int64_t k = 0; k < steps.batch_size(t); ++k) {
      index[steps.offset(t) + k] = first[static_cast<std::size_t>(steps.sample(k))] + t;
    }
  }
  flow.x = select_rows(flow.rows("sentence_encoder"),
                       std::span<const std::int64_t>(index, static_cast<std::size_t>(steps.rows())));
  flow.layout = &steps;
  flow.is_sequence = true;
  flow.last = {};
}

}  // namespace carousel
