// adaptive_softmax.h: an output layer for large vocabularies whose tokens are numbered by falling frequency (Grave et
// al. 2017). The first tokens, the head, have a score each; the rest stand in clusters, each 4 times as many tokens as
// the one before it, read through a projection to a quarter of its features:
//
//   s = W_head x [head_size + clusters]          p(k) = softmax(s)[k]                                  k in the head
//   t = W_i P_i x [tokens of cluster i]          p(k) = softmax(s)[head_size + i] softmax(t)[k]        k in cluster i
//
// forward() gives log p of every token, exactly and without a gradient; training goes through the loss of the task.
#pragma once

#include <memory>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

class AdaptiveSoftmax : public Module {
 public:
  struct Cluster {
    std::int64_t begin, count;     // tokens
    Parameter projection, weight;  // [P, H], [count, P]
  };

  // Throws Error{kUsage} unless all are at least 1 and head_size is less than vocabulary_size.
  AdaptiveSoftmax(std::int64_t input_size, std::int64_t vocabulary_size, std::int64_t head_size);
  // Elements of its parameters, counted without making them.
  static std::int64_t count(std::int64_t input_size, std::int64_t vocabulary_size, std::int64_t head_size);
  std::vector<Parameter*> parameters() override;
  void initialize(std::uint64_t seed) override;  // as Linear
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

  std::int64_t vocabulary_size() const noexcept { return vocabulary_size_; }
  Parameter& head() noexcept { return head_; }  // [head_size + clusters, H]
  std::int64_t head_size() const noexcept { return head_size_; }
  const std::vector<std::unique_ptr<Cluster>>& clusters() const noexcept { return clusters_; }
  // log p [V] of one row x [H]; `workspace` of workspace_size() floats.
  void log_probabilities(const float* x, float* log_p, float* workspace) const noexcept;
  std::int64_t workspace_size() const noexcept;

 private:
  std::int64_t vocabulary_size_, head_size_;
  Parameter head_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
};

}  // namespace carousel
