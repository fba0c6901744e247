// Oracles: closed forms (a uniform network, a language of known entropy), the same computation by another road (chunks
// against the whole, one stream against the network's own prediction), counts by hand, and error messages.
#include "tasks/lm/lm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "autograd/ops/cross_entropy.h"
#include "base/random.h"
#include "carousel/stream.h"
#include "kernels/softmax.h"
#include "tasks/lm/lm_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

constexpr std::int64_t kVocabulary = 9;

std::vector<std::int32_t> random_tokens(std::int64_t count, std::uint64_t seed) {
  std::vector<std::int32_t> ids;
  for (std::int64_t k = 0; k < count; ++k) {
    ids.push_back(static_cast<std::int32_t>(
        uniform_below({seed, Purpose::kTest, 1}, static_cast<std::uint64_t>(k), kVocabulary)));
  }
  return ids;
}

ModelOptions small_model(const std::string& tie = "false") {
  ModelOptions options;
  options.cell = "lstm";
  options.hidden_size = options.embedding_size = 6;
  options.layers = 2;
  options.dropout = 0;
  options.bidirectional = "false";
  options.tie_embeddings = tie;
  return options;
}

Sequential small_network(const std::string& tie = "false") {
  Sequential network = build_lm(small_model(tie), std::vector<std::string>(kVocabulary));
  network.initialize(3);
  return network;
}

// -log p of every token by the network as a whole, from padded logits.
std::vector<double> losses_by_prediction(Sequential& network, const std::vector<std::int32_t>& ids,
                                         std::int32_t start) {
  IdTensor inputs({std::ssize(ids), 1});
  inputs[0] = start;
  std::copy(ids.begin(), ids.end() - 1, inputs.data() + 1);
  const Tensor logits = network.predict(inputs);
  Tensor log_p(logits.shape());
  kernels::log_softmax<float>(std::ssize(ids), kVocabulary, logits.data(), log_p.data());
  std::vector<double> losses;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    losses.push_back(-log_p[static_cast<std::int64_t>(t) * kVocabulary + ids[t]]);
  }
  return losses;
}

TEST(LmScore, ChunksWithTheStateCarriedEqualOnePassOverTheWhole) {
  const auto ids = random_tokens(700, 1);  // three chunks
  for (const std::string tie : {"false", "true"}) {
    Sequential network = small_network(tie);
    const StreamScore score = score_stream(network, ids, 3);
    expect_near(score.losses, losses_by_prediction(network, ids, 3), 1e-6, "losses");
  }
}

// 30 tokens: 6 in the head, 24 in a cluster. By the network's forward pass, by the loss, and step by step.
TEST(LmScore, AnAdaptiveSoftmaxIsExactAndAddsUpToOne) {
  ModelOptions options = small_model();
  options.softmax = "adaptive";
  Sequential model = build_lm(options, std::vector<std::string>(30));
  model.initialize(3);
  const auto ids = random_tokens(60, 11);
  std::vector<std::int32_t> spread;
  for (std::size_t k = 0; k < ids.size(); ++k) spread.push_back(static_cast<std::int32_t>((ids[k] * 7 + k) % 30));
  IdTensor inputs({60, 1});
  inputs[0] = 3;
  std::copy(spread.begin(), spread.end() - 1, inputs.data() + 1);
  const Tensor log_p = model.predict(inputs);
  const StreamScore score = score_stream(model, spread, 3);
  Stream stream(model);
  for (std::int64_t t = 0; t < 60; ++t) {
    double sum = 0;
    for (std::int64_t k = 0; k < 30; ++k) sum += std::exp(static_cast<double>(log_p[t * 30 + k]));
    EXPECT_NEAR(sum, 1, 1e-5) << t;
    EXPECT_NEAR(score.losses[static_cast<std::size_t>(t)], -log_p[t * 30 + spread[static_cast<std::size_t>(t)]], 1e-5);
    expect_near(stream.step(inputs[t]), std::span(log_p.data() + t * 30, 30), 1e-5, "step");
  }
}

// Each stream starts from nothing, so that several are as many texts.
TEST(LmScore, SeveralStreamsEqualTheirPartsAlone) {
  const auto ids = random_tokens(10, 2);
  Sequential network = small_network();
  const double sum = score_stream(network, ids, 3, 3).sum;  // of 4, 3 and 3 tokens
  const auto part = [&](std::size_t begin, std::size_t count, std::int32_t start) {
    return score_stream(network, std::span(ids).subspan(begin, count), start).sum;
  };
  EXPECT_NEAR(sum, part(0, 4, 3) + part(4, 3, ids[3]) + part(7, 3, ids[6]), 1e-5);
}

TEST(LmScore, PerplexityOfAUniformNetworkIsTheSizeOfTheVocabulary) {
  Sequential network = build_lm(small_model(), std::vector<std::string>(kVocabulary));  // all weights zero
  TokenStream text{random_tokens(300, 4), 600};
  const Metrics metrics = lm_metrics(score_stream(network, text.ids, 0).sum, text, TextLevel::kWord);
  EXPECT_EQ(metrics[0].first, "perplexity");
  EXPECT_NEAR(metrics[0].second, kVocabulary, 1e-12 * kVocabulary);
  EXPECT_NEAR(metrics[1].second, std::log2(kVocabulary) * 300 / 600, 1e-12);
}

// The first chunk is scored before anything was learnt; a rate of 0 learns nothing; the weights come back; a text that
// repeats itself becomes more likely.
TEST(LmScore, DynamicEvaluationLearnsBehindTheScoreAndPutsTheWeightsBack) {
  Sequential network = small_network("true");
  std::vector<std::int32_t> ids;
  for (int k = 0; k < 400; ++k) ids.push_back(4 + k % 3);
  const StreamScore plain = score_stream(network, ids, 3);
  const StreamScore still = score_dynamically(network, ids, 3, 1e-30), learnt = score_dynamically(network, ids, 3, 0.5);
  expect_near(still.losses, plain.losses, 1e-6, "losses");
  expect_near(std::span(learnt.losses).first(20), std::span(plain.losses).first(20), 1e-6, "first chunk");
  EXPECT_LT(learnt.sum, 0.8 * plain.sum);
  EXPECT_EQ(score_stream(network, ids, 3).losses, plain.losses);
}

// Every form of dropout and both trained losses reach a text whose next letter is certain; evaluation is without them.
TEST(LmTask, TrainsWithEveryFormOfDropoutAverageAndLoss) {
  TemporaryFolder folder;
  std::string text;
  for (int k = 0; k < 300; ++k) text += "abcdefgh\n";
  put_file(folder / "text.txt", text);
  Options options;
  options.data.data = {folder / "text.txt"};
  options.data.level = "char";
  options.model.hidden_size = options.model.embedding_size = 16;
  options.model.layers = 2;
  options.model.dropout = 0.1;
  options.model.embedding_dropout = 0.05;
  options.model.tie_embeddings = "true";
  options.train.bptt = 9;
  options.train.batch_size = 4;
  options.train.epochs = 8;
  options.train.lr = 0.02;
  options.output.out = folder / "model.safetensors";
  for (const bool variational : {false, true}) {
    for (const std::string softmax : {"full", "sampled", "adaptive"}) {
      options.model.tie_embeddings = softmax == "adaptive" ? "false" : "true";
      options.model.variational_dropout = variational;
      options.model.softmax = softmax;
      options.train.average = variational ? "asgd" : "ema";
      Observer quiet;
      const TrainResult result = lm_task().train(options, quiet);
      EXPECT_LT(result.metrics[0].second, 0.5) << variational << softmax;
      const Model model = Model::load(folder / "model.safetensors");
      Options scoring;
      scoring.data.data = options.data.data;
      scoring.data.surprise = true;
      const EvaluateResult scored = lm_task().evaluate(model, scoring, quiet);
      double sum = 0;
      for (const ScoredToken& token : scored.tokens) sum -= token.log_probability;
      ASSERT_EQ(scored.tokens.size(), 2700u);
      EXPECT_EQ(scored.tokens[8].token, "\n");
      EXPECT_NEAR(std::exp(sum / 2700), scored.metrics[1].second, 1e-9);
    }
  }
}

std::vector<Tensor> gradients_of(Sequential& network, LmProblem& problem, std::int64_t batches) {
  for (Parameter* parameter : network.parameters()) parameter->gradient.fill(0);
  for (std::int64_t k = 0; k < batches; ++k) {
    Tape<float> tape;
    problem.prepare(0, k);
    tape.backward(problem.loss(tape, 0, k));
  }
  std::vector<Tensor> gradients;
  for (Parameter* parameter : network.parameters()) gradients.push_back(parameter->gradient);
  return gradients;
}

TEST(LmProblem, BackPropagationOverTheWholeTextIsThatOfOnePass) {
  const TokenStream text{random_tokens(40, 5), 40};
  Sequential network = small_network();
  TrainOptions options;
  options.batch_size = 1;
  options.bptt = 64;
  LmProblem problem(network, {&text, &text, 3, TextLevel::kCharacter}, options);
  ASSERT_EQ(1, problem.batches_in_epoch(0));
  const auto got = gradients_of(network, problem, 1);
  IdTensor inputs({40, 1}), labels({40, 1}, std::span(text.ids));
  inputs[0] = 3;
  std::copy(text.ids.begin(), text.ids.end() - 1, inputs.data() + 1);
  for (Parameter* parameter : network.parameters()) parameter->gradient.fill(0);
  backward(cross_entropy(network(inputs), labels));
  for (std::size_t k = 0; k < got.size(); ++k) {
    expect_near(got[k], network.parameters()[k]->gradient, 1e-6, network.parameters()[k]->name.c_str());
  }
}

// Two chunks of 20 against the whole: the first chunk's loss is its own, and the state goes on without its gradient.
TEST(LmProblem, TruncationCarriesTheStateAndCutsTheGradient) {
  const TokenStream text{random_tokens(40, 6), 40};
  Sequential network = small_network();
  TrainOptions options;
  options.batch_size = 1;
  options.bptt = 20;
  LmProblem problem(network, {&text, &text, 3, TextLevel::kCharacter}, options);
  ASSERT_EQ(2, problem.batches_in_epoch(0));
  const StreamScore whole = score_stream(network, text.ids, 3);
  for (std::int64_t k = 0; k < 2; ++k) {
    Tape<float> tape;
    problem.prepare(0, k);
    double mean = 0;
    for (std::int64_t t = 0; t < 20; ++t) mean += whole.losses[static_cast<std::size_t>(k * 20 + t)] / 20;
    EXPECT_NEAR(problem.loss(tape, 0, k).item(), mean, 1e-6) << k;
  }
}

TEST(LmProblem, TheTiedTableGetsTheGradientsOfBothTablesOfAnUntiedNetwork) {
  const TokenStream text{random_tokens(60, 7), 60};
  Sequential tied = small_network("true"), untied = small_network();
  const auto from = tied.parameters(), to = untied.parameters();
  ASSERT_EQ(from.size() + 1, to.size());
  for (std::size_t k = 0; k + 1 < from.size(); ++k) to[k]->value = from[k]->value;
  to[to.size() - 2]->value = from[0]->value;
  to.back()->value = from.back()->value;
  TrainOptions options;
  options.batch_size = 3;
  options.bptt = 7;
  LmProblem one(tied, {&text, &text, 3, TextLevel::kCharacter}, options);
  LmProblem two(untied, {&text, &text, 3, TextLevel::kCharacter}, options);
  auto got = gradients_of(tied, one, 3), expected = gradients_of(untied, two, 3);
  Tensor& table = expected[0];
  for (std::int64_t j = 0; j < table.elements(); ++j) table[j] += expected[expected.size() - 2][j];
  for (std::size_t k = 0; k + 1 < got.size(); ++k) expect_near(got[k], expected[k], 1e-6, from[k]->name.c_str());
  expect_near(got.back(), expected.back(), 1e-6, "output bias");
}

TEST(StreamBatches, EveryTokenIsALabelOnceAndFollowsItsPredecessor) {
  const auto ids = random_tokens(23, 8);  // streams of 6, 6, 6, 5 tokens in chunks of 4
  StreamBatches batches(ids, 99, 4, 4);
  ASSERT_EQ(2, batches.chunks());
  std::vector<std::vector<std::int32_t>> labels(4), inputs(4);
  for (std::int64_t k = 0; k < 2; ++k) {
    batches.assign(k);
    const detail::PassInput input = batches.pass_input();
    std::size_t next = 0;
    for (std::int64_t t = 0; t < input.ids->shape()[0]; ++t) {
      for (std::size_t n = 0; n < 4; ++n) {
        if (t >= input.lengths[n]) continue;
        inputs[n].push_back((*input.ids)[t * 4 + static_cast<std::int64_t>(n)]);
        labels[n].push_back(batches.labels()[next++]);
      }
    }
  }
  std::vector<std::int32_t> all, before{99};
  for (std::size_t n = 0; n < 4; ++n) {
    all.insert(all.end(), labels[n].begin(), labels[n].end());
    EXPECT_EQ(labels[n].size(), n < 3 ? 6u : 5u);
    EXPECT_EQ(inputs[n].front(), before.back());
    EXPECT_TRUE(std::equal(labels[n].begin(), labels[n].end() - 1, inputs[n].begin() + 1));
    before.push_back(labels[n].back());
  }
  EXPECT_EQ(all, ids);
  expect_error(Code::kUsage, {"23 tokens", "batch_size 24"}, [&] { StreamBatches(ids, 0, 24, 4); });
}

// A Markov chain over four letters; its entropy rate is sum_i pi_i H(row i), pi the stationary distribution: by
// symmetry 1/4 each.
constexpr double kRow[] = {0.7, 0.2, 0.05, 0.05};  // of the letter that is 0, 1, 2, 3 places further on

std::string markov_text(std::int64_t count, std::uint64_t seed, double* loss) {
  std::string text;
  std::size_t letter = 0;
  for (std::int64_t k = 0; k < count; ++k) {
    double u = uniform({seed, Purpose::kTest, 9}, static_cast<std::uint64_t>(k));
    std::size_t step = 0;
    while (step < 3 && u >= kRow[step]) u -= kRow[step++];
    letter = (letter + step) % 4;
    text += static_cast<char>('a' + letter);
    if (loss) *loss -= std::log(kRow[step]) / static_cast<double>(count);
  }
  return text;
}

double value_of(const Metrics& metrics, std::string_view name) {
  const double* value = find_metric(metrics, name);
  return value ? *value : NAN;
}

TEST(LmTask, LearnsALanguageToItsEntropy) {
  TemporaryFolder folder;
  double true_loss = 0;
  put_file(folder / "train.txt", markov_text(24000, 1, nullptr));
  put_file(folder / "test.txt", markov_text(8000, 2, &true_loss));
  double entropy = 0;
  for (const double p : kRow) entropy -= p * std::log(p);
  EXPECT_NEAR(true_loss, entropy, 0.03);  // the sample itself
  Options options;
  options.data.data = {folder / "train.txt"};
  options.data.level = "char";
  options.model.hidden_size = 16;
  options.model.embedding_size = 8;
  options.model.layers = 1;
  options.train.epochs = 4;
  options.train.lr = 0.01;
  options.output.out = folder / "model.safetensors";
  Observer quiet;
  const TrainResult trained = lm_task().train(options, quiet);
  EXPECT_EQ(trained.samples, 2400);
  const Model model = Model::load(folder / "model.safetensors");
  options.data.data = {folder / "test.txt"};
  const EvaluateResult result = lm_task().evaluate(model, options, quiet);
  EXPECT_NEAR(std::log(value_of(result.metrics, "perplexity")), true_loss, 0.015);
  EXPECT_NEAR(value_of(result.metrics, "bits_per_char"), true_loss / std::log(2), 0.02);
  EXPECT_NEAR(std::log(value_of(trained.baselines[1].metrics, "perplexity")), entropy, 0.06);  // trigram
  EXPECT_NEAR(value_of(trained.baselines[0].metrics, "perplexity"), 4, 0.1);                   // unigram
  options.train.batch_size = 7;
  EXPECT_NEAR(value_of(lm_task().evaluate(model, options, quiet).metrics, "perplexity"),
              value_of(result.metrics, "perplexity"), 0.02);
}

// Oracle: evaluate, on the text that validated: the scores of the weights that were kept.
TEST(LmTask, TrainingReportsWhatEvaluateGives) {
  TemporaryFolder folder;
  std::string text;
  for (int k = 0; k < 90; ++k) text += k % 3 == 0 ? "the cat sat on a mat\n" : "no dog was there\n";
  put_file(folder / "train.txt", text);
  put_file(folder / "valid.txt", text.substr(0, 150));
  Options options;
  options.data.data = {folder / "train.txt"};
  options.data.valid = {folder / "valid.txt"};
  options.data.level = "word";
  options.model.hidden_size = 8;
  options.model.layers = 1;
  options.train.epochs = 4;
  options.train.lr = 0.3;  // so that the last epoch is not the best
  options.output.out = folder / "model.safetensors";
  Observer quiet;
  const TrainResult trained = lm_task().train(options, quiet);
  options.data.data = options.data.valid;
  options.data.baseline_data = {folder / "train.txt"};
  const EvaluateResult result = lm_task().evaluate(Model::load(folder / "model.safetensors"), options, quiet);
  EXPECT_EQ(trained.samples, result.samples);
  ASSERT_EQ(trained.metrics.size(), 2U);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(trained.metrics[k].first, result.metrics[k].first);
    EXPECT_NEAR(trained.metrics[k].second, result.metrics[k].second, 1e-12 * result.metrics[k].second);
  }
  ASSERT_EQ(result.baselines.size(), 2U);
  EXPECT_EQ(trained.baselines[1].metrics, result.baselines[1].metrics);
}

TEST(LmTask, AVocabularyOfOneWordAndATextShorterThanABatchWork) {
  TemporaryFolder folder;
  put_file(folder / "one.txt", "na na\nna\nna na na\n");
  Options options;
  options.data.data = {folder / "one.txt"};
  options.data.valid = {folder / "one.txt"};
  options.data.level = "word";
  options.model.hidden_size = 4;
  options.train.epochs = 1;
  options.output.out = folder / "model.safetensors";
  Observer quiet;
  EXPECT_EQ(lm_task().train(options, quiet).samples, 9);
  options.train.batch_size = 10;
  expect_error(Code::kUsage, {"9 tokens", "batch_size 10"}, [&] { lm_task().train(options, quiet); });
}

TEST(LmTask, SaysWhatALanguageModelCannotHave) {
  FittedLm text;
  Observer quiet;
  ModelOptions options;
  options.bidirectional = "true";
  expect_error(Code::kUsage, {"--bidirectional"}, [&] { resolve_lm_model(options, text, quiet); });
  options = {};
  options.cell = "none";
  expect_error(Code::kUsage, {"--cell none"}, [&] { resolve_lm_model(options, text, quiet); });
  options = small_model("true");
  options.embedding_size = 5;
  expect_error(Code::kUsage, {"6 features", "has 5"}, [&] { build_lm(options, std::vector<std::string>(9)); });
}

}  // namespace
}  // namespace carousel
