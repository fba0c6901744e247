// optim.h: optimisers and gradient clipping.
//
//   Adam adam(net.parameters(), {.lr = 1e-3});
//   backward(loss);
//   clip_grad_norm(net.parameters(), 1.0);
//   adam.step();
//
// g is the gradient, w the weight, t the number of this step from 1. Rules and defaults are PyTorch's. step() changes
// the weights and then zeroes the gradients. An optimiser borrows the parameters, which must outlive it and keep their
// shapes. Options out of range throw Error{kUsage}.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "carousel/autograd.h"
#include "carousel/tensor.h"

namespace carousel {

// What an optimiser remembers between steps, by PyTorch's names: "lstm.weight_hh_l0.exp_avg".
struct OptimizerState {
  std::int64_t steps = 0;
  std::vector<std::pair<std::string, Tensor>> tensors;
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  void step();  // one update of every parameter, then all gradients are zero; allocates nothing
  void zero_gradients() noexcept;
  double learning_rate() const noexcept { return learning_rate_; }
  void set_learning_rate(double rate);  // REQUIRES: finite, at least 0
  std::int64_t steps() const noexcept { return steps_; }
  int slot_count() const noexcept { return static_cast<int>(slot_names_.size()); }  // values kept per weight
  const std::vector<Parameter*>& parameters() const noexcept { return parameters_; }

  OptimizerState state() const;
  void load_state(const OptimizerState& state);  // throws Error{kUsage} if names, order or shapes differ

  // The same without copies, for checkpoints: the tensors of state() where they lie, and the number of steps done.
  std::vector<std::pair<std::string, Tensor*>> slots();
  void set_steps(std::int64_t steps);  // throws Error{kUsage} if negative

 protected:
  static constexpr int kMaxSlots = 2;
  using Slots = std::array<Tensor, kMaxSlots>;  // what is kept for one parameter

  Optimizer(std::vector<Parameter*> parameters, double learning_rate, std::vector<std::string> slot_names,
            float initial_slot = 0);
  virtual void update(Parameter& parameter, Slots& slots) = 0;  // steps() is already t; leaves the gradient zero

 private:
  std::vector<Parameter*> parameters_;
  std::vector<std::string> slot_names_;
  std::vector<Slots> slots_;  // per parameter
  double learning_rate_;
  std::int64_t steps_ = 0;
};

// g += weight_decay w      b = momentum b + g      w -= lr b
struct SgdOptions {
  double lr = 1e-3, momentum = 0, weight_decay = 0;
};
class Sgd final : public Optimizer {
 public:
  explicit Sgd(std::vector<Parameter*> parameters, const SgdOptions& options = {});

 private:
  void update(Parameter& parameter, Slots& slots) override;
  SgdOptions options_;
};

// g += weight_decay w      m = beta1 m + (1 - beta1) g      v = beta2 v + (1 - beta2) g^2
// w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)                        (Kingma and Ba 2015)
struct AdamOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0;
};
class Adam final : public Optimizer {
 public:
  explicit Adam(std::vector<Parameter*> parameters, const AdamOptions& options = {});

 private:
  void update(Parameter& parameter, Slots& slots) override;
  AdamOptions options_;
};

// w *= 1 - lr weight_decay, then as Adam without decay in g                       (Loshchilov and Hutter 2019)
struct AdamWOptions {
  double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 1e-2;
};
class AdamW final : public Optimizer {
 public:
  explicit AdamW(std::vector<Parameter*> parameters, const AdamWOptions& options = {});

 private:
  void update(Parameter& parameter, Slots& slots) override;
  AdamWOptions options_;
};

// g += weight_decay w      v = alpha v + (1 - alpha) g^2      b = momentum b + g / (sqrt(v) + epsilon)      w -= lr b
struct RmspropOptions {
  double lr = 1e-2, alpha = 0.99, epsilon = 1e-8, weight_decay = 0, momentum = 0;
};
class Rmsprop final : public Optimizer {
 public:
  explicit Rmsprop(std::vector<Parameter*> parameters, const RmspropOptions& options = {});

 private:
  void update(Parameter& parameter, Slots& slots) override;
  RmspropOptions options_;
};

// g += weight_decay w      s += g^2      w -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + epsilon)      (Duchi et al.
// 2011)
struct AdagradOptions {
  double lr = 1e-2, lr_decay = 0, weight_decay = 0, initial_accumulator = 0, epsilon = 1e-10;
};
class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(std::vector<Parameter*> parameters, const AdagradOptions& options = {});

 private:
  void update(Parameter& parameter, Slots& slots) override;
  AdagradOptions options_;
};

// Scales all gradients by min(1, max_norm / (norm + 1e-6)), norm being that of all of them together; returns the norm
// before. A norm that is NaN or infinite leaves the gradients as they are. REQUIRES: max_norm > 0.
double clip_grad_norm(const std::vector<Parameter*>& parameters, double max_norm);

// Clamps every element of every gradient to -max_value .. max_value; NaN stays. True if that changed one.
// REQUIRES: max_value > 0.
bool clip_grad_value(const std::vector<Parameter*>& parameters, double max_value);

}  // namespace carousel
