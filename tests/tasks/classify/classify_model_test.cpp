// Oracles: Kim's network written out in loops, its features side by side; the baseline that a model consists of.
#include "tasks/classify/classify_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "carousel/convolution.h"
#include "tasks/classify/classify_linear.h"
#include "tasks/classify/classify_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

// Oracle: the settings that docs/classify.md was measured with: 60 + 7 samples of ItalyPowerDemand, 243 + 27 of
// Japanese Vowels, 2 + 1, and 4,000 + 400.
TEST(ClassifyDefaults, FewSequencesAreTrainedForAtLeast2000Steps) {
  const TrainDefaults italy = classify_defaults(false, 60, 7), vowels = classify_defaults(false, 243, 27);
  EXPECT_EQ(italy.epochs, 500);
  EXPECT_EQ(italy.patience, 500);
  EXPECT_EQ(italy.input_noise, 0.3);
  EXPECT_EQ(vowels.epochs, 150);
  EXPECT_EQ(vowels.patience, 150);
  EXPECT_EQ(classify_defaults(false, 45, 5).epochs, 667);  // of 3 steps
  EXPECT_EQ(classify_defaults(false, 2, 1).epochs, 1000);
  EXPECT_EQ(classify_defaults(false, 4000, 400).epochs, 150);
  EXPECT_EQ(classify_defaults(false, 4000, 400).patience, 40);
  EXPECT_EQ(classify_defaults(true, 60, 7).epochs, 15);
  EXPECT_EQ(classify_defaults(true, 60, 7).input_noise, 0);
}

// Oracle: the option's own value, else the task's.
TEST(ClassifyDefaults, InputNoiseIsTheTasksUnlessOneIsGiven) {
  Observer quiet;
  TrainOptions options;
  EXPECT_EQ(resolve_training(options, classify_defaults(false, 60, 7), quiet).input_noise, 0.3);
  EXPECT_EQ(resolve_training(options, classify_defaults(true, 60, 7), quiet).input_noise, 0);
  options.input_noise = 0;
  EXPECT_EQ(resolve_training(options, classify_defaults(false, 60, 7), quiet).input_noise, 0);
}

constexpr std::int64_t kWords = 12, kClasses = 3;

ClassifyData random_texts(std::int64_t count) {
  ClassifyData data;
  data.label_names = {"a", "b", "c"};
  const RandomKey key{1, Purpose::kTest, 0};
  std::uint64_t draw = 0;
  const auto below = [&](std::int64_t limit) {
    return static_cast<std::int64_t>(uniform(key, draw++) * static_cast<float>(limit));
  };
  for (std::int64_t n = 0; n < count; ++n) {
    data.labels.push_back(static_cast<std::int32_t>(n % kClasses));
    data.texts.emplace_back();
    auto& ids = data.samples.ids.emplace_back();
    for (std::int64_t length = n == 1 ? 0 : 1 + below(9); length > 0; --length) {
      ids.push_back(static_cast<std::int32_t>(below(kWords)));
    }
  }
  return data;
}

Indices all_of(const ClassifyData& data) {
  Indices all;
  for (std::int64_t n = 0; n < data.size(); ++n) all.push_back(n);
  return all;
}

const Tensor& tensor(Sequential& network, const std::string& name) {
  for (const auto& [full, parameter] : network.named_tensors()) {
    if (full == name) return parameter->value;
  }
  ADD_FAILURE() << "no tensor " << name;
  return network.named_tensors().front().second->value;
}

// The scores of one text from the weights of the branches: all maxima, then one linear layer over them.
std::vector<double> scores_by_hand(Sequential& network, const std::vector<std::int32_t>& ids, std::int64_t filters) {
  const Tensor& table = tensor(network, "embedding.weight");
  const std::int64_t E = table.shape()[1], T = std::ssize(ids);
  std::vector<double> scores(kClasses);
  for (std::int64_t k = 0; k < kClasses; ++k) {
    scores[static_cast<std::size_t>(k)] = tensor(network, "convolutions.0.output.bias")[k];
  }
  for (std::int64_t branch = 0; branch < 3; ++branch) {
    const std::string prefix = "convolutions." + std::to_string(branch);
    const Tensor &w = tensor(network, prefix + ".conv.weight"), &b = tensor(network, prefix + ".conv.bias");
    const Tensor& out = tensor(network, prefix + ".output.weight");
    const std::int64_t width = 3 + branch, left = (width - 1) / 2;
    for (std::int64_t f = 0; f < filters; ++f) {
      double most = 0;  // relu
      for (std::int64_t t = 0; t < T; ++t) {
        double sum = b[f];
        for (std::int64_t k = 0; k < width; ++k) {
          const std::int64_t at = t + k - left;
          for (std::int64_t e = 0; e < E && at >= 0 && at < T; ++e) {
            sum += w[(f * E + e) * width + k] * table[ids[static_cast<std::size_t>(at)] * E + e];
          }
        }
        most = std::max(most, sum);
      }
      for (std::int64_t k = 0; k < kClasses; ++k) {
        scores[static_cast<std::size_t>(k)] += out[k * filters + f] * most;
      }
    }
  }
  return scores;
}

TEST(ClassifyModel, AConvolutionalNetworkIsKimsNetwork) {
  const ClassifyData data = random_texts(7);
  const Indices all = all_of(data);
  ModelOptions options;
  options.model = "cnn";
  options.hidden_size = 4;
  options.embedding_size = 5;
  Observer quiet;
  const ModelOptions resolved = resolve_classify_model(options, data, all, quiet);
  Sequential network = build_classifier(resolved, data, all, std::vector<std::string>(kWords, "w"));
  network.initialize(1);
  const Tensor scores = predict_samples(network, data.samples, all);
  for (std::size_t n = 0; n < data.samples.ids.size(); ++n) {
    const std::vector<double> expected = scores_by_hand(network, data.samples.ids[n], 4);
    for (std::size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(expected[k], scores[static_cast<std::int64_t>(n * 3 + k)], 1e-5) << "text " << n << ", class " << k;
    }
  }
}

TEST(ClassifyModel, TfidfAloneIsTheBaseline) {
  const ClassifyData data = random_texts(60);
  const Indices all = all_of(data);
  const TextBaseline linear = TextBaseline::fit(data.samples.ids, data.labels, kClasses);
  Observer quiet;
  Sequential network = fit_tfidf(linear, data, {.train = all, .valid = all}, "", quiet);
  EXPECT_EQ(linear.predict(data.samples.ids), predicted_classes(predict_samples(network, data.samples, all)));
}

TEST(ClassifyModel, OptionsOfAnotherModelAreRefused) {
  const ClassifyData data = random_texts(7);
  const Indices all = all_of(data);
  const auto refuses = [&](const std::string& model, const std::string& word, auto set) {
    ModelOptions options;
    options.model = model;
    set(options);
    Observer quiet;
    expect_error(Code::kUsage, {model, word}, [&] { resolve_classify_model(options, data, all, quiet); });
  };
  refuses("cnn", "leave cell out", [](ModelOptions& o) { o.cell = "gru"; });
  refuses("cnn", "leave pool out", [](ModelOptions& o) { o.pool = "attention"; });
  refuses("cnn", "leave learned_initial_state out", [](ModelOptions& o) { o.learned_initial_state = true; });
}

// Oracle: the layers of the network.
TEST(ClassifyModel, ABagOfWordsHasNoLayers) {
  const ClassifyData data = random_texts(7);
  const Indices all = all_of(data);
  struct Notes final : Observer {
    void note(const std::string& line) override { all += line; }
    std::string all;
  } notes;
  const auto resolve = [&](auto set) {
    ModelOptions options;
    options.cell = "none";
    set(options);
    return resolve_classify_model(options, data, all, notes);
  };
  const auto refuses = [&](const std::string& names, auto set) {
    expect_error(Code::kUsage, {"--cell none", "bag of words", "leave " + names + " out"}, [&] { resolve(set); });
  };
  refuses("hidden_size, layers", [](ModelOptions& o) { o.hidden_size = 10, o.layers = 2; });
  refuses("layer_norm, activation", [](ModelOptions& o) { o.layer_norm = true, o.activation = "relu"; });
  refuses("pool last", [](ModelOptions& o) { o.pool = "last"; });
  const auto layers_of = [&](const ModelOptions& options) {
    std::string names;
    const Sequential network = build_classifier(options, data, all, std::vector<std::string>(kWords, "w"));
    for (const auto& [name, module] : network.modules()) names += name + " ";
    return names;
  };
  EXPECT_EQ(layers_of(resolve([](ModelOptions& o) { o.dropout = 0; })), "embedding pool output ");
  EXPECT_EQ(notes.all, "model: a bag of words, pool mean, embedding_size 128, dropout 0");
  const ModelOptions attention = resolve([](ModelOptions& o) { o.pool = "attention", o.hidden_size = 5; });
  EXPECT_EQ(attention.hidden_size, 5);
  EXPECT_EQ(resolve_classify_model(attention, data, all, notes).hidden_size, 5);  // as resolved.toml says it again
  EXPECT_NO_THROW(resolve_classify_model(resolve([](ModelOptions&) {}), data, all, notes));
}

TEST(ClassifyModel, TfidfTakesNoOptionsOfNetworks) {
  const auto refuses = [](const std::string& names, auto set) {
    Options options;
    options.model.model = "tfidf";
    set(options);
    expect_error(Code::kUsage, {"--model tfidf has no network: leave " + names + " out"},
                 [&] { refuse_network_options(options); });
  };
  refuses("cell, pool", [](Options& o) { o.model.cell = "gru", o.model.pool = "attention"; });
  refuses("hidden_size, dropout", [](Options& o) { o.model.hidden_size = 10, o.model.dropout = 0; });
  refuses("linear_branch", [](Options& o) { o.model.linear_branch = "true"; });
  refuses("token_input", [](Options& o) { o.model.token_input = "one_hot"; });
  refuses("vectors", [](Options& o) { o.data.vectors = "words.txt"; });
  refuses("epochs, lr", [](Options& o) { o.train.epochs = 3, o.train.lr = 0.1; });
  refuses("bptt, max_memory", [](Options& o) { o.train.bptt = 3, o.train.max_memory = "1GB"; });
  refuses("label_smoothing, class_weights",
          [](Options& o) { o.train.label_smoothing = 0.1, o.train.class_weights = "balanced"; });
  Options options;
  options.model.model = "tfidf";
  options.data.min_count = 3;
  options.train.seed = 2;
  options.train.threads = 1;
  EXPECT_NO_THROW(refuse_network_options(options));
}

// Oracle: the contract. The network gives a score for each label, whatever layers it ends in.
TEST(ClassifyModel, AsManyLabelsAsScores) {
  ClassifyData data = random_texts(60);
  const Indices all = all_of(data);
  const TextBaseline linear = TextBaseline::fit(data.samples.ids, data.labels, kClasses);
  Observer quiet;
  const auto network_of = [&](const std::string& kind) {
    ModelOptions options;
    options.model = kind;
    options.hidden_size = options.embedding_size = 4;
    return build_classifier(resolve_classify_model(options, data, all, quiet), data, all,
                            std::vector<std::string>(kWords, "w"));
  };
  Sequential joined = network_of("recurrent");
  joined.initialize(1);
  add_linear_branch(joined, linear, data, {.train = all, .valid = all}, quiet);
  ASSERT_EQ(joined.modules().back().first, "scores");
  Sequential terms = fit_tfidf(linear, data, {.train = all, .valid = all}, "", quiet);
  ClassifyInfo info;
  info.text.emplace().level = TextLevel::kWord;
  info.vocabulary = {"<pad>", "<unk>", "<bos>", "<eos>", "w"};
  for (Sequential* network : {&joined, &terms}) {
    Model model("classify", std::move(*network));
    info.labels = {"a", "b", "c"};
    model.set_task_data(info.to_json());
    EXPECT_EQ(ClassifyInfo::from_model(model).labels, info.labels);
    for (const std::size_t count : {2, 4}) {
      info.labels = {"a", "b", "c", "d"};
      info.labels.resize(count);
      model.set_task_data(info.to_json());
      expect_error(Code::kModel, {std::to_string(count) + " labels", "3 scores"},
                   [&] { ClassifyInfo::from_model(model); });
    }
  }
  for (const std::string kind : {"recurrent", "cnn"}) {
    Model model("classify", network_of(kind));
    info.labels = {"a", "b", "c", "d"};
    model.set_task_data(info.to_json());
    expect_error(Code::kModel, {"4 labels", "3 scores"}, [&] { ClassifyInfo::from_model(model); });
  }
}

}  // namespace
}  // namespace carousel
