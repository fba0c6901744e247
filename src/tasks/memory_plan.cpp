#include "tasks/memory_plan.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/fail.h"
#include "tasks/training_run.h"

namespace carousel {
namespace {

constexpr std::int64_t kProgramBytes = 30'000'000;  // code, ICU's data, stacks, baselines: before any data

// "3.2 MB", "310 MB", "12.4 GB".
std::string memory_text(std::int64_t bytes) {
  const double megabytes = static_cast<double>(bytes) / 1e6;
  if (megabytes >= 9999.5) return fmt::format("{:.1f} GB", megabytes / 1e3);
  return fmt::format("{:.{}f} MB", megabytes, megabytes < 9.95 ? 1 : 0);
}

// The padded samples, and the vectors of a SequenceLayout.
std::int64_t batch_bytes(const PassSizes& sizes) {
  const std::int64_t values = sizes.time_steps * sizes.samples * std::max<std::int64_t>(sizes.features, 1);
  return 4 * values + 16 * (sizes.rows + sizes.time_steps) + 24 * sizes.samples;
}

struct Plan {
  std::int64_t checkpoint_steps = 0;
  StepMemory step;
  std::int64_t process = 0;
};

Plan plan_for(TaskProblem& problem, const MemoryNeeds& needs, const TrainerOptions& options,
              std::int64_t checkpoint_steps) {
  Plan plan{checkpoint_steps, step_memory(problem, needs, options, checkpoint_steps), kProgramBytes};
  plan.process += plan.step.sum() + needs.data_bytes + batch_bytes(needs.validation);
  plan.process += inference_pass_bytes(needs.network, needs.validation);
  for (const PassNeeds& pass : needs.beside) {
    plan.process += batch_bytes(pass.validation) + inference_pass_bytes(pass.network, pass.validation);
  }
  return plan;
}

// The one that keeps most of those that fit, or the one that takes least.
Plan choose(TaskProblem& problem, const MemoryNeeds& needs, const TrainerOptions& options, std::int64_t cap) {
  Plan best = plan_for(problem, needs, options, 0);
  for (std::int64_t steps = needs.training.time_steps / 2; best.process > cap && steps >= 1; steps /= 2) {
    const Plan plan = plan_for(problem, needs, options, steps);
    if (plan.process < best.process) best = plan;
  }
  return best;
}

}  // namespace

std::string TaskProblem::describe(const Parameter& parameter, std::int64_t element) {
  return describe_weight(network_, parameter, element);
}

StepMemory step_memory(TaskProblem& problem, const MemoryNeeds& needs, const TrainerOptions& options,
                       std::int64_t checkpoint_steps) {
  std::int64_t elements = 0;
  for (const Parameter* parameter : problem.parameters()) elements += parameter->value.elements();
  const std::int64_t copies =
      options.average_decay > 0 || options.average_on_plateau ? 2 : 1;  // the best weights, and the average
  std::vector<PassPart> parts = needs.below;
  parts.push_back({.network = needs.network, .sizes = needs.training, .reads_values = parts.empty()});
  parts.back().sizes.checkpoint_steps = checkpoint_steps;
  parts.insert(parts.end(), needs.above.begin(), needs.above.end());
  PassSizes read = needs.training;
  if (!needs.below.empty()) read.features = 0;  // ids, which become numbers below
  StepMemory memory{.weights = 8 * elements,
                    .optimizer = 4 * elements * (make_optimizer({}, options.optimizer)->slot_count() + copies),
                    .activations = training_pass_bytes(parts),
                    .batch = batch_bytes(read)};
  for (const PassNeeds& pass : needs.beside) {
    memory.activations += training_pass_bytes(pass.network, pass.training);
    memory.batch += batch_bytes(pass.training);
  }
  return memory;
}

TrainSummary train_within(const std::string& max_memory, TaskProblem& problem, TrainerOptions options,
                          Observer& observer) {
  const MemoryNeeds needs = problem.memory_needs();
  const std::optional<std::int64_t> cap = parse_memory_size(max_memory);
  const Plan plan = choose(problem, needs, options, cap.value_or(std::numeric_limits<std::int64_t>::max()));
  if (cap && plan.process > *cap) {
    fail(Code::kUsage,
         "--max-memory {}: training takes at least {} ({} of it for the data set and the program); allow that, or "
         "choose "
         "a smaller --batch-size, --hidden-size or --layers",
         max_memory, memory_text(plan.process + 500'000), memory_text(needs.data_bytes + kProgramBytes));
  }
  observer.note(fmt::format("memory: about {} a training step (weights {}, optimiser {}, activations {}, batch {})",
                            memory_text(plan.step.sum()), memory_text(plan.step.weights),
                            memory_text(plan.step.optimizer), memory_text(plan.step.activations),
                            memory_text(plan.step.batch)));
  if (cap && plan.checkpoint_steps == 0) {
    observer.note(fmt::format("max memory: {} in all, nothing has to be computed twice", memory_text(plan.process)));
  } else if (cap) {
    const Plan whole = plan_for(problem, needs, options, 0);
    observer.note(
        fmt::format("max memory: {} in all instead of {}: states are kept every {} time steps only; recomputes "
                    "each forward step once",
                    memory_text(plan.process), memory_text(whole.process), plan.checkpoint_steps));
  }
  problem.checkpoint_steps = plan.checkpoint_steps;
  options.arena_bytes = plan.step.activations + plan.step.activations / 32;  // with the loss
  return train(problem, options, observer);
}

}  // namespace carousel
