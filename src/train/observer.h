// observer.h: how training tells the outside what happens, so that the library itself never prints.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace carousel {

struct StepEvent {
  std::int64_t epoch = 0, epochs = 0;                     // from 1
  std::int64_t step = 0, steps_in_epoch = 0;              // within the epoch, from 1
  double loss = 0, gradient_norm = 0, learning_rate = 0;  // the norm before clipping
  bool clipped = false;                                   // the gradient, by its norm or by an element of it
};

struct EpochEvent {
  std::int64_t epoch = 0, epochs = 0, step = 0;  // step: counted from the start of training
  double training_loss = 0, validation_loss = 0;
  double seconds = 0, batch_seconds = 0;  // of the epoch with its validation; of them to make batches
  std::string metric;                     // name of the metric that early stopping watches
  double metric_value = 0;
  double largest_gradient_norm = 0;  // of the epoch's steps, before clipping
  std::int64_t clipped_steps = 0;
  // Of the problem: of each recurrent layer and direction ("l0", "l0_reverse" ...) the share of saturated gates.
  std::vector<std::pair<std::string, double>> gate_saturation = {};
  bool best = false;  // the best epoch so far: its weights are kept
};

// Called on the training thread, between steps. All functions may be left out.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void note(const std::string& line) { static_cast<void>(line); }  // a choice made
  // Something the user has to know, however quiet the program is. A note unless it is overridden.
  virtual void warning(const std::string& line) { note("warning: " + line); }
  virtual void step(const StepEvent& event) { static_cast<void>(event); }
  virtual void epoch(const EpochEvent& event) { static_cast<void>(event); }
  virtual bool stop_requested() { return false; }  // true: finish the step, keep the best model, return
};

}  // namespace carousel
