#include "report.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "carousel/error.h"

namespace carousel::cli {
namespace {

// Oracle: what better means for each metric; a tie and a number that is none are no victory.
TEST(Beats, JudgesByTheFirstMetricThatBothHave) {
  EXPECT_TRUE(beats({{"mae", 1}}, {"naive", {{"mae", 2}}}));
  EXPECT_FALSE(beats({{"mae", 2}}, {"naive", {{"mae", 2}}}));
  EXPECT_TRUE(beats({{"accuracy", 0.9}}, {"majority", {{"accuracy", 0.8}}}));
  EXPECT_FALSE(beats({{"accuracy", 0.7}}, {"majority", {{"accuracy", 0.8}}}));
  EXPECT_TRUE(beats({{"mae", 9}, {"rmse", 1}}, {"naive", {{"rmse", 2}}}));
  EXPECT_FALSE(beats({{"mae", NAN}}, {"naive", {{"mae", 2}}}));
  EXPECT_FALSE(beats({{"mae", 1}}, {"naive", {}}));
}

// Oracle: by hand.
TEST(Verdict, SaysPlainlyWhetherTheModelWins) {
  EXPECT_EQ(verdict({{"mae", 2.5}}, {"last_value", {{"mae", 2}}}),
            "The model does not beat last_value: mae 2.5 against 2.");
  EXPECT_EQ(verdict({{"accuracy", 0.75}}, {"majority", {{"accuracy", 0.5}}}),
            "The model beats majority: accuracy 0.75 against 0.5.");
  const auto tested = [](double model, double p) { return verdict({{"mae", model}}, {"drift", {{"mae", 2}}, {}, p}); };
  EXPECT_EQ(tested(1.5, 0.0004), "The model beats drift: mae 1.5 against 2 (-25.0 %, p < 0.001).");
  EXPECT_EQ(tested(1.9, 0.041), "The model beats drift: mae 1.9 against 2 (-5.0 %, p = 0.041).");
  EXPECT_EQ(tested(1.99, 0.41), "The model does not beat drift significantly: mae 1.99 against 2 (-0.5 %, p = 0.41).");
  EXPECT_EQ(tested(3, 0.41), "The model does not beat drift: mae 3 against 2 (+50.0 %, p = 0.41).");
}

// Oracle: by hand; a number must follow the equals sign and nothing may follow the number.
TEST(ParseBound, TakesMetricAndNumber) {
  EXPECT_EQ(parse_bound("--min", "accuracy=0.5").metric, "accuracy");
  EXPECT_EQ(parse_bound("--min", "accuracy=0.5").value, 0.5);
  for (const char* text : {"", "=", "accuracy", "accuracy=", "accuracy=x", "accuracy=1x", "accuracy=nan"}) {
    EXPECT_THROW(parse_bound("--min", text), Error) << text;
  }
}

// Oracle: the meaning of the two flags, on and beside the bound.
TEST(CheckBounds, StopsBelowTheMinimumAndAboveTheMaximum) {
  const Metrics metrics{{"accuracy", 0.5}, {"mae", NAN}};
  EXPECT_NO_THROW(check_bounds(metrics, {{"accuracy", 0.5}}, {{"accuracy", 0.5}}));
  const auto code = [&](std::vector<Bound> minima, std::vector<Bound> maxima) {
    try {
      check_bounds(metrics, minima, maxima);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  };
  EXPECT_EQ(code({{"accuracy", 0.51}}, {}), Code::kBound);
  EXPECT_EQ(code({}, {{"accuracy", 0.49}}), Code::kBound);
  EXPECT_EQ(code({{"mae", 0}}, {}), Code::kBound);
  EXPECT_EQ(code({{"mse", 0}}, {}), Code::kUsage);
}

// Oracle: the keys of the interface.
TEST(ToJson, HasTheAgreedKeys) {
  TrainResult result;
  result.task = "classify";
  result.samples = 3;
  result.metrics = {{"accuracy", 0.5}, {"macro_f1", NAN}};
  result.baselines = {{"majority", {{"accuracy", 0.25}}}};
  const auto json = to_json(result);
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["metrics"]["accuracy"], 0.5);
  EXPECT_EQ(nlohmann::json::parse(json.dump())["metrics"]["macro_f1"], nullptr);
  EXPECT_EQ(json["baseline"]["majority"]["accuracy"], 0.25);
  for (const char* key : {"model", "run_dir", "epochs", "steps", "seconds", "samples_per_second", "parameters"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
}

}  // namespace
}  // namespace carousel::cli
