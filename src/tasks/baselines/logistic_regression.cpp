#include "tasks/baselines/logistic_regression.h"

#include <algorithm>
#include <cmath>

#include "base/checked_size.h"
#include "base/fail.h"
#include "base/thread_pool.h"
#include "tasks/baselines/lbfgs.h"

namespace carousel {
namespace {

constexpr std::int64_t kBlock = 256;  // rows or features per task

// The same numbers feature by feature, so that the gradient of a feature is one sum in a fixed order.
struct SparseColumns {
  std::vector<std::int64_t> starts, rows;
  std::vector<float> values;
};

SparseColumns transposed(const SparseRows& rows, std::int64_t feature_count) {
  SparseColumns columns;
  columns.starts.assign(static_cast<std::size_t>(feature_count) + 1, 0);
  for (std::int32_t feature : rows.features) ++columns.starts[static_cast<std::size_t>(feature) + 1];
  for (std::size_t f = 1; f < columns.starts.size(); ++f) columns.starts[f] += columns.starts[f - 1];
  columns.rows.resize(rows.features.size());
  columns.values.resize(rows.features.size());
  std::vector<std::int64_t> next(columns.starts.begin(), columns.starts.end() - 1);
  for (std::int64_t r = 0; r < rows.rows(); ++r) {
    for (std::int64_t i = rows.starts[static_cast<std::size_t>(r)]; i < rows.starts[static_cast<std::size_t>(r) + 1];
         ++i) {
      const auto at =
          static_cast<std::size_t>(next[static_cast<std::size_t>(rows.features[static_cast<std::size_t>(i)])]++);
      columns.rows[at] = r;
      columns.values[at] = rows.values[static_cast<std::size_t>(i)];
    }
  }
  return columns;
}

template <class Body>
void for_each_block(std::int64_t count, Body body) {
  parallel_for((count + kBlock - 1) / kBlock, [&](std::int64_t block) {
    for (std::int64_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) body(i);
  });
}

// scores [outputs] = b + w x of one row. weights [features + 1, outputs].
void score_row(const SparseRows& rows, std::int64_t row, std::span<const double> weights, std::span<double> scores) {
  const std::size_t outputs = scores.size();
  std::copy_n(weights.end() - static_cast<std::ptrdiff_t>(outputs), outputs, scores.begin());
  const auto end = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(row) + 1]);
  for (auto i = static_cast<std::size_t>(rows.starts[static_cast<std::size_t>(row)]); i < end; ++i) {
    const double* w = weights.data() + static_cast<std::size_t>(rows.features[i]) * outputs;
    for (std::size_t k = 0; k < outputs; ++k) scores[k] += rows.values[i] * w[k];
  }
}

// Turns the scores of one sample into d loss / d score and returns its loss.
double loss_of(std::span<double> scores, std::int32_t label) {
  if (scores.size() == 1) {  // log odds z of class 1: loss = log(1 + exp(-z)) or log(1 + exp(z))
    const double z = label == 1 ? scores[0] : -scores[0];
    const double loss = z > 0 ? std::log1p(std::exp(-z)) : -z + std::log1p(std::exp(z));
    const double wrong = z > 0 ? std::exp(-z) / (1 + std::exp(-z)) : 1 / (1 + std::exp(z));
    scores[0] = label == 1 ? -wrong : wrong;
    return loss;
  }
  const double top = *std::max_element(scores.begin(), scores.end());
  const double own = scores[static_cast<std::size_t>(label)] - top;
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - top);
  for (double& score : scores) score /= sum;
  scores[static_cast<std::size_t>(label)] -= 1;
  return std::log(sum) - own;
}

// The objective divided by strength * rows, so that its scale does not depend on the amount of data.
class LogisticObjective {
 public:
  LogisticObjective(const SparseRows& rows, std::span<const std::int32_t> labels, std::int64_t feature_count,
                    std::int64_t outputs, double strength)
      : rows_(rows),
        labels_(labels),
        features_(feature_count),
        outputs_(static_cast<std::size_t>(outputs)),
        columns_(transposed(rows, feature_count)),
        penalty_(1 / (strength * static_cast<double>(rows.rows()))),
        slopes_(labels.size() * outputs_),
        losses_(labels.size()) {}

  double operator()(std::span<const double> weights, std::span<double> gradient) {
    const double share = 1 / static_cast<double>(rows_.rows());
    for_each_block(rows_.rows(), [&](std::int64_t r) {
      const std::span<double> slopes(slopes_.data() + static_cast<std::size_t>(r) * outputs_, outputs_);
      score_row(rows_, r, weights, slopes);
      losses_[static_cast<std::size_t>(r)] = loss_of(slopes, labels_[static_cast<std::size_t>(r)]);
    });
    for_each_block(features_, [&](std::int64_t f) {
      const auto at = static_cast<std::size_t>(f);
      double* g = gradient.data() + at * outputs_;
      for (std::size_t k = 0; k < outputs_; ++k) g[k] = penalty_ * weights[at * outputs_ + k];
      for (auto i = static_cast<std::size_t>(columns_.starts[at]);
           i < static_cast<std::size_t>(columns_.starts[at + 1]); ++i) {
        const double* slopes = slopes_.data() + static_cast<std::size_t>(columns_.rows[i]) * outputs_;
        for (std::size_t k = 0; k < outputs_; ++k) g[k] += share * columns_.values[i] * slopes[k];
      }
    });
    double* intercept = gradient.data() + static_cast<std::size_t>(features_) * outputs_;
    std::fill_n(intercept, outputs_, 0.0);
    double loss = 0, squares = 0;
    for (std::size_t r = 0; r < losses_.size(); ++r) {
      loss += losses_[r];
      for (std::size_t k = 0; k < outputs_; ++k) intercept[k] += share * slopes_[r * outputs_ + k];
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(features_) * outputs_; ++i) squares += weights[i] * weights[i];
    return share * loss + penalty_ * squares / 2;
  }

 private:
  const SparseRows& rows_;
  std::span<const std::int32_t> labels_;
  std::int64_t features_;
  std::size_t outputs_;
  SparseColumns columns_;
  double penalty_;
  std::vector<double> slopes_, losses_;  // [rows, outputs], [rows]
};

}  // namespace

LogisticRegression LogisticRegression::fit(const SparseRows& rows, std::span<const std::int32_t> labels,
                                           std::int64_t classes, std::int64_t feature_count,
                                           const LogisticOptions& options) {
  if (classes < 2) fail(Code::kUsage, "logistic regression: {} classes, expected at least 2", classes);
  if (rows.rows() != static_cast<std::int64_t>(labels.size()) || labels.empty()) {
    fail(Code::kUsage, "logistic regression: {} rows and {} labels, expected as many of both and at least 1",
         rows.rows(), labels.size());
  }
  for (std::int32_t label : labels) {
    if (label < 0 || label >= classes) {
      fail(Code::kUsage, "logistic regression: label {} is outside 0 .. {}", label, classes - 1);
    }
  }
  LogisticRegression model;
  model.classes_ = classes;
  model.feature_count_ = feature_count;
  model.outputs_ = classes == 2 ? 1 : classes;
  const std::int64_t size = checked_size({feature_count + 1, model.outputs_}, "logistic regression: weights");
  model.weights_.assign(static_cast<std::size_t>(size), 0.0);
  LogisticObjective objective(rows, labels, feature_count, model.outputs_, options.strength);
  const auto call = [&](std::span<const double> x, std::span<double> gradient) { return objective(x, gradient); };
  minimise_lbfgs(call, model.weights_, {options.max_iterations, options.tolerance});
  return model;
}

std::vector<std::int32_t> LogisticRegression::predict(const SparseRows& rows) const {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(rows.rows()));
  for_each_block(rows.rows(), [&](std::int64_t r) {
    std::vector<double> scores(static_cast<std::size_t>(outputs_));
    score_row(rows, r, weights_, scores);
    const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
    labels[static_cast<std::size_t>(r)] = outputs_ == 1 ? (scores[0] > 0 ? 1 : 0) : static_cast<std::int32_t>(best);
  });
  return labels;
}

double LogisticRegression::weight(std::int64_t label, std::int64_t feature) const {
  if (outputs_ == 1) return label == 1 ? weights_[static_cast<std::size_t>(feature)] : 0;
  return weights_[static_cast<std::size_t>(feature * outputs_ + label)];
}

}  // namespace carousel
