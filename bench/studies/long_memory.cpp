// How long does a cell remember? Trains a network on the adding or the copying task until it solves it.
//
//   bench_long_memory TASK T CELL [SEED [UPDATES [LR [CHRONO]]]]     prints one JSON object; TASK: adding, copying
//
// Solved is: on 128 fresh sequences, looked at after every 50 updates, a squared error under 0.01 (baseline 0.167), or
// all symbols copied right and a cross entropy under a tenth of the baseline 10 ln 8 / (T + 20). Each update is a batch
// of 32 fresh sequences, Adam, gradients clipped to norm 1. Adding: 64 units, a constant learning rate; copying: 128,
// and the rate falls to zero along a cosine over UPDATES. One layer; cells without a product of the hidden state, whose
// units do not see each other, have two layers. Learning rates: see settings_of(); CHRONO: RecurrentOptions::chrono.
// One thread.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <numbers>
#include <random>
#include <string>

#include "base/thread_pool.h"
#include "carousel/carousel.h"
#include "long_memory_tasks.h"

namespace {

using namespace carousel;

constexpr std::int64_t kBatchSize = 32, kTestSize = 128, kUpdatesBetweenTests = 50;

struct Settings {
  std::int64_t layers = 1;
  double lr = 0;
  std::string periods = {};
};

// One learning rate for each family: plain units, units that see only themselves, gates.
Settings settings_of(const std::string& cell) {
  if (cell.starts_with("rnn")) return {.lr = 1e-3};
  if (cell == "clockwork") return {.lr = 1e-3, .periods = "1,2,4,8,16,32,64,128"};
  if (cell.starts_with("indrnn")) return {.layers = 2, .lr = 3e-3};
  return {.layers = cell.starts_with("min_") || cell == "sru" ? 2 : 1, .lr = 1e-2};
}

struct Score {
  double loss = 0;
  bool all_right = false;  // copying: every symbol; adding: the error is small enough
};

class AddingTask {
 public:
  static constexpr std::int64_t kInputs = 2, kOutputs = 1, kHiddenSize = 64;
  static constexpr bool kCosine = false;
  explicit AddingTask(std::int64_t time_steps) : time_steps_(time_steps) {}
  double baseline() const { return bench::adding_baseline(); }
  static double solved_loss() { return 0.01; }

  // The loss of one batch, its gradients added to the parameters'.
  double learn(Sequential& network, std::mt19937& random) const {
    const bench::AddingBatch batch = bench::draw_adding(time_steps_, kBatchSize, random);
    const Variable loss = mse(network(batch.inputs), batch.targets);
    backward(loss);
    return loss.item();
  }
  Score score(Sequential& network, std::mt19937& random) const {
    const bench::AddingBatch batch = bench::draw_adding(time_steps_, kTestSize, random);
    const Tensor sums = network.predict(batch.inputs);
    double squares = 0;
    for (std::int64_t n = 0; n < kTestSize; ++n) squares += std::pow(sums[n] - batch.targets[n], 2);
    return {squares / kTestSize, true};
  }

 private:
  std::int64_t time_steps_;
};

class CopyingTask {
 public:
  static constexpr std::int64_t kInputs = bench::kCopyMark + 1, kOutputs = bench::kCopyBlank + 1, kHiddenSize = 128;
  static constexpr bool kCosine = true;
  explicit CopyingTask(std::int64_t time_steps) : time_steps_(time_steps) {}
  double baseline() const { return bench::copying_baseline(time_steps_); }
  double solved_loss() const { return 0.1 * baseline(); }

  double learn(Sequential& network, std::mt19937& random) const {
    const bench::CopyingBatch batch = bench::draw_copying(time_steps_, kBatchSize, random);
    const Variable loss = cross_entropy(network(batch.inputs), batch.labels);
    backward(loss);
    return loss.item();
  }
  Score score(Sequential& network, std::mt19937& random) const {
    const bench::CopyingBatch batch = bench::draw_copying(time_steps_, kTestSize, random);
    const Tensor logits = network.predict(batch.inputs);
    Score score{0, true};
    for (std::int64_t row = 0; row < batch.labels.elements(); ++row) {
      const float* z = logits.data() + row * kOutputs;
      const std::int32_t label = batch.labels[row];
      double sum = 0;
      for (std::int64_t k = 0; k < kOutputs; ++k) sum += std::exp(static_cast<double>(z[k]) - z[label]);
      score.loss += std::log(sum) / static_cast<double>(batch.labels.elements());
      const bool asked = row >= (time_steps_ + bench::kSymbolsToCopy) * kTestSize;
      if (asked && std::max_element(z, z + kOutputs) - z != label) score.all_right = false;
    }
    return score;
  }

 private:
  std::int64_t time_steps_;
};

struct Arguments {
  std::string task, cell;
  std::int64_t time_steps = 0, seed = 1, updates = 2000;
  double lr = 0;            // 0: that of the cell's family
  std::int64_t chrono = 0;  // 0: none
};

template <class Task>
Sequential make_network(const Arguments& arguments, const Settings& settings) {
  Sequential network;
  network.add("recurrent", std::make_unique<Recurrent>(RecurrentOptions{.cell = arguments.cell,
                                                                        .input_size = Task::kInputs,
                                                                        .hidden_size = Task::kHiddenSize,
                                                                        .layers = settings.layers,
                                                                        .periods = settings.periods,
                                                                        .chrono = arguments.chrono}));
  if (arguments.task == "adding") network.add("pool", std::make_unique<Pool>("last"));
  network.add("output", std::make_unique<Linear>(Task::kHiddenSize, Task::kOutputs));
  network.initialize(static_cast<std::uint64_t>(arguments.seed));
  return network;
}

template <class Task>
void run(const Arguments& arguments) {
  const Task task(arguments.time_steps);
  Settings settings = settings_of(arguments.cell);
  if (arguments.lr > 0) settings.lr = arguments.lr;
  Sequential network = make_network<Task>(arguments, settings);
  Adam adam(network.parameters(), {.lr = settings.lr});
  std::mt19937 random(static_cast<std::uint32_t>(arguments.seed));
  std::mt19937 fresh(static_cast<std::uint32_t>(arguments.seed) + 1'000'000);
  const std::clock_t start = std::clock();
  Score score;
  std::int64_t updates = 0;
  bool solved = false, diverged = false;
  while (!solved && !diverged && updates < arguments.updates) {
    if (Task::kCosine) {
      const double share = static_cast<double>(updates) / static_cast<double>(arguments.updates);
      adam.set_learning_rate(settings.lr * (1 + std::cos(std::numbers::pi * share)) / 2);
    }
    diverged = !std::isfinite(task.learn(network, random));
    clip_grad_norm(network.parameters(), 1);
    adam.step();
    if (++updates % kUpdatesBetweenTests != 0) continue;
    score = task.score(network, fresh);
    solved = score.all_right && score.loss < task.solved_loss();
  }
  std::int64_t parameters = 0;
  for (const Parameter* parameter : network.parameters()) parameters += parameter->value.elements();
  std::printf(
      "{\"task\": \"%s\", \"time_steps\": %ld, \"cell\": \"%s\", \"seed\": %ld, \"layers\": %ld, \"lr\": %g, "
      "\"chrono\": %ld, \"parameters\": %ld, \"result\": \"%s\", \"updates\": %ld, \"loss\": %.5f, \"baseline\": %.5f, "
      "\"cpu_seconds\": %.1f}\n",
      arguments.task.c_str(), static_cast<long>(arguments.time_steps), arguments.cell.c_str(),
      static_cast<long>(arguments.seed), static_cast<long>(settings.layers), settings.lr,
      static_cast<long>(arguments.chrono), static_cast<long>(parameters),
      diverged ? "diverged"
      : solved ? "solved"
               : "not solved",
      static_cast<long>(updates), score.loss, task.baseline(),
      static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
}

// A number of at least `least`, and nothing behind it.
template <class Number>
bool read_number(const char* text, Number least, Number& number) {
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end && number >= least;
}

bool read_arguments(int argc, char** argv, Arguments& arguments) {
  if (argc < 4 || argc > 8) return false;
  arguments.task = argv[1];
  arguments.cell = argv[3];
  return (arguments.task == "adding" || arguments.task == "copying") &&
         read_number<std::int64_t>(argv[2], 2, arguments.time_steps) &&
         (argc < 5 || read_number<std::int64_t>(argv[4], 0, arguments.seed)) &&
         (argc < 6 || read_number<std::int64_t>(argv[5], 1, arguments.updates)) &&
         (argc < 7 || read_number(argv[6], 1e-9, arguments.lr)) &&
         (argc < 8 || read_number<std::int64_t>(argv[7], 0, arguments.chrono));
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!read_arguments(argc, argv, arguments)) {
    std::fprintf(stderr, "usage: %s adding|copying T CELL [SEED [UPDATES [LR [CHRONO]]]]      T: from 2\n", argv[0]);
    return 2;
  }
  try {
    set_threads(1);
    arguments.task == "adding" ? run<AddingTask>(arguments) : run<CopyingTask>(arguments);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return exit_status(error.code());
  }
  return 0;
}
