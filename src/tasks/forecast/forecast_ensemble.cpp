#include "tasks/forecast/forecast_ensemble.h"

#include <algorithm>

#include "base/fail.h"
#include "base/json.h"

namespace carousel {
namespace {

// What members of an ensemble share: everything but how the network forecasts.
nlohmann::json shared_part(const ForecastInfo& info) {
  nlohmann::json object = parse_json(info.to_json());
  for (const char* own : {"window", "season", "stateful", "distribution", "recursive", "levels", "residual_steps",
                          "residuals", "error_deviation", "training", "kept_epochs", "kept_share"}) {
    object.erase(own);
  }
  return object;
}

}  // namespace

ForecastEnsemble::ForecastEnsemble(const ForecastInfo& first, const ModelOptions& options) {
  const nlohmann::json expected = shared_part(first);
  for (const std::string& path : options.ensemble) {
    const Model& model = models_.emplace_back(Model::load(path));
    const ForecastInfo info = ForecastInfo::from_model(model);
    const nlohmann::json got = shared_part(info);
    for (const auto& [key, value] : expected.items()) {
      if (got.at(key) == value) continue;
      fail(Code::kUsage, "--ensemble {}: its '{}' differs; train the models with the same data options{}", path, key,
           got.at("derived") == expected.at("derived") ? "" : ", with a calendar all or none with --strategy seq2seq");
    }
    if (info.window > first.window) {
      fail(Code::kUsage, "--ensemble {}: its window of {} is longer than {}; name the model with the longest one first",
           path, info.window, first.window);
    }
    set_inference_dtype(model.network(), options.dtype);
  }
}

std::vector<const Model*> ForecastEnsemble::members() const {
  std::vector<const Model*> list;
  for (const Model& model : models_) list.push_back(&model);
  return list;
}

Forecasts averaged(std::span<const Forecasts> members) {
  Forecasts mean = members.front();
  const bool points_only = std::ranges::any_of(members, [](const Forecasts& one) { return one.levels.empty(); });
  if (points_only) {
    mean.levels.clear();
    mean.quantiles = {};
  }
  const double share = 1 / static_cast<double>(members.size());
  const auto average = [&](BasicTensor<double>& into, BasicTensor<double> Forecasts::*part) {
    for (std::int64_t i = 0; i < into.elements(); ++i) {
      double sum = 0;
      for (const Forecasts& one : members) sum += (one.*part)[i];
      into[i] = share * sum;
    }
  };
  average(mean.point, &Forecasts::point);
  if (!points_only) average(mean.quantiles, &Forecasts::quantiles);
  return mean;
}

}  // namespace carousel
