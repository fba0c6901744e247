// training_run.h: what every task's training has in common: options to trainer, names of weights, curves, the result.
#pragma once

#include <string>
#include <vector>

#include "carousel/model.h"
#include "models/plan.h"
#include "tasks/memory_plan.h"
#include "tasks/options.h"
#include "tasks/task.h"
#include "train/trainer.h"

namespace carousel {

// What a task chooses where the options say "auto".
struct TrainDefaults {
  std::int64_t epochs = 20, batch_size = 32, patience = 5;
  double lr = 1e-3, clip = 1;
  std::string schedule = "constant";
  std::string optimizer = "adam";
  double weight_decay = 0;
  double input_noise = 0;
  double average_decay = 0;
};

// The options with every "auto" of training replaced by the task's choice; the observer is told what was picked.
TrainOptions resolve_training(const TrainOptions& options, const TrainDefaults& defaults, Observer& observer);

// `options` is resolved.
TrainerOptions trainer_options(const TrainOptions& options, const TrainDefaults& defaults, const std::string& run_dir);

// Tells the observer which kernels the training runs. Throws Error{kUsage} for a slow path with strict_kernels.
void note_kernels(Sequential& network, const TrainOptions& resolved, Observer& observer);

// The kernels that `evaluate` and `predict` run.
NetworkPlan plan_inference(const Model& model, const Options& options);

// "recurrent.weight_hh_l1_reverse, gate f, unit 3, column 7": where an element of a network's weights is.
std::string describe_weight(Sequential& network, const Parameter& parameter, std::int64_t element);

// Passes everything on to another observer and keeps the epochs for the report.
class CurveRecorder final : public Observer {
 public:
  explicit CurveRecorder(Observer& next) : next_(next) {}
  void note(const std::string& line) override;
  void warning(const std::string& line) override;
  void step(const StepEvent& event) override { next_.step(event); }
  void epoch(const EpochEvent& event) override;
  bool stop_requested() override { return next_.stop_requested(); }

  const std::vector<EpochEvent>& epochs() const noexcept { return epochs_; }
  const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  Observer& next_;
  std::vector<EpochEvent> epochs_;
  std::vector<std::string> notes_;
};

// "a.csv, b.csv": the names of the files without their folders.
std::string file_names(const std::vector<std::string>& paths);

// JSON of how the model was trained, for the model file; and the counts of the result.
std::string training_json(const TrainSummary& summary, const TrainOptions& options, const EvaluateResult& result);
void fill_result(TrainResult& result, const TrainSummary& summary, const Model& model, const OutputOptions& output,
                 std::int64_t training_samples);

// Throws Error{kUsage} if options are given (no "auto" replaced yet) that only a recurrent network has: their names.
void refuse_recurrent_options(const ModelOptions& options, std::string_view what);

// Throws Error{kUsage} if the cell is "none", a feed-forward network, and options are given that only a recurrent layer
// has: their names.
void check_cell_options(const ModelOptions& options);

// Adds the layer between rows of every step, `input_size` wide, and one row per sample that options.pool asks for
// (already replaced); the units of attention are as many as options.hidden_size.
void add_pool(Sequential& network, const ModelOptions& options, std::int64_t input_size);

// Adds the feed-forward or recurrent layers between input and head that the options ask for ("auto" already replaced),
// for sequences of `input_size` features and, with cell none, of `time_steps` steps each. Returns the number of
// features of the one row per sample that comes out, or of the row of every step if options.pool is empty. Throws as
// check_cell_options().
std::int64_t add_body(Sequential& network, const ModelOptions& options, std::int64_t input_size,
                      std::int64_t time_steps);

}  // namespace carousel
