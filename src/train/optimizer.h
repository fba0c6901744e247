// optimizer.h: an optimiser by name, for training from options. The classes themselves are in carousel/optim.h.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "carousel/optim.h"

namespace carousel {

enum class OptimizerKind { kSgd, kAdam, kAdamW, kRmsprop, kAdagrad };

// "sgd", "adam", "adamw", "rmsprop" or "adagrad"; throws Error{kUsage} that lists them.
OptimizerKind parse_optimizer(std::string_view name);

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double lr = 1e-3;
  double momentum = 0;      // kSgd and kRmsprop only
  double weight_decay = 0;  // kAdamW: decoupled; the others: added to the gradient
};

// Throws Error{kUsage} if an option is out of range.
std::unique_ptr<Optimizer> make_optimizer(std::vector<Parameter*> parameters, const OptimizerOptions& options);

}  // namespace carousel
