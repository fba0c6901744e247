// impute_training.h: hides known values and trains the network of an imputation on them.
#pragma once

#include <optional>
#include <vector>

#include "layers/sequence_layout.h"
#include "tasks/forecast/forecast_head.h"
#include "tasks/impute/impute_model.h"
#include "tasks/input_noise.h"
#include "tasks/memory_plan.h"

namespace carousel {

// Series in which known values of one part are missing, and where those stand.
struct HiddenValues {
  std::vector<Series> series;   // in the units of the data, up to the end of the part
  std::vector<ValueAt> places;  // series after series
};

// `part` of a split as its range of rows: &train_part, or one of these.
using PartOf = Range (*)(const SeriesSplit& split);
Range train_part(const SeriesSplit& split);
Range valid_part(const SeriesSplit& split);
Range test_part(const SeriesSplit& split);

// Each draw hides other values; the same seed and draw always the same ones.
HiddenValues hide_part(const ForecastData& data, PartOf part, const HidingRule& rule, std::uint64_t seed,
                       std::uint64_t draw);

// As many draws as give 1000 values, at most 10; whatever the seed of the training was, so that models can be compared.
// Empty if the part has no two known values.
std::vector<HiddenValues> hide_to_score(const ForecastData& data, PartOf part, const HidingRule& rule);

// The values at the places, in scaled units: [places].
std::vector<double> right_values(const ForecastData& data, std::span<const ValueAt> places);

// Windows of the training part, of which each epoch hides values of its own; validated by the loss of the values that
// hide_to_score() hides in the validation part.
class ImputeProblem final : public TaskProblem {
 public:
  ImputeProblem(Sequential& network, const ForecastData& data, const ImputeInfo& info, const HidingRule& rule,
                const TrainOptions& options);

  std::int64_t batches_in_epoch(std::int64_t epoch) override;
  void prepare(std::int64_t epoch, std::int64_t batch) override;
  Variable loss(Tape<float>& tape, std::int64_t epoch, std::int64_t batch) override;
  std::optional<Validation> validate() override;
  std::vector<std::pair<std::string, double>> gate_saturation(Tape<float>& tape) override;
  MemoryNeeds memory_needs() override;

 private:
  struct Asked {  // of one draw
    std::vector<Series> rows;
    std::vector<ValueAt> places;
    std::vector<double> right;
  };
  Asked ask(HiddenValues hidden) const;
  void cut_windows(std::int64_t epoch);

  const ForecastData& data_;
  const ImputeInfo& info_;
  HidingRule rule_;
  TrainOptions options_;
  std::vector<Asked> validation_;
  std::vector<Series> rows_;  // of the epoch
  std::vector<std::vector<double>>
      missing_;                    // [series][rows, targets]: what is to be added to them; NaN: nothing asked
  std::vector<WindowAt> windows_;  // of the epoch
  std::vector<std::int64_t> order_;
  Tensor inputs_;
  HeadTargets expected_;
  InputNoise noise_;
  SequenceLayout layout_;
};

}  // namespace carousel
