// trainer.h: the training loop, for everything that can compute a loss.
//
// A TrainingProblem owns model and data; train() owns the loop: batches, accumulation, the check for NaN and infinity
// before the weights change, clipping, the optimiser, the schedule, validation, early stopping that keeps the best
// weights, metrics.csv, checkpoints. One tape serves all steps and is reset for every batch: a step allocates nothing
// after the first. Nothing in the loop is random and nothing depends on the number of threads; seeds belong to the
// problem.
//
// Truncated back-propagation through time needs nothing here: the problem cuts its sequences into chunks, returns them
// as successive batches, and keeps the state between them. The state is a value: after loss() has computed a chunk, the
// problem copies the final h (and c) out of their variables into its own tensors, and gives them to the next chunk as
// tape.constant(), through which no gradient flows back. At the first chunk of an epoch it starts from zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autograd/tape.h"
#include "train/observer.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/validation.h"

namespace carousel {

// What batches leave to those after them besides the weights.
struct Carried {
  std::uint64_t passes = 0;     // counter of random keys
  std::vector<Tensor> tensors;  // the state of truncated back-propagation
};

// Epochs and batches count from 0. All functions are called on the thread that calls train().
class TrainingProblem {
 public:
  virtual ~TrainingProblem() = default;
  virtual std::vector<Parameter*> parameters() = 0;  // the same every time
  virtual std::int64_t batches_in_epoch(std::int64_t epoch) = 0;
  // Makes one batch ready: gathers, pads and scales its samples. Called before its loss(), timed apart from it.
  virtual void prepare(std::int64_t epoch, std::int64_t batch) {
    static_cast<void>(epoch);
    static_cast<void>(batch);
  }
  // The loss of that batch, one element, on this tape; memory that the tape borrows must live until the next call.
  virtual Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) = 0;
  // Called after every epoch with the weights to be judged. Nothing: no validation data; then the last weights are
  // kept.
  virtual std::optional<Validation> validate() = 0;
  // Called after every epoch with the weights in training, on a tape that was reset: what metrics.csv says of the gates
  // (EpochEvent::gate_saturation), of the same layers every time.
  virtual std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) {
    static_cast<void>(tape);
    return {};
  }
  // Where an element of a parameter is, for the message when training diverges: name, layer and gate.
  virtual std::string describe(const Parameter& parameter, std::int64_t element);
  // Called when the weights of now are the best so far: the place to save them. The parameters hold those weights.
  virtual void on_best() {}
  // For checkpoints: what the batch `batch` will find, and that put back before it, after batches_in_epoch() of its
  // epoch. Whatever else a problem remembers must follow from epoch and batch alone.
  virtual Carried carried(std::int64_t batch) const {
    static_cast<void>(batch);
    return {};
  }
  virtual void carry(std::int64_t batch, Carried carried) {
    static_cast<void>(batch);
    static_cast<void>(carried);
  }
};

struct TrainerOptions {
  std::int64_t epochs = 10;
  std::int64_t min_epochs = 0;  // early stopping waits for this many
  std::int64_t patience = 0;    // stop after this many epochs without a better one; 0: never
  std::int64_t accumulate = 1;  // batches per optimiser step; their gradients are averaged
  double clip_norm = 0;         // global norm of the gradient; 0: off
  double clip_value = 0;        // every element, before the norm; 0: off
  double average_decay = 0;  // d > 0: judge and keep the moving average d a + (1 - d) w of the weights instead of them
  // ASGD (Merity et al. 2018): from the first epoch that is not the best so far, judge and keep the mean of the weights
  // of all steps since. REQUIRES: not with average_decay.
  bool average_on_plateau = false;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  std::int64_t arena_bytes = 0;   // memory for activations to take in one piece; 0: as it is needed
  std::string run_dir;            // gets metrics.csv; empty: none
  double checkpoint_seconds = 0;  // a checkpoint in run_dir so often, and when the observer stops training; 0: none
  bool resume = false;            // go on from the newest good checkpoint of run_dir; from the beginning without one
};

struct TrainSummary {
  std::int64_t epochs = 0, steps = 0;  // done; a step is one change of the weights
  std::int64_t best_epoch = 0;         // from 1; 0: no validation
  std::optional<Validation> best;
  double seconds = 0, batch_seconds = 0;  // in all, also before a checkpoint; of them in batches_in_epoch(), prepare()
  bool stopped = false;                   // on request of the observer
};

// Trains until the epochs are done, patience ends or the observer asks for a stop; then the parameters hold the best
// weights (by validation; the last ones if there was none), and all gradients are zero.
//
// With options.resume the weights, metrics.csv and the summary are bit for bit (but for seconds) those of a training
// that was never stopped; the observer gets the epochs before once more. A checkpoint that cannot be written is told to
// the observer and training goes on.
//
// Throws Error{kUsage} for options out of range, Error{kModel} if there are checkpoints and all are damaged or of
// another training, and Error{kDiverged} when the loss or an element of a gradient is NaN or infinite: the weights have
// not changed in that step, and if an epoch was finished they are those of the best epoch. Errors of the problem and of
// writing metrics.csv pass through.
TrainSummary train(TrainingProblem& problem, const TrainerOptions& options, Observer& observer);

}  // namespace carousel
