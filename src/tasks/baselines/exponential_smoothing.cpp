#include "tasks/baselines/exponential_smoothing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/thread_pool.h"
#include "tasks/baselines/lbfgs.h"

namespace carousel {
namespace {

constexpr std::int64_t kFewest = 10;  // values that a state can be started from
constexpr double kLowest = 1e-4, kHighest = 0.9999;
constexpr double kLeastDamping = 0.98, kMostDamping = 0.8;

double season_of(const SmoothingState& state, std::int64_t h) {
  return state.season[(state.next + static_cast<std::size_t>(h)) % state.season.size()];
}

// (low, high) <- any number, and back.
double squeezed(double z, double low, double high) { return low + (high - low) / (1 + std::exp(-z)); }
double stretched(double x, double low, double high) { return std::log((x - low) / (high - x)); }

std::int64_t parameter_count(const SmoothingForm& form) {
  return 1 + form.trend + form.damped + (form.season != SeasonKind::kNone);
}

// The parameters alpha, beta, gamma, phi (those that the form has) out of unbounded numbers; gamma is below 1 - alpha.
void take_parameters(SmoothingModel& model, std::span<const double> z) {
  std::size_t at = 0;
  model.alpha = squeezed(z[at++], kLowest, kHighest);
  if (model.form.trend) model.beta = squeezed(z[at++], kLowest, kHighest);
  if (model.form.season != SeasonKind::kNone) model.gamma = (1 - model.alpha) * squeezed(z[at++], kLowest, kHighest);
  if (model.form.damped) model.phi = squeezed(z[at], kMostDamping, kLeastDamping);
}

// Where the search begins: the best of a coarse grid.
std::vector<double> starting_point(SmoothingModel& model, std::span<const double> values) {
  std::vector<double> best;
  double least = std::numeric_limits<double>::infinity();
  for (const double alpha : {0.1, 0.5, 0.9}) {
    for (const double beta : model.form.trend ? std::vector<double>{0.05, 0.5} : std::vector<double>{0}) {
      for (const double gamma :
           model.form.season != SeasonKind::kNone ? std::vector<double>{0.1, 0.5} : std::vector<double>{0}) {
        std::vector<double> z{stretched(alpha, kLowest, kHighest)};
        if (model.form.trend) z.push_back(stretched(beta, kLowest, kHighest));
        if (model.form.season != SeasonKind::kNone) z.push_back(stretched(gamma, kLowest, kHighest));
        if (model.form.damped) z.push_back(0);
        take_parameters(model, z);
        const double squares = squared_errors(model, values);
        if (!best.empty() && !(squares < least)) continue;
        least = squares;
        best = std::move(z);
      }
    }
  }
  return best;
}

// AIC with the correction for few values; infinite if there are too few for it. The states before the first value are
// parameters, too, and so is the variance.
double corrected_criterion(const SmoothingModel& model, std::int64_t count) {
  const auto n = static_cast<double>(count);
  const auto season = static_cast<double>(model.start.season.size());
  const double k = static_cast<double>(parameter_count(model.form)) + 2 + model.form.trend + std::max(0.0, season - 1);
  if (n - k - 1 <= 0) return std::numeric_limits<double>::infinity();
  return n * std::log(model.squares / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1);
}

}  // namespace

std::string SmoothingForm::name() const {
  const std::string damping = damped ? "damped " : "";
  if (season == SeasonKind::kNone) return trend ? damping + "Holt" : "simple";
  return damping + (season == SeasonKind::kAdditive ? "Holt-Winters additive" : "Holt-Winters multiplicative");
}

double SmoothingModel::forecast(const SmoothingState& state, std::int64_t h) const {
  double ahead = state.level;
  if (form.trend) {
    const auto steps = static_cast<double>(h + 1);
    ahead += state.trend * (form.damped ? phi * (1 - std::pow(phi, steps)) / (1 - phi) : steps);
  }
  if (form.season == SeasonKind::kAdditive) return ahead + season_of(state, h);
  if (form.season == SeasonKind::kMultiplicative) return ahead * season_of(state, h);
  return ahead;
}

void SmoothingModel::update(SmoothingState& state, double observed) const {
  const double expected = state.level + phi * state.trend;
  double adjusted = observed;
  if (form.season == SeasonKind::kAdditive) {
    double& season = state.season[state.next];
    adjusted = observed - season;
    season = gamma * (observed - expected) + (1 - gamma) * season;
  } else if (form.season == SeasonKind::kMultiplicative) {
    double& season = state.season[state.next];
    const bool defined = expected > 0 && season > 0;  // it was in the training part; else the factor stays
    adjusted = defined ? observed / season : observed;
    if (defined) season = gamma * observed / expected + (1 - gamma) * season;
  }
  if (!state.season.empty() && ++state.next == state.season.size()) state.next = 0;
  const double level = alpha * adjusted + (1 - alpha) * expected;
  if (form.trend) state.trend = beta * (level - state.level) + (1 - beta) * phi * state.trend;
  state.level = level;
}

double squared_errors(const SmoothingModel& model, std::span<const double> values) {
  SmoothingState state = model.start;
  const bool multiplicative = model.form.season == SeasonKind::kMultiplicative;
  double sum = 0;
  for (const double value : values) {
    const double expected = state.level + model.phi * state.trend;
    if (multiplicative && !(expected > 0 && state.season[state.next] > 0)) {
      return std::numeric_limits<double>::infinity();
    }
    const double season = state.season.empty() ? 0 : state.season[state.next];
    const double error = value - (multiplicative ? expected * season : expected + season);
    sum += error * error;
    model.update(state, value);
  }
  return sum;
}

SmoothingState starting_state(const SmoothingForm& form, std::span<const double> values, std::int64_t season) {
  constexpr std::int64_t kSeasons = 5;
  SmoothingState state;
  std::vector<double> first(values.begin(), values.begin() + kFewest);
  if (form.season != SeasonKind::kNone) {
    const std::int64_t seasons = std::min(kSeasons, std::ssize(values) / season);
    state.season = seasonal_indices(values.first(static_cast<std::size_t>(seasons * season)), season, form.season);
    for (std::size_t t = 0; t < first.size(); ++t) {
      const double index = state.season[t % state.season.size()];
      first[t] = form.season == SeasonKind::kAdditive ? first[t] - index : first[t] / index;
    }
  }
  const double middle = (static_cast<double>(kFewest) + 1) / 2;  // of the times 1, 2 ...
  double mean = 0, products = 0, squares = 0;
  for (const double value : first) mean += value / static_cast<double>(kFewest);
  for (std::size_t t = 0; t < first.size(); ++t) {
    const double time = static_cast<double>(t) + 1 - middle;
    products += time * (first[t] - mean);
    squares += time * time;
  }
  const double slope = products / squares;
  state.level = mean - slope * middle;
  if (form.trend) state.trend = slope;
  return state;
}

SmoothingModel fit_smoothing(const SmoothingForm& form, SmoothingState start, std::span<const double> values) {
  constexpr double kStep = 1e-4;  // of central differences
  SmoothingModel model{.form = form, .start = std::move(start)};
  std::vector<double> z = starting_point(model, values);
  const auto value_at = [&](std::span<const double> at) {
    take_parameters(model, at);
    return std::log(squared_errors(model, values));
  };
  if (squared_errors(model, values) > 0) {
    const auto objective = [&](std::span<const double> x, std::span<double> gradient) {
      std::vector<double> near(x.begin(), x.end());
      for (std::size_t k = 0; k < near.size(); ++k) {
        near[k] = x[k] + kStep;
        const double above = value_at(near);
        near[k] = x[k] - kStep;
        gradient[k] = (above - value_at(near)) / (2 * kStep);
        near[k] = x[k];
      }
      return value_at(x);
    };
    minimise_lbfgs(objective, z, {.max_iterations = 50, .tolerance = 1e-5});
  }
  take_parameters(model, z);
  model.squares = squared_errors(model, values);
  model.aicc = corrected_criterion(model, std::ssize(values));
  return model;
}

SmoothingModel choose_smoothing(std::span<const double> values, std::int64_t season) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (std::ssize(values) < kFewest || *least == *most) {
    SmoothingModel model{.alpha = 0.5};
    model.start.level = values.front();
    model.squares = squared_errors(model, values);
    return model;
  }
  std::vector<SmoothingForm> forms{{}, {.trend = true}, {.trend = true, .damped = true}};
  if (season > 1 && std::ssize(values) >= 2 * season + 1) {
    for (const SeasonKind kind : {SeasonKind::kAdditive, SeasonKind::kMultiplicative}) {
      if (kind == SeasonKind::kMultiplicative && !(*least > 0)) continue;
      for (const bool trend : {false, true}) forms.push_back({.trend = trend, .season = kind});
      forms.push_back({.trend = true, .damped = true, .season = kind});
    }
  }
  SmoothingModel best;
  for (const SmoothingForm& form : forms) {
    SmoothingModel model = fit_smoothing(form, starting_state(form, values, season), values);
    if (form.name() == "simple" || model.aicc < best.aicc) best = std::move(model);
  }
  return best;
}

namespace {

class ExponentialSmoothing final : public ForecastBaseline {
 public:
  ExponentialSmoothing(std::span<const TrainingSeries> series, std::vector<std::int64_t> targets, std::int64_t season)
      : targets_(std::move(targets)), models_(series.size() * targets_.size()) {
    for (const TrainingSeries& one : series) first_rows_.push_back(one.training.begin());
    parallel_for(std::ssize(models_), [&](std::int64_t at) {
      const TrainingSeries& one = series[static_cast<std::size_t>(at) / targets_.size()];
      const std::int64_t column = targets_[static_cast<std::size_t>(at) % targets_.size()];
      std::vector<double> values;
      for (std::int64_t t = one.training.begin(); t < one.training.end(); ++t)
        values.push_back(one.series->at(t, column));
      if (values.empty())
        values.push_back(one.series->at(one.training.begin(), column));  // a series held back as a whole
      models_[static_cast<std::size_t>(at)] = choose_smoothing(values, season);
    });
  }
  std::string_view name() const override { return "exponential_smoothing"; }

  void forecast(const ForecastPlaces& places, View<double> out) const override {
    const std::int64_t horizon = out.shape.rows() / std::ssize(places.origins);
    const auto index = static_cast<std::size_t>(places.index);
    for (std::size_t k = 0; k < targets_.size(); ++k) {
      const SmoothingModel& model = models_[index * targets_.size() + k];
      SmoothingState state = model.start;
      std::int64_t row = first_rows_[index];
      for (std::size_t n = 0; n < places.origins.size(); ++n) {
        for (; row < places.origins[n]; ++row) model.update(state, places.series.at(row, targets_[k]));
        for (std::int64_t h = 0; h < horizon; ++h) {
          out.row(static_cast<std::int64_t>(n) * horizon + h)[k] = model.forecast(state, h);
        }
      }
    }
  }

 private:
  std::vector<std::int64_t> targets_, first_rows_;
  std::vector<SmoothingModel> models_;  // [series x targets]
};

}  // namespace

std::unique_ptr<ForecastBaseline> exponential_smoothing(std::span<const TrainingSeries> series,
                                                        std::vector<std::int64_t> targets, std::int64_t season) {
  return std::make_unique<ExponentialSmoothing>(series, std::move(targets), season);
}

}  // namespace carousel
