#include "train/optimizer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "kernels/optimizer.h"

namespace carousel {
namespace {

void check_at_least_zero(std::string_view thing, double value) {
  if (!(value >= 0) || !std::isfinite(value)) {
    fail(Code::kUsage, "optimizer: {} is {}, expected a finite number of at least 0", thing, value);
  }
}

void check_share(std::string_view thing, double value) {
  if (!(value >= 0 && value < 1)) {
    fail(Code::kUsage, "optimizer: {} is {}, expected at least 0 and less than 1", thing, value);
  }
}

kernels::Weights weights_of(Parameter& parameter, double weight_decay) {
  return {.count = parameter.value.elements(),
          .w = parameter.value.data(),
          .gradient = parameter.gradient.data(),
          .weight_decay = static_cast<float>(weight_decay)};
}

template <class Options>
void check_adam(const Options& options) {
  check_share("beta1", options.beta1);
  check_share("beta2", options.beta2);
  check_at_least_zero("epsilon", options.epsilon);
  check_at_least_zero("weight_decay", options.weight_decay);
}

constexpr std::array<std::pair<std::string_view, OptimizerKind>, 5> kNames{{{"sgd", OptimizerKind::kSgd},
                                                                            {"adam", OptimizerKind::kAdam},
                                                                            {"adamw", OptimizerKind::kAdamW},
                                                                            {"rmsprop", OptimizerKind::kRmsprop},
                                                                            {"adagrad", OptimizerKind::kAdagrad}}};

}  // namespace

Optimizer::Optimizer(std::vector<Parameter*> parameters, double learning_rate, std::vector<std::string> slot_names,
                     float initial_slot)
    : parameters_(std::move(parameters)), slot_names_(std::move(slot_names)), slots_(parameters_.size()) {
  set_learning_rate(learning_rate);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i]->make_gradient();
    for (std::size_t slot = 0; slot < slot_names_.size(); ++slot) {
      slots_[i][slot] = Tensor(parameters_[i]->value.shape());
      slots_[i][slot].fill(initial_slot);
    }
  }
}

void Optimizer::step() {
  ++steps_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) update(*parameters_[i], slots_[i]);
}

void Optimizer::zero_gradients() noexcept {
  for (Parameter* parameter : parameters_) parameter->gradient.fill(0);
}

void Optimizer::set_learning_rate(double rate) {
  check_at_least_zero("the learning rate", rate);
  learning_rate_ = rate;
}

std::vector<std::pair<std::string, Tensor*>> Optimizer::slots() {
  std::vector<std::pair<std::string, Tensor*>> all;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    for (std::size_t slot = 0; slot < slot_names_.size(); ++slot) {
      all.emplace_back(parameters_[i]->name + "." + slot_names_[slot], &slots_[i][slot]);
    }
  }
  return all;
}

void Optimizer::set_steps(std::int64_t steps) {
  if (steps < 0) fail(Code::kUsage, "optimizer: {} steps, expected at least 0", steps);
  steps_ = steps;
}

OptimizerState Optimizer::state() const {
  OptimizerState state{steps_, {}};
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    for (std::size_t slot = 0; slot < slot_names_.size(); ++slot) {
      state.tensors.emplace_back(parameters_[i]->name + "." + slot_names_[slot], slots_[i][slot]);
    }
  }
  return state;
}

void Optimizer::load_state(const OptimizerState& state) {
  const std::vector<std::pair<std::string, Tensor*>> expected = slots();
  if (state.steps < 0 || state.tensors.size() != expected.size()) {
    fail(Code::kUsage, "optimizer state: {} tensors after {} steps, expected {} tensors", state.tensors.size(),
         state.steps, expected.size());
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, tensor] = state.tensors[i];
    const auto& [expected_name, expected_tensor] = expected[i];
    if (name != expected_name || tensor.shape() != expected_tensor->shape()) {
      fail(Code::kUsage, "optimizer state: tensor {} is '{}' {}, expected '{}' {}", i, name, tensor.shape().to_string(),
           expected_name, expected_tensor->shape().to_string());
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) *expected[i].second = state.tensors[i].second;
  steps_ = state.steps;
}

Sgd::Sgd(std::vector<Parameter*> parameters, const SgdOptions& options)
    : Optimizer(std::move(parameters), options.lr,
                options.momentum == 0 ? std::vector<std::string>{} : std::vector<std::string>{"momentum_buffer"}),
      options_(options) {
  check_at_least_zero("momentum", options.momentum);
  check_at_least_zero("weight_decay", options.weight_decay);
}

void Sgd::update(Parameter& parameter, Slots& slots) {
  kernels::sgd_step(weights_of(parameter, options_.weight_decay), static_cast<float>(learning_rate()),
                    static_cast<float>(options_.momentum), false, slots[0].data());
}

Adam::Adam(std::vector<Parameter*> parameters, const AdamOptions& options)
    : Optimizer(std::move(parameters), options.lr, {"exp_avg", "exp_avg_sq"}), options_(options) {
  check_adam(options);
}

void Adam::update(Parameter& parameter, Slots& slots) {
  kernels::adam_step(weights_of(parameter, options_.weight_decay),
                     {learning_rate(), options_.beta1, options_.beta2, options_.epsilon}, steps(), slots[0].data(),
                     slots[1].data());
}

AdamW::AdamW(std::vector<Parameter*> parameters, const AdamWOptions& options)
    : Optimizer(std::move(parameters), options.lr, {"exp_avg", "exp_avg_sq"}), options_(options) {
  check_adam(options);
}

void AdamW::update(Parameter& parameter, Slots& slots) {
  kernels::adamw_step(weights_of(parameter, options_.weight_decay),
                      {learning_rate(), options_.beta1, options_.beta2, options_.epsilon}, steps(), slots[0].data(),
                      slots[1].data());
}

Rmsprop::Rmsprop(std::vector<Parameter*> parameters, const RmspropOptions& options)
    : Optimizer(std::move(parameters), options.lr,
                options.momentum == 0 ? std::vector<std::string>{"square_avg"}
                                      : std::vector<std::string>{"square_avg", "momentum_buffer"}),
      options_(options) {
  check_share("alpha", options.alpha);
  check_at_least_zero("epsilon", options.epsilon);
  check_at_least_zero("weight_decay", options.weight_decay);
  check_at_least_zero("momentum", options.momentum);
}

void Rmsprop::update(Parameter& parameter, Slots& slots) {
  const auto f = [](double value) { return static_cast<float>(value); };
  kernels::rmsprop_step(weights_of(parameter, options_.weight_decay),
                        {f(learning_rate()), f(options_.alpha), f(options_.epsilon), f(options_.momentum)},
                        slots[0].data(), slots[1].data());
}

Adagrad::Adagrad(std::vector<Parameter*> parameters, const AdagradOptions& options)
    : Optimizer(std::move(parameters), options.lr, {"sum"}, static_cast<float>(options.initial_accumulator)),
      options_(options) {
  check_at_least_zero("lr_decay", options.lr_decay);
  check_at_least_zero("weight_decay", options.weight_decay);
  check_at_least_zero("initial_accumulator", options.initial_accumulator);
  check_at_least_zero("epsilon", options.epsilon);
}

void Adagrad::update(Parameter& parameter, Slots& slots) {
  const double rate = learning_rate() / (1 + static_cast<double>(steps() - 1) * options_.lr_decay);
  kernels::adagrad_step(weights_of(parameter, options_.weight_decay), static_cast<float>(rate),
                        static_cast<float>(options_.epsilon), slots[0].data());
}

OptimizerKind parse_optimizer(std::string_view name) {
  for (const auto& [known, kind] : kNames) {
    if (known == name) return kind;
  }
  fail(Code::kUsage, "optimizer '{}' is not known, expected sgd, adam, adamw, rmsprop or adagrad", name);
}

std::unique_ptr<Optimizer> make_optimizer(std::vector<Parameter*> parameters, const OptimizerOptions& options) {
  switch (options.kind) {
    case OptimizerKind::kSgd:
      return std::make_unique<Sgd>(std::move(parameters),
                                   SgdOptions{options.lr, options.momentum, options.weight_decay});
    case OptimizerKind::kAdam:
      return std::make_unique<Adam>(std::move(parameters),
                                    AdamOptions{.lr = options.lr, .weight_decay = options.weight_decay});
    case OptimizerKind::kAdamW:
      return std::make_unique<AdamW>(std::move(parameters),
                                     AdamWOptions{.lr = options.lr, .weight_decay = options.weight_decay});
    case OptimizerKind::kRmsprop:
      return std::make_unique<Rmsprop>(
          std::move(parameters),
          RmspropOptions{.lr = options.lr, .weight_decay = options.weight_decay, .momentum = options.momentum});
    case OptimizerKind::kAdagrad:
      return std::make_unique<Adagrad>(std::move(parameters),
                                       AdagradOptions{.lr = options.lr, .weight_decay = options.weight_decay});
  }
  fail(Code::kInternal, "optimizer kind {} is not known", static_cast<int>(options.kind));
}

}  // namespace carousel
