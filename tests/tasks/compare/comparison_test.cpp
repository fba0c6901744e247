// Oracle: results made by hand, whose medians, wins and ranks can be counted on the fingers; a comparison done in
// pieces and with other threads against one done at once; the definition of log-uniform draws.
#include "tasks/compare/comparison.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "tasks/compare/comparison_report.h"
#include "tasks/compare/comparison_run.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

Trial trial(const std::string& cell, std::int64_t number, double accuracy) {
  Trial one;
  one.cell = cell;
  one.settings = {.trial = number, .seed = 1 + number, .lr = 0.1 / static_cast<double>(3 + number), .hidden_size = 8};
  one.metrics = {{"macro_f1", accuracy}, {"accuracy", 1 - accuracy}};  // higher is better
  one.baselines = {{"majority", {{"macro_f1", 0.25}}}};
  one.samples = 40;
  one.parameters = 100 + number;
  one.epochs = 3;
  one.steps = 30;
  one.seconds = 1.5 + static_cast<double>(number);
  return one;
}

Trial diverged(const std::string& cell, std::int64_t number) {
  Trial one = trial(cell, number, 0);
  one.metrics.clear();
  one.baselines.clear();
  one.failure = "training diverged at \"epoch 1\"";
  return one;
}

TEST(Comparison, TrialsAreDrawnLogUniformlyAndByTheirNumberAlone) {
  ComparisonPlan plan;
  plan.lr = {1e-4, 1e-1};
  plan.hidden_size = {4, 16};
  constexpr std::int64_t kDraws = 4000;
  double sum = 0, squares = 0;
  std::vector<std::int64_t> counts(17);
  for (std::int64_t k = 0; k < kDraws; ++k) {
    const TrialSettings drawn = draw_trial(plan, k);
    ASSERT_TRUE(drawn.lr >= 1e-4 && drawn.lr <= 1e-1) << drawn.lr;
    ASSERT_TRUE(drawn.hidden_size >= 4 && drawn.hidden_size <= 16) << drawn.hidden_size;
    const double place = std::log(drawn.lr / 1e-4) / std::log(1e3);  // uniform in 0 .. 1
    sum += place;
    squares += place * place;
    ++counts[static_cast<std::size_t>(drawn.hidden_size)];
    EXPECT_EQ(drawn.seed, plan.options.train.seed + k);
  }
  // Mean and variance of the uniform distribution, within four standard errors.
  EXPECT_NEAR(sum / kDraws, 0.5, 4 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws - std::pow(sum / kDraws, 2), 1.0 / 12, 4 * std::sqrt(1.0 / 180 / kDraws));
  // Size h is drawn with probability ln((h + 1) / h) / ln(17 / 4).
  for (const std::int64_t size : {4, 9, 16}) {
    const double p = std::log((static_cast<double>(size) + 1) / static_cast<double>(size)) / std::log(17.0 / 4);
    EXPECT_NEAR(static_cast<double>(counts[static_cast<std::size_t>(size)]) / kDraws, p,
                4 * std::sqrt(p * (1 - p) / kDraws))
        << size;
  }
  EXPECT_EQ(draw_trial(plan, 7).lr, draw_trial(plan, 7).lr);
  plan.options.train.lr = 0.5;
  const std::int64_t size = draw_trial(plan, 7).hidden_size;
  plan.options.train.lr = 0;
  EXPECT_EQ(draw_trial(plan, 7).hidden_size, size);  // a setting that is fixed leaves the other draws as they are
  plan.options.train.lr = 0.5;
  plan.options.model.hidden_size = 33;
  EXPECT_EQ(draw_trial(plan, 7).lr, 0.5);
  EXPECT_EQ(draw_trial(plan, 7).hidden_size, 33);
}

// Oracle: mean and variance of the uniform distribution, within four standard errors.
TEST(Comparison, InputNoiseIsDrawnUniformly) {
  ComparisonPlan plan;
  plan.input_noise = {0.5, 2.5};
  constexpr std::int64_t kDraws = 2000;
  double sum = 0, squares = 0;
  for (std::int64_t k = 0; k < kDraws; ++k) {
    const double place = (draw_trial(plan, k).input_noise - 0.5) / 2;
    EXPECT_TRUE(place >= 0 && place < 1) << place;
    sum += place;
    squares += place * place;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 4 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws - std::pow(sum / kDraws, 2), 1.0 / 12, 4 * std::sqrt(1.0 / 180 / kDraws));
  plan.input_noise = {0.25, 0.25};
  EXPECT_EQ(draw_trial(plan, 7).input_noise, 0.25);
  EXPECT_TRUE(takes_input_noise("forecast", {}));
  DataOptions data;
  data.data = {"texts.csv"};
  EXPECT_FALSE(takes_input_noise("classify", data));
  data.data = {"values.npy"};
  EXPECT_TRUE(takes_input_noise("classify", data));
}

TEST(Comparison, ALineGivesTheTrialBack) {
  for (const Trial& one : {trial("lstm", 4, 1.0 / 3), diverged("gru", 0)}) {
    const std::string line = trial_line(one);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const Trial back = parse_trial(line, "f:1");
    EXPECT_EQ(trial_line(back), line);
    EXPECT_EQ(back.settings.lr, one.settings.lr);
    EXPECT_EQ(back.failure, one.failure);
    EXPECT_EQ(back.metrics, one.metrics);
    EXPECT_EQ(back.seconds, one.seconds);
  }
  const std::string line = trial_line(trial("lstm", 4, 0.5));
  expect_error(Code::kData, {"f:3", "trial"}, [&] { parse_trial(R"({"cell": "lstm"})", "f:3"); });
  expect_error(Code::kModel, {"f:3"}, [&] { parse_trial(line.substr(0, line.size() / 2), "f:3"); });
  std::string other = line;
  other.replace(other.find("\"metric\":\"macro_f1\""), 19, "\"metric\":\"mae\"     ");
  expect_error(Code::kData, {"f:3", "mae"}, [&] { parse_trial(other, "f:3"); });
}

TEST(Comparison, TheSummaryCountsMediansWinsAndRanks) {
  ComparisonPlan plan;
  plan.cells = {"rnn", "lstm"};
  std::vector<Trial> trials;
  const double rnn[] = {0.5, 0.4, 0.9, 0.3}, lstm[] = {0.6, 0.8, 0.7, 0.3};
  for (std::int64_t k = 0; k < 4; ++k) {
    trials.push_back(k == 1 ? diverged("rnn", 1) : trial("rnn", k, rnn[k]));
    trials.push_back(trial("lstm", k, lstm[k]));
  }
  const Comparison comparison = summarize_comparison(plan, trials);
  EXPECT_EQ(comparison.metric, "macro_f1");
  EXPECT_TRUE(comparison.higher_is_better);
  const CellResult &a = comparison.cells[0], &b = comparison.cells[1];
  EXPECT_EQ(a.finished, 3);
  EXPECT_EQ(a.diverged, 1);
  EXPECT_DOUBLE_EQ(a.best, 0.9);
  EXPECT_DOUBLE_EQ(a.median, 0.4);  // of -inf, 0.3, 0.5, 0.9
  EXPECT_EQ(a.lower_quartile, -INFINITY);
  EXPECT_EQ(a.best_trial.settings.trial, 2);
  EXPECT_DOUBLE_EQ(a.median_seconds, 3.5);  // of 1.5, 3.5 and 4.5
  EXPECT_DOUBLE_EQ(b.median, 0.65);
  ASSERT_EQ(comparison.pairs.size(), 1U);
  const CellPair& pair = comparison.pairs[0];
  EXPECT_EQ(pair.a_better, 1);  // trial 2; the last is a tie
  EXPECT_EQ(pair.b_better, 2);
  // Pairs that the rnn wins: 0.5 beats 0.3; 0.9 all four; 0.3 ties one; the diverged one none.
  EXPECT_DOUBLE_EQ(pair.test.u, 1 + 4 + 0.5);
  EXPECT_EQ(pair.p_adjusted, pair.test.p);
  EXPECT_EQ(best_trial(comparison.trials, "gru"), nullptr);

  const TableRows rows = cell_rows(comparison);
  ASSERT_EQ(rows.size(), 4U);     // with the baseline
  EXPECT_EQ(rows[1][0], "lstm");  // the best median first
  EXPECT_EQ(rows[2][1], "4, 1 diverged");
  EXPECT_EQ(rows[2][4], "diverged to 0.6");
  EXPECT_EQ(rows[3][2], "0.25");
  EXPECT_EQ(trial_rows(comparison).size(), 9U);
  EXPECT_EQ(cell_number_rows(comparison)[1],
            (std::vector<std::string>{"rnn", "3", "1", "0.9", "0.4", "-inf", "0.6", "", "2", "102", "3.500"}));
  const std::string page = comparison_page(plan, comparison);
  for (const char* part : {"lstm has the best median macro_f1: 0.65", "<svg", "Quality against time", "rnn : lstm"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(page.find("http"), std::string::npos);  // nothing is loaded from elsewhere
}

TEST(Comparison, OfEqualTrialsTheEarliestIsTheBest) {
  const std::vector<Trial> trials{trial("lstm", 2, 0.7), trial("lstm", 1, 0.7), trial("lstm", 0, 0.6)};
  EXPECT_EQ(best_trial(trials, "lstm")->settings.trial, 1);
  ComparisonPlan plan;
  plan.cells = {"lstm"};
  expect_error(Code::kDiverged, {"all 1 trainings"}, [&] { summarize_comparison(plan, {diverged("lstm", 0)}); });
}

// 60 rows of y = x0 - x1; an lstm and an rnn see them as sequences of one step.
ComparisonPlan small_plan(const TemporaryFolder& folder, const std::string& name) {
  std::vector<float> x(120);
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 1.0f, x);
  std::string text = "x0,x1,y\n";
  for (std::size_t n = 0; n < x.size(); n += 2) text += fmt::format("{},{},{}\n", x[n], x[n + 1], x[n] - x[n + 1]);
  write_file_atomically(folder / "rows.csv", text);
  ComparisonPlan plan;
  plan.task = "regress";
  plan.cells = {"lstm", "rnn"};
  plan.trials = 3;
  plan.hidden_size = {2, 8};
  plan.run_dir = folder / name;
  plan.options.data.data = {folder / "rows.csv"};
  plan.options.data.split = "0.6,0.2,0.2";
  plan.options.train.epochs = 2;
  return plan;
}

// Stops when so many trainings have ended.
struct StopAfter final : ComparisonObserver {
  explicit StopAfter(std::int64_t trials) : most(trials) {}
  void trial_ended(const Trial&, std::int64_t, std::int64_t) override { ++ended; }
  bool stop_requested() override { return ended >= most; }
  std::int64_t most, ended = 0;
};

std::vector<std::string> lines_without_time(std::vector<Trial> trials) {
  std::vector<std::string> lines;
  for (Trial& one : trials) {
    one.seconds = 0;
    lines.push_back(trial_line(one));
  }
  return lines;
}

TEST(Comparison, InPiecesAndWithOtherThreadsItIsTheSame) {
  TemporaryFolder folder;
  const ComparisonPlan whole = small_plan(folder, "whole"), pieces = small_plan(folder, "pieces");
  ComparisonObserver quiet;
  set_threads(2);
  const std::vector<Trial> trials = run_comparison(whole, quiet);
  ASSERT_EQ(trials.size(), 6U);
  set_threads(1);
  StopAfter two(2), none(100);
  EXPECT_TRUE(run_comparison(pieces, two).empty());
  EXPECT_EQ(lines_without_time(run_comparison(pieces, none)), lines_without_time(trials));
  EXPECT_EQ(none.ended, 4);  // only what was missing
  StopAfter nothing_left(100);
  EXPECT_EQ(run_comparison(pieces, nothing_left).size(), 6U);
  EXPECT_EQ(nothing_left.ended, 0);
  set_threads(0);

  EXPECT_EQ(trials[0].settings.lr, trials[1].settings.lr);  // the cells share the settings of a trial
  EXPECT_EQ(trials[0].settings.hidden_size, trials[1].settings.hidden_size);
  EXPECT_NE(trials[0].settings.lr, trials[2].settings.lr);

  // The best model of each cell is there, and scored on the test part as `evaluate` would; the others are gone.
  const Comparison comparison = finish_comparison(whole, trials);
  std::int64_t models = 0;
  for (const Trial& one : trials) {
    models +=
        file_system().exists(fmt::format("{}/{}-{}/model.safetensors", whole.run_dir, one.cell, one.settings.trial));
  }
  EXPECT_EQ(models, 2);
  for (const CellResult& cell : comparison.cells) {
    Options options = whole.options;
    options.data.part = "test";
    Observer none_here;
    EXPECT_EQ(find_task("regress").evaluate(Model::load(cell.model), options, none_here).metrics, cell.test);
  }
}

// The baseline, the mean of the training part, is the same number only if both parts hold the same rows.
TEST(Comparison, TrialsDifferBySeedButShareTheValidationPart) {
  TemporaryFolder folder;
  ComparisonPlan plan = small_plan(folder, "run");
  plan.cells = {"rnn"};
  plan.trials = 2;
  plan.options.data.split.clear();
  plan.options.data.valid_fraction = 0.3;
  plan.options.train.lr = 0.01;
  plan.options.model.hidden_size = 4;
  ComparisonObserver quiet;
  const std::vector<Trial> trials = run_comparison(plan, quiet);
  EXPECT_NE(trials[0].metrics, trials[1].metrics);
  EXPECT_EQ(trials[0].baselines[0].metrics, trials[1].baselines[0].metrics);
}

TEST(Comparison, AFolderHoldsOneComparison) {
  TemporaryFolder folder;
  ComparisonPlan plan = small_plan(folder, "run");
  plan.trials = 1;
  ComparisonObserver quiet;
  run_comparison(plan, quiet);
  ComparisonPlan other = plan;
  other.options.train.epochs = 1;
  expect_error(Code::kUsage, {"other options", "epochs = 2", "epochs = 1"}, [&] { run_comparison(other, quiet); });
  other = plan;
  other.lr.high = 1;
  expect_error(Code::kUsage, {"other options", "lr 0.0001 to 1"}, [&] { run_comparison(other, quiet); });
  plan.trials = 2;  // more of the same is no other comparison
  plan.cells.push_back("gru");
  StopAfter counted(100);
  EXPECT_EQ(run_comparison(plan, counted).size(), 6U);
  EXPECT_EQ(counted.ended, 4);
  plan.trials = 1;
  expect_error(Code::kUsage, {"--trials is 1", "trial 1"}, [&] { run_comparison(plan, quiet); });
  plan.cells = {"lstm", "lstm"};
  expect_error(Code::kUsage, {"--cells names lstm twice"}, [&] { run_comparison(plan, quiet); });
  plan.cells = {"lstn"};
  expect_error(Code::kUsage, {"lstn"}, [&] { run_comparison(plan, quiet); });
  plan.cells = {"lstm"};
  plan.options.data.labels = "y.npy";
  plan.test = {"v.npy"};
  expect_error(Code::kUsage, {"--test v.npy", "--split A,B,C"}, [&] { run_comparison(plan, quiet); });
  plan.test.clear();
  plan.options.data.data = {"-"};
  expect_error(Code::kUsage, {"standard input"}, [&] { run_comparison(plan, quiet); });
}

}  // namespace
}  // namespace carousel
