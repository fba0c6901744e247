// logistic_regression.h: multinomial logistic regression on sparse features, in double.
//
//   p(k | x) = exp(w_k x + b_k) / sum_j exp(w_j x + b_j)
//   minimise  strength sum_n -log p(y_n | x_n) + |w|^2 / 2        (the intercepts b are not penalised)
// by L-BFGS (Liu and Nocedal 1989). Two classes have one w, the log odds of class 1, so that strength means what it
// means elsewhere for binary problems. The objective is convex: there is one answer, whatever the way to it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace carousel {

// Rows of (feature, value) pairs, one behind the other.
struct SparseRows {
  std::vector<std::int64_t> starts{0};  // [rows + 1]: row r is starts[r] .. starts[r+1]-1
  std::vector<std::int32_t> features;
  std::vector<float> values;

  std::int64_t rows() const noexcept { return static_cast<std::int64_t>(starts.size()) - 1; }
  void end_row() { starts.push_back(static_cast<std::int64_t>(features.size())); }
};

struct LogisticOptions {
  double strength = 1;  // C: how much the data counts against the penalty
  int max_iterations = 200;
  double tolerance = 1e-5;  // stops when no component of the gradient / (strength rows) is larger
};

class LogisticRegression {
 public:
  // labels [rows] in 0 .. classes-1. Throws Error{kUsage} if classes < 2, the counts differ or a label is out of range.
  static LogisticRegression fit(const SparseRows& rows, std::span<const std::int32_t> labels, std::int64_t classes,
                                std::int64_t feature_count, const LogisticOptions& options = {});

  std::vector<std::int32_t> predict(const SparseRows& rows) const;  // the likeliest class; the first of equals
  // w of a class and a feature; its b has feature = feature_count. Two classes: class 1 has them, class 0 has 0.
  double weight(std::int64_t label, std::int64_t feature) const;
  std::int64_t classes() const noexcept { return classes_; }

 private:
  std::int64_t classes_ = 0, feature_count_ = 0, outputs_ = 0;  // outputs: 1 for two classes, else classes
  std::vector<double> weights_;                                 // [feature_count + 1, outputs], the last row is b
};

}  // namespace carousel
