#include "tasks/regress/regress.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "formats/npy.h"
#include "tasks/regress/regress_data.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

// y = x0^2 - 2 x1 + noise of deviation 0.1, 300 rows; a straight line explains x1 only.
std::string quadratic_table() {
  std::vector<float> x(900);
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 1.0f, x);
  std::string text = "x0,x1,y\n";
  for (std::size_t n = 0; n < x.size(); n += 3) {
    text += fmt::format("{},{},{}\n", x[n], x[n + 1], x[n] * x[n] - 2 * x[n + 1] + 0.1f * x[n + 2]);
  }
  return text;
}

using Targets = std::vector<std::vector<double>>;

Options options_for(const TemporaryFolder& folder, const std::string& data) {
  Options options;
  options.data.data = {data};
  options.output.out = folder / "model.safetensors";
  return options;
}

double metric(const Metrics& metrics, const std::string& wanted) {
  for (const auto& [name, value] : metrics) {
    if (name == wanted) return value;
  }
  ADD_FAILURE() << "no metric " << wanted;
  return NAN;
}

double baseline_rmse(const EvaluateResult& result, const std::string& name) {
  for (const Baseline& baseline : result.baselines) {
    if (baseline.name == name) return metric(baseline.metrics, "rmse");
  }
  ADD_FAILURE() << "no baseline " << name;
  return NAN;
}

struct Rows final : RowSink {
  void header(const std::vector<std::string>& names) override { columns = names; }
  void row(const std::vector<std::string>& cells) override { rows.push_back(cells); }
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Oracle: the noise is 0.1, so no model can have less error; what a line misses, x0^2, has deviation sqrt(2).
TEST(Regress, ANoisyQuadraticIsLearntFarBetterThanByALine) {
  const TemporaryFolder folder;
  put_file(folder / "q.csv", quadratic_table());
  Options options = options_for(folder, folder / "q.csv");
  options.train.epochs = 150;
  Observer quiet;
  const TrainResult result = regress_task().train(options, quiet);
  EXPECT_EQ(30, result.samples);
  EXPECT_LT(metric(result.metrics, "rmse"), 0.5);
  EXPECT_GT(baseline_rmse(result, "linear"), 0.8);
  EXPECT_GT(baseline_rmse(result, "mean"), baseline_rmse(result, "linear"));
  EXPECT_NEAR(metric(result.metrics, "mse"), std::pow(metric(result.metrics, "rmse"), 2), 1e-9);

  // The model file stands alone: raw numbers in, raw numbers out. Oracle: the function itself.
  put_file(folder / "new.csv", "x1,x0\n0.5,1\n-0.5,-1\n");
  options.data.data = {folder / "new.csv"};
  Rows rows;
  regress_task().predict(Model::load(options.output.out), options, rows);
  ASSERT_EQ(2u, rows.rows.size());
  EXPECT_EQ(std::vector<std::string>{"y"}, rows.columns);
  EXPECT_NEAR(1 - 1, std::stod(rows.rows[0][0]), 0.4);
  EXPECT_NEAR(1 + 1, std::stod(rows.rows[1][0]), 0.4);
}

// Oracle: the same run on one thread.
TEST(Regress, TheSameSeedGivesTheSameModelForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  put_file(folder / "q.csv", quadratic_table());
  Options options = options_for(folder, folder / "q.csv");
  options.train.epochs = 3;
  std::vector<std::string> weights;
  for (const int threads : {1, 2}) {
    set_threads(threads);
    Observer quiet;
    regress_task().train(options, quiet);
    std::string bytes;
    const Model model = Model::load(options.output.out);
    for (const auto& [name, tensor] : model.network().named_tensors()) {
      bytes.append(reinterpret_cast<const char*>(tensor->value.data()),
                   static_cast<std::size_t>(tensor->value.elements()) * sizeof(float));
    }
    weights.push_back(bytes);
  }
  set_threads(0);
  EXPECT_TRUE(weights[0] == weights[1]);
}

// Oracle: targets [N, 2] made from the last step and from the sum of each sequence, which a line cannot mix up.
TEST(Regress, SequencesWithSeveralTargetsAreLearnt) {
  const TemporaryFolder folder;
  constexpr std::int64_t kSteps = 4, kSamples = 120;
  Tensor x({kSteps, kSamples, 2}), y({kSamples, 2});
  fill_normal({6, Purpose::kTest, 0}, 0.0f, 1.0f, x.span());
  for (std::int64_t n = 0; n < kSamples; ++n) {
    y[n * 2] = 10 * x[((kSteps - 1) * kSamples + n) * 2];
    for (std::int64_t t = 0; t < kSteps; ++t) y[n * 2 + 1] += 100 * x[(t * kSamples + n) * 2 + 1];
  }
  write_npy<float>(folder / "x.npy", x.view());
  write_npy<float>(folder / "y.npy", y.view());
  Options options = options_for(folder, folder / "x.npy");
  options.data.labels = folder / "y.npy";
  options.model.cell = "gru";
  options.model.hidden_size = 16;
  options.train.epochs = 60;
  options.train.lr = 0.01;
  Observer quiet;
  const TrainResult result = regress_task().train(options, quiet);
  EXPECT_LT(metric(result.metrics, "rmse"), 0.5 * baseline_rmse(result, "mean"));
  Rows rows;
  options.data.labels.clear();
  regress_task().predict(Model::load(options.output.out), options, rows);
  EXPECT_EQ((std::vector<std::string>{"target", "target_2"}), rows.columns);
  EXPECT_EQ(static_cast<std::size_t>(kSamples), rows.rows.size());
}

struct Notes final : Observer {
  void note(const std::string& line) override { text += line + "\n"; }
  std::string text;
};

// Oracle: the mean of the training part, by hand: every row trains or validates, and all that is there is 4.
TEST(Regress, MissingFeaturesAreFilledWithTheTrainingMeanAndCounted) {
  const TemporaryFolder folder;
  std::string text = "a,b,y\n";
  for (int n = 0; n < 20; ++n) text += fmt::format("{},4,{}\n", n % 5 == 0 ? "NA" : "4", n);
  put_file(folder / "m.csv", text);
  Options options = options_for(folder, folder / "m.csv");
  options.train.epochs = 1;
  Notes notes;
  regress_task().train(options, notes);
  EXPECT_NE(std::string::npos, notes.text.find("4 missing values filled")) << notes.text;
  EXPECT_NE(std::string::npos, notes.text.find("feed-forward")) << notes.text;
  // A row with a gap is worth as much as one with the mean in its place.
  put_file(folder / "new.csv", "a,b\n?,4\n4,4\n");
  options.data.data = {folder / "new.csv"};
  Rows rows;
  regress_task().predict(Model::load(options.output.out), options, rows);
  EXPECT_EQ(rows.rows[0], rows.rows[1]);
}

TEST(Regress, TheTargetIsTheLastColumnOrTheNamedOnes) {
  const TemporaryFolder folder;
  put_file(folder / "t.csv", "a,b,c\n1,2,3\n4,5,6\n");
  DataOptions options;
  const RegressData last = read_regress_data({folder / "t.csv"}, options, nullptr, true);
  EXPECT_EQ((std::vector<std::string>{"a", "b"}), last.columns.features);
  EXPECT_EQ((Targets{{3}, {6}}), last.targets);
  options.target = {"b", "a"};
  const RegressData named = read_regress_data({folder / "t.csv"}, options, nullptr, true);
  EXPECT_EQ(std::vector<std::string>{"c"}, named.columns.features);
  EXPECT_EQ((Targets{{2, 1}, {5, 4}}), named.targets);
}

TEST(Regress, NumbersSetApartByBlanksAndSequencesWithNumbersAsLabelsAreRead) {
  const TemporaryFolder folder;
  put_file(folder / "t.data", " 1.5  2  3.25\n 4    5  6\n");
  EXPECT_EQ((Targets{{3.25}, {6}}), read_regress_data({folder / "t.data"}, {}, nullptr, true).targets);
  put_file(folder / "s.ts", "@targetLabel true\n@data\n1,2,3:4,5,6:0.5\n1,2:3,4:-2\n");
  const RegressData sequences = read_regress_data({folder / "s.ts"}, {}, nullptr, true);
  EXPECT_EQ(2, sequences.samples.features);
  EXPECT_EQ((std::vector<std::int32_t>{3, 2}), sequences.samples.lengths(std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ((Targets{{0.5}, {-2}}), sequences.targets);
}

TEST(Regress, WrongInputIsNamedWithItsPlaceAndWhatToDo) {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text, const DataOptions& options = {}) {
    put_file(folder / "t.csv", text);
    read_regress_data({folder / "t.csv"}, options, nullptr, true);
  };
  expect_error(Code::kData, {"t.csv:3", "'city'", "'Paris'", "leave the column out"},
               [&] { read("city,y\n1,2\nParis,3\n"); });
  expect_error(Code::kData, {"t.csv:2", "'y'", "'high'"}, [&] { read("a,y\n1,high\n"); });
  expect_error(Code::kData, {"t.csv:3", "target 'y' is missing"}, [&] { read("a,y\n1,2\n3,\n"); });
  expect_error(Code::kData, {"no feature"}, [&] { read("y\n1\n"); });
  expect_error(Code::kData, {"'prize'", "price"}, [&] {
    DataOptions options;
    options.target = {"prize"};
    read("a,price\n1,2\n", options);
  });
  expect_error(Code::kData, {"no samples"}, [&] { read("a,y\n"); });

  Options options = options_for(folder, folder / "t.csv");
  options.train.loss = "cross_entropy";
  put_file(folder / "t.csv", quadratic_table());
  Observer quiet;
  expect_error(Code::kUsage, {"--loss cross_entropy", "huber"}, [&] { regress_task().train(options, quiet); });
  options.train.loss.clear();
  Tensor x({2, 3, 1});
  write_npy<float>(folder / "x.npy", x.view());
  options.data.data = {folder / "x.npy"};
  expect_error(Code::kUsage, {"--labels"}, [&] { regress_task().train(options, quiet); });
  write_npy<float>(folder / "y.npy", Tensor({2}).view());
  options.data.labels = folder / "y.npy";
  expect_error(Code::kData, {"y.npy", "[2]", "[3]"}, [&] { regress_task().train(options, quiet); });
}

TEST(Regress, AModelAsksForTheColumnsItWasTrainedWith) {
  const TemporaryFolder folder;
  put_file(folder / "q.csv", quadratic_table());
  Options options = options_for(folder, folder / "q.csv");
  options.train.epochs = 1;
  Observer quiet;
  regress_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  put_file(folder / "new.csv", "x0,other\n1,2\n");
  options.data.data = {folder / "new.csv"};
  Rows rows;
  expect_error(Code::kData, {"new.csv", "'x1'"}, [&] { regress_task().predict(model, options, rows); });
  options.data.part = "test";
  options.data.data = {folder / "q.csv"};
  expect_error(Code::kUsage, {"--part test", "--split"}, [&] { regress_task().evaluate(model, options, quiet); });
}

}  // namespace
}  // namespace carousel
