#include "tasks/forecast/error_scales.h"

#include "base/fail.h"
#include "tasks/metrics.h"

namespace carousel {

ErrorScales scales_of_training(const ForecastData& data, const ForecastInfo& info) {
  const Scaler scaler = Scaler::fit(data.series, data.splits);
  ErrorScales scales;
  for (const std::int64_t target : info.target_positions()) {
    const ColumnScaling& column = scaler.columns()[static_cast<std::size_t>(target)];
    scales.mean.push_back(column.shift);
    scales.deviation.push_back(column.factor);
    scales.mase.push_back(mase_scale(data.series, data.splits, target, info.season));
  }
  return scales;
}

std::vector<double> mase_scales(const ForecastData& data, const ForecastInfo& info, std::size_t series) {
  const TrainingRange& training = data.splits[series].train;
  if (training.size() == 0 && !info.held_back.mase.empty()) return info.held_back.mase;
  std::vector<double> scales;
  for (const std::int64_t target : info.target_positions()) {
    scales.push_back(mase_scale(data.series[series], training, target, info.season));
  }
  return scales;
}

ErrorScales error_scales(const ForecastData& data, const ForecastInfo& info, std::size_t series, bool scaled) {
  const std::vector<std::int64_t> targets = info.target_positions();
  const TrainingRange& training = data.splits[series].train;
  ErrorScales scales{std::vector<double>(targets.size(), 0.0), std::vector<double>(targets.size(), 1.0),
                     mase_scales(data, info, series)};
  if (!scaled) return scales;
  if (training.size() == 0) {
    if (info.held_back.deviation.empty()) {
      fail(Code::kUsage, "--scaled: the model file does not say how its training series vary; train it again");
    }
    scales.mean = info.held_back.mean;
    scales.deviation = info.held_back.deviation;
  } else {
    const Scaler scaler = Scaler::fit(data.series[series], training);
    for (std::size_t j = 0; j < targets.size(); ++j) {
      const ColumnScaling& column = scaler.columns()[static_cast<std::size_t>(targets[j])];
      scales.mean[j] = column.shift;
      scales.deviation[j] = column.factor;
    }
  }
  for (std::size_t j = 0; j < targets.size(); ++j) scales.mase[j] /= scales.deviation[j];
  return scales;
}

}  // namespace carousel
