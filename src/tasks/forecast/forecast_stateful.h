// forecast_stateful.h: forecasters whose recurrent branch carries h and c along the whole series.
//
// The network is that of forecast_model.h. Instead of starting anew in every window, the recurrent branch reads each
// series once, from its first row on, and gives a forecast after every row: what it remembers reaches back beyond the
// window, and a new value costs one step. The linear branch still sees the last `window` rows. Trained by truncated
// back-propagation: stretches of the training parts side by side, --bptt steps at a time, the state carried from one
// piece to the next and the gradient not.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "layers/sequence_layout.h"
#include "models/layer_chain.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/forecast/forecast_head.h"
#include "tasks/input_noise.h"
#include "tasks/memory_plan.h"

namespace carousel {

// The two branches of a stateful forecaster; borrows the network.
class StatefulForecaster {
 public:
  // Throws Error{kUsage} if the recurrent branch cannot run row by row (both directions, no recurrent layer, clusters,
  // a pooling other than "last").
  explicit StatefulForecaster(Sequential& network);

  Sequential& recurrent_branch() const noexcept { return *recurrent_; }
  // Rows of every step: [T, N, C] -> packed rows [rows, O].
  Module& every_step() noexcept { return every_step_; }
  // The linear branch for given windows, [window, N, C] -> [N, O].
  Variable linear(Tape<float>& tape, SequenceLayout& layout, const Tensor& windows) const;

 private:
  Sequential* recurrent_ = nullptr;
  Sequential* linear_ = nullptr;
  LayerChain every_step_;
};

// Rows first .. end-1 of a series.
struct HistoryRows {
  std::int64_t series = 0, first = 0, end = 0;
};
// The first `steps` of the rows of each in scaled units, [steps, N, C]; zeros behind the end. `lengths` [N]: how many.
void gather_rows(std::span<const Series> scaled, std::span<const HistoryRows> list, std::int64_t steps, Tensor& inputs,
                 std::vector<std::int32_t>& lengths);

// As predict_windows() of forecast_training.h, the state carried from the first row of each series to the row before
// the origin: [windows, horizon x targets], in scaled units. `carried` as in ForecastData. REQUIRES: every origin is
// behind the rows that are carried.
Tensor predict_statefully(Sequential& network, std::span<const Series> scaled, std::span<const WindowAt> windows,
                          const ForecastInfo& info, std::span<const CarriedState> carried = {});

// What is remembered after all rows of each series but the last, going on from `carried`, as in ForecastData.
std::vector<CarriedState> carry_states(Sequential& network, std::span<const Series> scaled,
                                       std::vector<CarriedState> carried);

// A piece of a series that is read from a state of zero on: rows begin .. end-1; origins from `first` on are learnt.
struct Stretch {
  std::int64_t series = 0, begin = 0, first = 0, end = 0;
};
// The training parts, cut into as many stretches as a batch has samples or more; each but the first of a series begins
// `window` rows early, to remember something before it has to forecast. Origins of all stretches together: each window
// of the training parts once.
std::vector<Stretch> training_stretches(const ForecastData& data, const ForecastInfo& info, std::int64_t batch_size);

class StatefulForecastProblem final : public TaskProblem {
 public:
  StatefulForecastProblem(Sequential& network, const ForecastData& data, const ForecastInfo& info,
                          const TrainOptions& options);

  std::vector<Parameter*> parameters() override { return parts_.recurrent_branch().parameters(); }
  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  // Of the first steps of some stretches.
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  std::int64_t windows_in_batch() const noexcept { return std::ssize(windows_); }  // that the loss is the mean of
  MemoryNeeds memory_needs() override;
  Carried carried(std::int64_t batch) const override;
  void carry(std::int64_t batch, Carried carried) override;

 private:
  struct Piece {
    std::int64_t group;         // stretches from group * batch_size on
    std::int64_t begin, steps;  // rows of each of them
  };
  std::int64_t first_piece_steps() const noexcept { return info_.window - 1 + options_.bptt; }
  void gather_piece(const Piece& piece);

  StatefulForecaster parts_;
  const ForecastData& data_;
  const ForecastInfo& info_;
  TrainOptions options_;
  std::unique_ptr<ForecastHead> head_;
  std::vector<std::int64_t> targets_;
  std::vector<WindowAt> validation_;
  std::vector<Stretch> stretches_;  // longest first within a group
  std::vector<Piece> pieces_;
  InputNoise noise_;
  Tensor inputs_;                      // [T, N, C]
  std::vector<std::int32_t> lengths_;  // [N]
  std::vector<WindowAt> windows_;      // that are learnt, in the order of rows_
  std::vector<std::int64_t> rows_;     // their packed rows
  WindowBatch batch_;
  HeadTargets expected_;
  SequenceLayout layout_, linear_layout_;
  State states_[2];
};

}  // namespace carousel
