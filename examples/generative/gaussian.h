// gaussian.h: normal distributions with a diagonal covariance, one for each row.
#pragma once

#include <carousel/carousel.h>

namespace generative {

struct Gaussian {
  carousel::Variable mean, log_variance;  // [rows, Z]
};

// From the output of a layer with two columns for each number, [rows, 2 Z].
inline Gaussian split_gaussian(const carousel::Variable& columns) {
  const std::int64_t size = columns.shape().back() / 2;
  return {select_columns(columns, 0, size), select_columns(columns, size, size)};
}

// One number of each, through which gradients reach mean and variance (Kingma and Welling 2014). [rows, Z]
inline carousel::Variable draw_sample(carousel::Graph& graph, const Gaussian& q) {
  return q.mean + exp(0.5 * q.log_variance) * graph.normal(q.mean.shape());
}

// KL(q, p) = 1/2 sum over Z of log(v_p / v_q) + (v_q + (m_q - m_p)^2) / v_p - 1, at least 0. [rows]
inline carousel::Variable divergence(const Gaussian& q, const Gaussian& p) {
  const carousel::Variable apart = q.mean - p.mean;
  const carousel::Variable ratio = (exp(q.log_variance) + apart * apart) * exp(-1 * p.log_variance);
  return row_sums(scale(p.log_variance - q.log_variance + ratio, 0.5, -0.5));
}

// log q(z) - log p(z): KL(q, p) is its mean over z drawn from q. [rows]
inline carousel::Variable log_ratio(const Gaussian& q, const Gaussian& p, const carousel::Variable& z) {
  const auto squared = [&](const Gaussian& of) {
    const carousel::Variable apart = z - of.mean;
    return apart * apart * exp(-1 * of.log_variance);
  };
  return row_sums(0.5 * (p.log_variance - q.log_variance + squared(p) - squared(q)));
}

}  // namespace generative
