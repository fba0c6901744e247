#include "layers/output/adaptive_softmax.h"

#include <algorithm>
#include <cmath>

#include "base/checked_size.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {
namespace {

constexpr std::int64_t kGrowth = 4;  // of clusters in tokens; their features shrink by as much

// y = W x, with W [rows, columns].
void multiply_row(const Tensor& w, const float* x, float* y) noexcept {
  const std::int64_t rows = w.shape()[0], columns = w.shape()[1];
  for (std::int64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (std::int64_t c = 0; c < columns; ++c) sum += w[r * columns + c] * x[c];
    y[r] = static_cast<float>(sum);
  }
}

// s = offset + log softmax(s) of `count` numbers.
void log_softmax_row(float* s, std::int64_t count, float offset) noexcept {
  const double top = *std::max_element(s, s + count);
  double sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += std::exp(s[k] - top);
  const double shift = offset - top - std::log(sum);
  for (std::int64_t k = 0; k < count; ++k) s[k] = static_cast<float>(s[k] + shift);
}

struct ClusterShape {
  std::int64_t begin, count, features;
};

std::vector<ClusterShape> cluster_shapes(std::int64_t input_size, std::int64_t vocabulary_size,
                                         std::int64_t head_size) {
  if (input_size < 1 || head_size < 1 || head_size >= vocabulary_size) {
    fail(Code::kUsage,
         "adaptive_softmax: input_size {} and head_size {} must be at least 1, and the head smaller than the {} tokens",
         input_size, head_size, vocabulary_size);
  }
  std::vector<ClusterShape> shapes;
  std::int64_t size = kGrowth * head_size, features = input_size;
  for (std::int64_t begin = head_size; begin < vocabulary_size; begin += size, size *= kGrowth) {
    features = std::max<std::int64_t>(1, features / kGrowth);
    shapes.push_back({begin, std::min(size, vocabulary_size - begin), features});
  }
  return shapes;
}

}  // namespace

AdaptiveSoftmax::AdaptiveSoftmax(std::int64_t input_size, std::int64_t vocabulary_size, std::int64_t head_size)
    : vocabulary_size_(vocabulary_size), head_size_(head_size) {
  const std::vector<ClusterShape> shapes = cluster_shapes(input_size, vocabulary_size, head_size);
  head_ = Parameter("head_weight", Tensor({head_size + std::ssize(shapes), input_size}));
  for (const auto& [begin, count, features] : shapes) {
    const std::string number = std::to_string(clusters_.size());
    clusters_.push_back(std::make_unique<Cluster>(Cluster{begin,
                                                          count,
                                                          {"projection_" + number, Tensor({features, input_size})},
                                                          {"weight_" + number, Tensor({count, features})}}));
  }
}

std::int64_t AdaptiveSoftmax::count(std::int64_t input_size, std::int64_t vocabulary_size, std::int64_t head_size) {
  std::int64_t total = 0, clusters = 0;
  for (const auto& [begin, count, features] : cluster_shapes(input_size, vocabulary_size, head_size)) {
    total += checked_size({features, input_size + count}, "adaptive_softmax");
    ++clusters;
  }
  return total + checked_size({head_size + clusters, input_size}, "adaptive_softmax");
}

std::vector<Parameter*> AdaptiveSoftmax::parameters() {
  std::vector<Parameter*> list{&head_};
  for (const auto& cluster : clusters_) list.insert(list.end(), {&cluster->projection, &cluster->weight});
  return list;
}

void AdaptiveSoftmax::initialize(std::uint64_t seed) {
  std::uint64_t index = 0;
  for (Parameter* parameter : parameters()) {
    const float bound = 1 / std::sqrt(static_cast<float>(parameter->value.shape()[1]));
    fill_uniform({seed, Purpose::kWeights, index++}, -bound, bound, parameter->value.span());
  }
}

LayerDescription AdaptiveSoftmax::describe() const {
  return {"adaptive_softmax",
          {{"input_size", head_.value.shape()[1]}, {"vocabulary_size", vocabulary_size_}, {"head_size", head_size_}},
          {}};
}

std::int64_t AdaptiveSoftmax::workspace_size() const noexcept {
  return head_.value.shape()[0] + head_.value.shape()[1];
}

void AdaptiveSoftmax::log_probabilities(const float* x, float* log_p, float* workspace) const noexcept {
  const std::int64_t scores = head_.value.shape()[0];
  float* const features = workspace + scores;
  multiply_row(head_.value, x, workspace);
  log_softmax_row(workspace, scores, 0);
  std::copy_n(workspace, head_size_, log_p);
  const float* of_cluster = workspace + head_size_;
  for (const auto& cluster : clusters_) {
    multiply_row(cluster->projection.value, x, features);
    multiply_row(cluster->weight.value, features, log_p + cluster->begin);
    log_softmax_row(log_p + cluster->begin, cluster->count, *of_cluster++);
  }
}

void AdaptiveSoftmax::forward(detail::Flow& flow) {
  const Variable x = flow.rows("adaptive_softmax");
  const std::int64_t rows = x.shape().rows(), H = head_.value.shape()[1];
  if (x.shape().back() != H) {
    fail(Code::kUsage, "adaptive_softmax: the input has {} features, expected {}", x.shape().back(), H);
  }
  Arena& arena = flow.tape->arena();
  auto* log_p = arena.allocate<float>(rows * vocabulary_size_);
  auto* workspace = arena.allocate<float>(workspace_size());
  for (std::int64_t r = 0; r < rows; ++r) {
    log_probabilities(x.value().data + r * H, log_p + r * vocabulary_size_, workspace);
  }
  flow.x = flow.tape->constant({log_p, {rows, vocabulary_size_}});
}

}  // namespace carousel
