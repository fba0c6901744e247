// optimizer.h: what an optimiser does to one parameter, in one pass over its memory.
//
// Each step reads the gradient and leaves zeros there, multiplies it by gradient_scale (clipping, averaging over
// accumulated batches), updates the optimiser's own arrays, which the caller keeps and starts at zero, and the weights.
// All arrays have `count` elements. Equations are PyTorch's (torch.optim); g is gradient_scale * gradient, plus
// weight_decay w except in AdamW. Elements are independent and split over the thread pool: the same bits for any number
// of threads.
#pragma once

#include <cstdint>

namespace carousel::kernels {

struct Weights {
  std::int64_t count = 0;
  float* w = nullptr;
  float* gradient = nullptr;
  float gradient_scale = 1;
  float weight_decay = 0;
};

// v = momentum v + g     w = w - lr v     (nesterov: w - lr (g + momentum v)). With momentum 0, v may be null.
void sgd_step(const Weights& weights, float lr, float momentum, bool nesterov, float* v);

// m = beta1 m + (1 - beta1) g     v = beta2 v + (1 - beta2) g^2     t: how many steps, this one included
// w = w - lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + epsilon)
struct AdamRates {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};
void adam_step(const Weights& weights, const AdamRates& rates, std::int64_t t, float* m, float* v);
// The same with w first shrunk by 1 - lr weight_decay (Loshchilov & Hutter 2019).
void adamw_step(const Weights& weights, const AdamRates& rates, std::int64_t t, float* m, float* v);

// v = alpha v + (1 - alpha) g^2     b = momentum b + g / (sqrt(v) + epsilon)     w = w - lr b
// With momentum 0, b may be null.
struct RmspropRates {
  float lr = 1e-2f, alpha = 0.99f, epsilon = 1e-8f, momentum = 0;
};
void rmsprop_step(const Weights& weights, const RmspropRates& rates, float* v, float* b);

// s = s + g^2     w = w - lr g / (sqrt(s) + epsilon)
void adagrad_step(const Weights& weights, float lr, float epsilon, float* s);

}  // namespace carousel::kernels
