// Oracle: the loss by another road: what `predict` says for the same samples, in the units of the data, and the formula
// of the loss by hand.
#include "tasks/task_gradients.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "base/random.h"
#include "formats/npy.h"
#include "tasks/forecast/forecast_model.h"
#include "tasks/impute/impute_model.h"
#include "tasks/lm/lm_training.h"
#include "tasks/regress/regress_model.h"
#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_network.h"
#include "tasks/task.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

struct PredictedRows final : RowSink {
  void header(const std::vector<std::string>&) override {}
  void row(const std::vector<std::string>& cells) override { rows.push_back(cells); }
  double number(std::size_t row, std::size_t column) const { return std::stod(rows.at(row).at(column)); }
  std::vector<std::vector<std::string>> rows;
};

Options training_options(const TemporaryFolder& folder, const std::string& data) {
  Options options;
  options.data.data = {data};
  options.data.valid_fraction = 0.3;
  options.model.cell = "gru";
  options.model.hidden_size = 4;
  options.train.epochs = 3;
  options.output.out = folder / "model.safetensors";
  return options;
}

Model trained(const std::string& task, const Options& options) {
  Observer quiet;
  find_task(task).train(options, quiet);
  return Model::load(options.output.out);
}

PredictedRows predicted(const Model& model, const std::string& data) {
  Options options;
  options.data.data = {data};
  PredictedRows rows;
  find_task(model.task()).predict(model, options, rows);
  return rows;
}

std::vector<float> noise(std::size_t count) {
  std::vector<float> values(count);
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 1.0f, values);
  return values;
}

TEST(TaskGradients, TheLossOfARegressionIsTheSquaredErrorInScaledUnits) {
  TemporaryFolder folder;
  const std::vector<float> x = noise(80);
  std::string text = "x0,x1,y\n";
  for (std::size_t n = 0; n < x.size(); n += 2) text += fmt::format("{},{},{}\n", x[n], x[n + 1], 5 + 9 * x[n]);
  write_file_atomically(folder / "rows.csv", text);
  const Options options = training_options(folder, folder / "rows.csv");
  const Model model = trained("regress", options);
  const PredictedRows rows = predicted(model, folder / "rows.csv");
  const double deviation = RegressInfo::from_model(model).targets[0].deviation;
  double loss = 0;
  for (std::size_t n = 0; n < 3; ++n) loss += std::pow((rows.number(n, 0) - (5 + 9 * x[2 * n])) / deviation, 2) / 3;
  const GradientFlow flow = task_gradient_flow(model, options, 3);
  EXPECT_NEAR(flow.loss, loss, 1e-5 * (1 + loss));
  EXPECT_EQ(flow.scans[0].cell, "gru");
  EXPECT_GT(flow.scans[0].states[0].norms[0], 0);
}

// Oracle: nll of the first three samples, which differ in length, by `evaluate`; the loss is its mean over outputs.
TEST(TaskGradients, TheLossOfBinaryTargetsAtEveryStepIsTheirNegativeLogLikelihood) {
  TemporaryFolder folder;
  const auto write = [&](const std::string& name, std::int64_t samples) {
    Tensor x({5, samples, 2}), y({5, samples, 2});
    for (std::int64_t j = 0; j < x.elements(); ++j) {
      const std::int64_t t = j / (2 * samples), n = j / 2 % samples, k = j % 2;
      const bool over = t >= 2 + n % 4;
      x[j] = over ? std::nanf("") : noise(400)[static_cast<std::size_t>((n * 5 + t) * 2 + k)];
      y[j] = over ? std::nanf("") : static_cast<float>(x[j] > 0.5f);
    }
    write_npy<float>(folder / (name + "x.npy"), x.view());
    write_npy<float>(folder / (name + "y.npy"), y.view());
  };
  write("", 40);
  write("first", 3);
  Options options = training_options(folder, folder / "x.npy");
  options.data.labels = folder / "y.npy";
  options.train.loss = "bce";
  const Model model = trained("regress", options);
  const GradientFlow flow = task_gradient_flow(model, options, 3);
  options.data.data = {folder / "firstx.npy"};
  options.data.labels = folder / "firsty.npy";
  Observer quiet;
  const EvaluateResult result = find_task("regress").evaluate(model, options, quiet);
  EXPECT_NEAR(flow.loss, *find_metric(result.metrics, "nll") / 2, 1e-6);
}

TEST(TaskGradients, TheLossOfAForecastIsThatOfTheLastWindow) {
  TemporaryFolder folder;
  constexpr std::size_t kRows = 120, kHorizon = 3;
  const std::vector<float> x = noise(kRows);
  std::string all = "y\n", known = "y\n";
  std::vector<double> values;
  for (std::size_t t = 0; t < kRows; ++t) {
    values.push_back(40 + 10 * std::sin(static_cast<double>(t) / 3) + double{x[t]});
    const std::string line = fmt::format("{}\n", values.back());
    all += line;
    if (t + kHorizon < kRows) known += line;
  }
  write_file_atomically(folder / "all.csv", all);
  write_file_atomically(folder / "known.csv", known);
  Options options = training_options(folder, folder / "all.csv");
  options.data.horizon = kHorizon;
  options.data.window = 8;
  const Model model = trained("forecast", options);
  const PredictedRows rows = predicted(model, folder / "known.csv");
  const double deviation = ForecastInfo::from_model(model).scaler.columns()[0].factor;
  double loss = 0;
  for (std::size_t h = 0; h < kHorizon; ++h) {
    loss += std::pow((rows.number(h, 1) - values[kRows - kHorizon + h]) / deviation, 2) / kHorizon;
  }
  const GradientFlow flow = task_gradient_flow(model, options, 1);
  EXPECT_NEAR(flow.loss, loss, 1e-5 * (1 + loss));
  EXPECT_EQ(flow.scans[0].jacobian_norms.size(), 8U);
  EXPECT_EQ(flow.scans[0].layer, "forecast.0.recurrent");
}

TEST(TaskGradients, TheLossOfAClassifierIsTheCrossEntropy) {
  TemporaryFolder folder;
  std::string text = "label\ttext\n";
  for (int n = 0; n < 40; ++n) text += fmt::format("{}\tthe film was {}\n", n % 2, n % 2 == 0 ? "awful" : "superb so");
  write_file_atomically(folder / "texts.tsv", text);
  Options options = training_options(folder, folder / "texts.tsv");
  options.model.embedding_size = 4;
  const Model model = trained("classify", options);
  const PredictedRows rows = predicted(model, folder / "texts.tsv");
  double loss = 0;
  for (std::size_t n = 0; n < 4; ++n) loss -= std::log(rows.number(n, 1 + n % 2)) / 4;
  EXPECT_NEAR(task_gradient_flow(model, options, 4).loss, loss, 1e-5 * (1 + loss));
}

// The row in the middle of the last window is the one that `predict` fills in a file without it; 96 rows are a multiple
// of half a window, so that it answers from the same window.
TEST(TaskGradients, TheLossOfAnImputationIsThatOfTheHiddenValueInTheMiddle) {
  TemporaryFolder folder;
  constexpr std::size_t kRows = 96, kWindow = 8, kHidden = kRows - kWindow / 2;
  const std::vector<float> x = noise(2 * kRows);
  std::string all = "y,x\n", hidden = "y,x\n";
  std::vector<double> values;
  for (std::size_t t = 0; t < kRows; ++t) {
    values.push_back(40 + 10 * double{x[t]} + std::sin(static_cast<double>(t) / 3));
    const std::string past = fmt::format(",{}\n", x[t] + 0.1f * x[kRows + t]);
    all += fmt::to_string(values.back()) + past;
    hidden += (t == kHidden ? "" : fmt::to_string(values.back())) + past;
  }
  write_file_atomically(folder / "all.csv", all);
  write_file_atomically(folder / "hidden.csv", hidden);
  Options options = training_options(folder, folder / "all.csv");
  options.data.target = {"y"};
  options.data.past = {"x"};
  options.data.window = kWindow;
  options.train.lr = 0.02;
  const Model model = trained("impute", options);
  const PredictedRows rows = predicted(model, folder / "hidden.csv");
  const double line = (values[kHidden - 1] + values[kHidden + 1]) / 2;
  ASSERT_GT(std::abs(rows.number(kHidden, 1) - line), 0.1);  // the network adds something
  const double deviation = ImputeInfo::from_model(model).series.scaler.columns()[0].factor;
  const double loss = std::pow((rows.number(kHidden, 1) - values[kHidden]) / deviation, 2);
  const GradientFlow flow = task_gradient_flow(model, options, 1);
  EXPECT_NEAR(flow.loss, loss, 1e-5 * (1 + loss));
  ASSERT_EQ(flow.scans.size(), 2U);  // both directions, whose gradients begin in the middle
  const std::vector<double>& forward = flow.scans[0].states[0].norms;
  const std::vector<double>& backward = flow.scans[1].states[0].norms;
  ASSERT_EQ(forward.size(), kWindow);
  EXPECT_GT(forward[0], 0);
  EXPECT_EQ(forward[kWindow / 2 + 1], 0);
  EXPECT_GT(backward[kWindow - 1], 0);
  EXPECT_EQ(backward[kWindow / 2 - 1], 0);
  options.data.data = {folder / "short.csv"};
  write_file_atomically(folder / "short.csv", "y,x\n1,2\n3,4\n");
  expect_error(Code::kData, {"no series has 8 rows", "'y'"}, [&] { task_gradient_flow(model, options, 1); });
}

// Oracle: what evaluate says of the last token of the same text, which is shorter than the steps that are shown; two
// streams of it are as two texts.
TEST(TaskGradients, TheLossOfALanguageModelIsThatOfItsLastTokens) {
  TemporaryFolder folder;
  std::string text;
  for (int n = 0; n < 200; ++n) text += n % 3 == 0 ? "abcde\n" : "bcd\n";
  put_file(folder / "text.txt", text);
  put_file(folder / "short.txt", text.substr(0, 80));
  Options options = training_options(folder, folder / "text.txt");
  options.data.level = "char";
  const Model model = trained("lm", options);
  options.data.data = {folder / "short.txt"};
  const GradientFlow flow = task_gradient_flow(model, options, 1);
  const LmInfo info = LmInfo::from_model(model);
  LmEncoder encoder(info.text, info.vocabulary);
  const std::vector<std::int32_t> ids = encoder.encode({text.substr(0, 80)}).ids;
  const auto last_loss = [&](std::span<const std::int32_t> part, std::int32_t start) {
    return score_stream(model.network(), part, start).losses.back();
  };
  EXPECT_NEAR(flow.loss, last_loss(ids, encoder.line_end()), 1e-5);
  const std::span<const std::int32_t> all(ids);
  const double both = last_loss(all.first(40), encoder.line_end()) + last_loss(all.subspan(40), ids[39]);
  EXPECT_NEAR(task_gradient_flow(model, options, 2).loss, both / 2, 1e-5);
  ASSERT_EQ(flow.scans.size(), 2U);
  EXPECT_EQ(flow.scans[1].layer, "body.recurrent");
  EXPECT_EQ(flow.scans[1].states[0].norms.size(), 80U);
  EXPECT_GT(flow.scans[0].states[0].norms[40], 0);
  options.data.data = {folder / "text.txt"};
  EXPECT_EQ(task_gradient_flow(model, options, 3).scans[0].states[0].norms.size(), 100U);
}

// Oracle: the likelihood of the tags by brute force over all sequences of tags, or the product of their probabilities.
TEST(TaskGradients, TheLossOfATaggerIsThatOfItsTags) {
  TemporaryFolder folder;
  std::string tokens, tags;
  for (int n = 0; n < 40; ++n) {
    tokens += n % 2 == 0 ? "to new york\n" : "from boston\n";
    tags += n % 2 == 0 ? "O B-x I-x\n" : "O B-x\n";
  }
  put_file(folder / "in", tokens);
  put_file(folder / "out", tags);
  for (const std::string crf : {"true", "false"}) {
    Options options = training_options(folder, folder / "in");
    options.data.tags = {folder / "out"};
    options.model.crf = crf;
    const Model model = trained("tag", options);
    const TagInfo info = TagInfo::from_model(model);
    TagData data = read_tag_data(options.data, false);
    encode_sentences(info, data);
    const std::int64_t first[] = {0};
    double loss = 0;
    score_sentences(model.network(), data, first, info, [&](std::int64_t, std::span<const float> scores, auto) {
      const Crf* layer = tagger_crf(model.network());
      const auto score = [&](std::int32_t a, std::int32_t b, std::int32_t c) {
        double sum = scores[static_cast<std::size_t>(a)] + scores[static_cast<std::size_t>(3 + b)] +
                     scores[static_cast<std::size_t>(6 + c)];
        if (!layer) return sum;
        sum += layer->start.value[a] + layer->end.value[c];
        return sum + layer->transitions.value[a * 3 + b] + layer->transitions.value[b * 3 + c];
      };
      double all = 0;
      for (std::int32_t k = 0; k < 27; ++k) all += std::exp(score(k / 9, k / 3 % 3, k % 3));
      loss = std::log(all) - score(data.tags[0][0], data.tags[0][1], data.tags[0][2]);
    });
    const GradientFlow flow = task_gradient_flow(model, options, 1);
    EXPECT_NEAR(flow.loss, loss, 1e-4) << crf;
    ASSERT_EQ(flow.scans.size(), 2U);
    EXPECT_EQ(flow.scans[1].layer, "body.recurrent");
    EXPECT_TRUE(flow.scans[1].reverse);
    EXPECT_EQ(flow.scans[0].states[0].norms.size(), 3U);
    put_file(folder / "out", "O B-y I-y\n" + tags.substr(tags.find('\n') + 1));
    expect_error(Code::kData, {"in:1", "'B-y' was not in the training part"},
                 [&] { task_gradient_flow(model, options, 1); });
    put_file(folder / "out", tags);
  }
}

// Oracle: -log of the probability of each text, which `predict` gives for the text it finds, summed and divided by the
// number of all labels; the samples differ in length.
TEST(TaskGradients, TheLossOfATranscriberIsThatOfItsTextsPerLabel) {
  TemporaryFolder folder;
  std::string table = "audio\ttext\n";
  for (std::int64_t n = 0; n < 30; ++n) {
    Tensor x({6 + n % 3, 2});
    for (std::int64_t k = 0; k < x.elements(); ++k) x[k] = noise(600)[static_cast<std::size_t>(n * 16 + k)];
    write_npy<float>(folder / (std::to_string(n) + ".npy"), x.view());
    table += fmt::format("{}.npy\t{}\n", n, n % 2 == 0 ? "ab" : "b");
  }
  put_file(folder / "all.tsv", table);
  Options options = training_options(folder, folder / "all.tsv");
  options.data.level = "char";
  options.data.stack = 1;
  const Model model = trained("transcribe", options);
  const PredictedRows rows = predicted(model, folder / "all.tsv");
  table = "audio\ttext\n";
  double loss = 0;
  std::size_t labels = 0;
  for (std::size_t n = 0; n < 3; ++n) {
    const std::string text = rows.rows[n][0].empty() ? "" : rows.rows[n][0];
    table += fmt::format("{}.npy\t{}\n", n, text);
    loss -= rows.number(n, 1);
    labels += text.size();
  }
  put_file(folder / "found.tsv", table);
  options.data.data = {folder / "found.tsv"};
  const GradientFlow flow = task_gradient_flow(model, options, 3);
  EXPECT_NEAR(flow.loss, loss / static_cast<double>(std::max<std::size_t>(labels, 1)), 1e-5 * (1 + loss));
  EXPECT_EQ(flow.scans[0].states[0].norms.size(), 8U);
  EXPECT_GT(flow.scans[0].states[0].norms[7], 0);
  put_file(folder / "found.tsv", "audio\ttext\n0.npy\tab\n1.npy\txa\n");
  EXPECT_NO_THROW(task_gradient_flow(model, options, 1));
  expect_error(Code::kData, {"found.tsv:3", "'xa'", "not in the training part"},
               [&] { task_gradient_flow(model, options, 2); });
  put_file(folder / "found.tsv", "audio\ttext\n0.npy\tabababa\n");
  expect_error(Code::kData, {"found.tsv:2", "7 labels", "6 ("}, [&] { task_gradient_flow(model, options, 1); });
}

TEST(TaskGradients, APageShowsBoth) {
  GradientFlow flow;
  flow.scans.push_back({"a<b", "lstm", 0, true, {{"h", {1, 0.1, 0}}, {"c", {1, 0.2, 0.04}}}, {0.5, 0.25, 0.5}});
  const std::string page = gradient_flow_page("T", flow);
  EXPECT_NE(page.find("c of a&lt;b, layer 0, backward"), std::string::npos);
  EXPECT_EQ(page.find("a<b"), std::string::npos);
  EXPECT_NE(page.find("largest singular value"), std::string::npos);
}

TEST(TaskGradients, ANetworkOfNoTaskHasNoLoss) {
  const Model model("mine", Sequential{Recurrent{{.input_size = 1, .hidden_size = 1}}, Pool{"last"}});
  expect_error(Code::kUsage, {"the loss of a task", "'mine'"}, [&] { task_gradient_flow(model, Options(), 1); });
}

}  // namespace
}  // namespace carousel
