// forecast_training.h: trains the network of a forecaster.
#pragma once

#include "layers/sequence_layout.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_head.h"
#include "tasks/input_noise.h"
#include "tasks/memory_plan.h"

namespace carousel {

// What the network puts out for windows, in scaled units: [windows, network_outputs(info)]. `carried` as in
// ForecastData.
Tensor predict_windows(Sequential& network, std::span<const Series> scaled, std::span<const WindowAt> windows,
                       const ForecastInfo& info, std::span<const CarriedState> carried = {});

// [horizon, N, targets] -> [N, horizon x targets]: the order of the network's output. `flat` is reused if it fits.
void flatten_targets(const Tensor& targets, Tensor& flat);

// What should come out for the windows, whose targets in scaled units are `targets` [horizon, N, targets].
void gather_expected(const ForecastData& data, std::span<const WindowAt> windows, const ForecastInfo& info,
                     const Tensor& targets, HeadTargets& expected);

// What is learnt from: the loss of the head, without one that of options.loss. A target that is
// missing (NaN) has no loss: the mean is over the known ones, 0 if there are none.
Variable forecast_loss(const TrainOptions& options, const ForecastHead* head, Variable forecast,
                       const HeadTargets& expected);

// The windows of the validation part that training looks at: at most some thousand, at even distances.
std::vector<WindowAt> validation_windows(const ForecastData& data, const ForecastInfo& info);

// What is learnt from, of each window by itself; NaN where none of its targets is known.
std::vector<double> window_losses(Sequential& network, const ForecastData& data, std::span<const WindowAt> windows,
                                  const ForecastInfo& info, const TrainOptions& options);

// The deviations of InputNoise: 1 for every column, 0 for the number of the series.
std::vector<double> noise_scales(const ForecastInfo& info);

// The mean loss over windows; nothing if there are none.
std::optional<Validation> validation_loss(Sequential& network, const ForecastData& data,
                                          const std::vector<WindowAt>& windows, const ForecastInfo& info,
                                          const TrainOptions& options);

// The training problem: windows of the training part in random order, at most max_windows per epoch; validated by the
// mean loss over the windows of the validation part.
class ForecastProblem final : public TaskProblem {
 public:
  ForecastProblem(Sequential& network, const ForecastData& data, const ForecastInfo& info, const TrainOptions& options);

  std::vector<Parameter*> parameters() override;  // of the recurrent branch: the linear one is fitted already
  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  MemoryNeeds memory_needs() override;

 private:
  Sequential& recurrent_branch() const;
  Variable run(Tape<float>& tape);

  const ForecastData& data_;
  const ForecastInfo& info_;
  TrainOptions options_;
  std::unique_ptr<ForecastHead> head_;
  std::vector<std::int64_t> targets_;
  std::vector<WindowAt> training_, validation_;
  std::vector<std::int64_t> order_;
  std::int64_t per_epoch_ = 0;
  WindowBatch batch_;
  InputNoise noise_;
  Tensor noisy_;          // inputs of the batch with noise
  HeadTargets expected_;  // of the batch
  SequenceLayout layout_, linear_layout_;
};

}  // namespace carousel
