// Oracle: a Stream of the same network and format; the header is compiled by the machine's compiler, and by clang if it
// is there (./test.sh installs it), with warnings as errors and run as a program of its own.
#include "formats/c_header.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <sstream>

#include "base/file.h"
#include "base/random.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "layers/output/adaptive_softmax.h"
#include "layers/output/tied_linear.h"
#include "layers/tokens/embedding_dropout.h"
#include "layers/tokens/token_inputs.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

constexpr std::int64_t kSteps = 9;

// Reads the inputs of kSteps steps from its standard input; writes the outputs; then resets and runs the first again.
constexpr const char* kRun = R"(
template <class Model>
void run() {
  static Model model;
  float x[Model::kInputSize], first[Model::kInputSize], y[Model::kOutputSize];
  for (int t = 0; t < 10; ++t) {
    for (int k = 0; k < Model::kInputSize; ++k) {
      if (t < 9 && std::scanf("%f", &x[k]) != 1) return;
      if (t == 0) first[k] = x[k];
    }
    if (t == 9) model.reset();
    model.step(t == 9 ? first : x, y);
    for (float value : y) std::printf("%.9g\n", static_cast<double>(value));
  }
}
)";

// The same for a model of tokens: those of `token`, then the first one again.
constexpr const char* kRunTokens = R"(
template <class Model>
void run() {
  static Model model;
  float y[Model::kOutputSize];
  for (int t = 0; t < 10; ++t) {
    if (t == 9) model.reset();
    model.step(t == 9 ? 4 : (4 + 3 * t) % Model::kVocabularySize, y);
    for (float value : y) std::printf("%.9g\n", static_cast<double>(value));
  }
}
)";

std::vector<std::string> compilers() {
  std::vector<std::string> list{"c++"};
  for (const char* clang : {"clang++", "clang++-14"}) {
    if (std::system(fmt::format("command -v {} > /dev/null", clang).c_str()) != 0) continue;
    list.push_back(clang);
    break;
  }
  return list;
}

// What the program printed that `compiler` made in this folder; nothing, and a failure, if it cannot compile or run.
std::vector<float> compile_and_run(const TemporaryFolder& folder, const std::string& compiler) {
  const std::string commands = fmt::format(
      "cd '{}' && {} -std=c++17 -O2 -Wall -Wextra -Werror main.cpp -o program 2> errors && "
      "./program < inputs > outputs",
      folder.path(), compiler);
  EXPECT_EQ(0, std::system(commands.c_str())) << read_text(folder / "errors");
  std::istringstream lines(read_text(folder / "outputs"));
  std::vector<float> got;
  for (float value; lines >> value;) got.push_back(value);
  return got;
}

struct Exported {
  std::string name;  // of its namespace
  Sequential network;
  std::int64_t input_size;
  std::string dtype;
};

// Every header gives what a Stream of its network gives; all of them are compiled into one program.
void expect_headers_run_as_streams(std::vector<Exported>& headers) {
  const TemporaryFolder folder;
  std::string program = "#include <cstdio>\n", calls, inputs;
  std::vector<float> expected;
  std::vector<std::size_t> counts;  // of the numbers of each
  for (Exported& h : headers) {
    Tensor x({kSteps, h.input_size});
    fill_normal({5, Purpose::kTest, 0}, 0.0f, 1.0f, x.span());
    Stream stream(h.network, {.dtype = h.dtype});
    const std::size_t begin = expected.size();
    for (std::int64_t t = 0; t < kSteps; ++t) {
      const auto y = stream.step({x.data() + t * h.input_size, static_cast<std::size_t>(h.input_size)});
      expected.insert(expected.end(), y.begin(), y.end());
    }
    for (std::int64_t j = 0; j < stream.output_size(); ++j)  // after reset()
      expected.push_back(expected[begin + static_cast<std::size_t>(j)]);
    counts.push_back(expected.size() - begin);
    for (const float value : x.span()) inputs += fmt::format("{:.9g} ", value);
    write_file_atomically(folder / (h.name + ".h"), to_c_header(h.network, {.name = h.name, .dtype = h.dtype}));
    program += fmt::format("#include \"{}.h\"\n", h.name);
    calls += fmt::format("  run<{}::Model>();\n", h.name);
  }
  write_file_atomically(folder / "main.cpp", program + kRun + "int main() {\n" + calls + "}\n");
  write_file_atomically(folder / "inputs", inputs);
  for (const std::string& compiler : compilers()) {
    SCOPED_TRACE(compiler);
    const std::vector<float> got = compile_and_run(folder, compiler);
    ASSERT_EQ(expected.size(), got.size());
    std::size_t begin = 0;
    for (std::size_t k = 0; k < headers.size(); ++k) {
      const Exported& h = headers[k];
      const std::size_t count = counts[k];
      expect_near(std::span<const float>(got).subspan(begin, count), std::span(expected).subspan(begin, count), 2e-6,
                  fmt::format("{} {} {}", compiler, h.name, h.dtype));
      begin += count;
    }
  }
}

TEST(CHeader, EveryCellGivesWhatAStreamGives) {
  std::vector<Exported> headers;
  for (const Cell& cell : all_cells()) {
    headers.push_back(
        {std::string(cell.name),
         Sequential{Recurrent{{.cell = std::string(cell.name), .input_size = 3, .hidden_size = 7, .layers = 2}},
                    LayerNorm{7}, Linear{7, 2}, Activation{"sigmoid"}},
         3, "f32"});
  }
  headers.push_back(
      {"integers",
       Sequential{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 7, .layers = 2}}, Linear{7, 2}}, 3,
       "int8"});
  const std::pair<RecurrentOptions, const char*> others[] = {
      {{.cell = "lstm", .input_size = 3, .hidden_size = 7, .proj_size = 4, .layers = 2}, "f32"},
      {{.cell = "lstm_fgr", .input_size = 3, .hidden_size = 7, .proj_size = 4, .layers = 2, .bias = false}, "int8"},
      {{.cell = "lstm_layer_norm", .input_size = 3, .hidden_size = 7, .proj_size = 4, .bias = false}, "int8"},
      {{.cell = "jordan",
        .input_size = 3,
        .hidden_size = 7,
        .proj_size = 4,
        .output_activation = "softmax",
        .decay = 0.5},
       "f32"},
      {{.cell = "jordan_sigmoid", .input_size = 3, .hidden_size = 7, .proj_size = 4, .output_activation = "tanh"},
       "int8"},
      {{.cell = "jordan", .input_size = 3, .hidden_size = 4, .bias = false, .output_activation = "sigmoid"}, "f32"},
      {{.cell = "mlstm", .input_size = 3, .hidden_size = 4, .layers = 2, .bias = false, .heads = 2}, "f32"},
      {{.cell = "mlstm", .input_size = 3, .hidden_size = 4, .layers = 2, .heads = 2}, "int8"}};
  for (const auto& [options, dtype] : others) {
    headers.push_back(
        {fmt::format("{}_{}", options.cell, headers.size()), Sequential{Recurrent{options}, Linear{4, 2}}, 3, dtype});
  }
  headers.push_back({"gelu",
                     Sequential{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 7, .layers = 2}},
                                Activation{"gelu"}, Linear{7, 2}},
                     3, "f32"});
  expect_headers_run_as_streams(headers);
}

// With weights that no fresh layer has: gains, learned states and gates of highways.
TEST(CHeader, JoinedLayersGiveWhatAStreamGives) {
  std::vector<Exported> headers;
  const auto add = [&](const RecurrentOptions& options, const char* dtype) {
    Sequential network{Recurrent{options}, Linear{options.proj_size > 0 ? options.proj_size : options.hidden_size, 2}};
    for (Parameter* parameter : network.parameters()) {
      fill_normal({9, Purpose::kTest, headers.size()}, 0.0f, 0.4f, parameter->value.span());
    }
    headers.push_back({fmt::format("{}_{}", options.cell, headers.size()), std::move(network), 3, dtype});
  };
  for (const char* connection : {"none", "residual", "highway"}) {
    for (const bool tied : {false, true}) {
      RecurrentOptions options{.cell = tied ? "grid_lstm" : "lstm", .input_size = 3, .hidden_size = 7, .layers = 3};
      options.connection = connection;
      options.learned_initial_state = true;
      options.tied = tied;
      add(options, connection == std::string("highway") && !tied ? "int8" : "f32");
    }
  }
  RecurrentOptions projected{.cell = "lstm_peephole", .input_size = 3, .hidden_size = 7, .proj_size = 4, .layers = 2};
  projected.connection = "residual";
  projected.learned_initial_state = true;
  add(projected, "f32");
  RecurrentOptions jordan{.cell = "jordan", .input_size = 3, .hidden_size = 7, .proj_size = 4, .decay = 0.5};
  jordan.learned_initial_state = true;
  add(jordan, "int8");
  RecurrentOptions clockwork{.cell = "clockwork", .input_size = 3, .hidden_size = 4, .bias = false, .periods = "1,3"};
  clockwork.learned_initial_state = true;
  add(clockwork, "f32");
  RecurrentOptions matrix{.cell = "mlstm", .input_size = 3, .hidden_size = 4, .layers = 2, .bias = false, .heads = 2};
  matrix.connection = "highway";
  add(matrix, "f32");
  add({.cell = "slstm", .input_size = 3, .hidden_size = 4, .layers = 2, .heads = 2}, "int8");
  expect_headers_run_as_streams(headers);
}

// Branches within branches, a window of what a recurrent layer gives, and two recurrent layers with another between.
TEST(CHeader, OtherLayersGiveWhatAStreamGives) {
  std::vector<Sequential> inner, outer;
  inner.push_back(Sequential{Linear{4, 5, false}, Activation{"relu"}});
  inner.push_back(Sequential{Flatten{3}, Linear{12, 2}});
  outer.push_back(Sequential{Sum{std::move(inner)}, Activation{"tanh"}});
  outer.push_back(Sequential{LayerNorm{4}, Recurrent{{.cell = "mgu", .input_size = 4, .hidden_size = 3}}});
  std::vector<Exported> headers;
  headers.push_back(
      {"others",
       Sequential{Linear{3, 4}, Sequential{Recurrent{{.cell = "sru", .input_size = 4, .hidden_size = 4}}, Dropout{0.5}},
                  Sum{std::move(outer)}, Activation{"sigmoid"}},
       3, "f32"});
  expect_headers_run_as_streams(headers);
}

// With a distribution the first branch gives its parameters, the linear one the means alone.
TEST(CHeader, AForecastersBranchesAndScalesAreThere) {
  std::vector<Exported> headers;
  for (const std::int64_t parameters : {1, 2}) {
    std::vector<Sequential> branches;
    branches.push_back(Sequential{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 6, .bias = false}},
                                  Pool{"last"}, Dropout{0.5}, Linear{6, 3 * parameters, false}});
    branches.push_back(Sequential{Flatten{4}, Linear{8, 3}});
    Tensor factor({2}), offset({2});
    factor.fill(0.5f);
    offset.fill(-0.25f);
    Sequential network;
    network.add("scale", std::make_unique<Scale>(factor, offset));
    network.add("sum", std::make_unique<Sum>(std::move(branches)));
    network.initialize(3);
    headers.push_back({parameters == 1 ? "point" : "gaussian", std::move(network), 2, "int8"});
  }
  expect_headers_run_as_streams(headers);
}

// The parts of a language model, with a table of its own for the output and with that of the input, and fixed vectors.
TEST(CHeader, LanguageModelsTakeTokens) {
  const TemporaryFolder folder;
  std::string program = "#include <cstdio>\n", calls;
  std::vector<float> expected;
  for (const std::string name : {"plain", "tied", "fixed"}) {
    auto body = std::make_unique<Sequential>();
    if (name == "fixed") {
      body->add("embedding", std::make_unique<FixedEmbedding>(11, 6));
    } else {
      body->add("embedding", std::make_unique<Embedding>(11, 6));
    }
    body->add("embedding_dropout", std::make_unique<EmbeddingDropout>(0.3));
    body->add("recurrent", std::make_unique<Recurrent>(RecurrentOptions{.input_size = 6, .hidden_size = 6}));
    body->add("dropout", std::make_unique<Dropout>(0.5));
    Sequential network;
    network.add("body", std::move(body));
    if (name == "tied") {
      network.add("output", std::make_unique<TiedLinear>(11));
    } else {
      network.add("output", std::make_unique<Linear>(6, 11));
    }
    network.initialize(7);
    for (Parameter* parameter : network.parameters()) {
      if (parameter->name == "bias") fill_normal({9, Purpose::kTest, 0}, 0.0f, 0.4f, parameter->value.span());
    }
    Stream stream(network);
    for (std::int32_t t = 0; t < 10; ++t) {
      if (t == 9) stream.reset();
      const auto y = stream.step(t == 9 ? 4 : (4 + 3 * t) % 11);
      expected.insert(expected.end(), y.begin(), y.end());
    }
    write_file_atomically(folder / (name + ".h"), to_c_header(network, {.name = name}));
    program += fmt::format("#include \"{}.h\"\n", name);
    calls += fmt::format("  run<{}::Model>();\n", name);
  }
  write_file_atomically(folder / "main.cpp", program + kRunTokens + "int main() {\n" + calls + "}\n");
  write_file_atomically(folder / "inputs", "");
  for (const std::string& compiler : compilers()) {
    expect_near(compile_and_run(folder, compiler), expected, 2e-6, compiler);
  }
}

// Oracle: a Stream that is fed the rows of both tables side by side. The tables differ in rows and in size.
TEST(CHeader, SeveralIdsAStepAreRowsOfTheirTables) {
  const TemporaryFolder folder;
  Tensor words({7, 4}), shapes({5, 3});
  fill_normal({6, Purpose::kTest, 0}, 0.0f, 1.0f, words.span());
  fill_normal({6, Purpose::kTest, 1}, 0.0f, 1.0f, shapes.span());
  Sequential network{Dropout{0.5}, Recurrent{{.cell = "gru", .input_size = 7, .hidden_size = 6}}, Linear{6, 2}};
  network.initialize(4);
  Stream stream(network);
  std::vector<float> expected;
  for (std::int64_t t = 0; t < kSteps; ++t) {
    std::vector<float> x(words.data() + 3 * t % 7 * 4, words.data() + 3 * t % 7 * 4 + 4);
    x.insert(x.end(), shapes.data() + 2 * t % 5 * 3, shapes.data() + 2 * t % 5 * 3 + 3);
    const auto y = stream.step(x);
    expected.insert(expected.end(), y.begin(), y.end());
  }
  write_file_atomically(folder / "tagger.h",
                        to_c_header(network, {.name = "tagger", .tables = {{"word", &words}, {"shape", &shapes}}}));
  write_file_atomically(folder / "main.cpp", R"(#include <cstdio>
#include "tagger.h"
int main() {
  tagger::Model model;
  float y[tagger::Model::kOutputSize];
  for (int t = 0; t < 9; ++t) {
    model.step(3 * t % tagger::Model::kWordCount, 2 * t % tagger::Model::kShapeCount, y);
    for (float value : y) std::printf("%.9g\n", static_cast<double>(value));
  }
}
)");
  write_file_atomically(folder / "inputs", "");
  for (const std::string& compiler : compilers()) {
    expect_near(compile_and_run(folder, compiler), expected, 2e-6, compiler);
  }
  EXPECT_NE(read_text(folder / "tagger.h").find("model.step(word, shape, y);  // ids below 7, below 5 -> y [2]"),
            std::string::npos);
}

TEST(CHeader, WhatCannotBeExportedIsNamed) {
  Sequential both{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 3, .bidirectional = true}}};
  Sequential pooled{Recurrent{{.cell = "lstm", .input_size = 2, .hidden_size = 3}}, Pool{"mean"}};
  Sequential plain{Linear{2, 3}};
  expect_error(Code::kUsage, {"bidirectional"}, [&] { to_c_header(both, {}); });
  expect_error(Code::kUsage, {"pool"}, [&] { to_c_header(pooled, {}); });
  Sequential zoneout{Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 4, .zoneout = 0.1}}};
  expect_error(Code::kUsage, {"zoneout"}, [&] { to_c_header(zoneout, {}); });
  Sequential deep{Recurrent{{.cell = "gru", .input_size = 3, .hidden_size = 4, .transitions = 2}}};
  expect_error(Code::kUsage, {"transitions"}, [&] { to_c_header(deep, {}); });
  Sequential ones{OneHot{5}, Linear{5, 2}};
  expect_error(Code::kUsage, {"not through 'one_hot'"}, [&] { to_c_header(ones, {}); });
  Sequential adaptive{Embedding{40, 8}, AdaptiveSoftmax{8, 40, 9}};
  Stream{adaptive};
  expect_error(Code::kUsage, {"no header holds an 'adaptive_softmax'", "Stream"}, [&] { to_c_header(adaptive, {}); });
  Sequential twice{Embedding{5, 3}, Embedding{5, 3}};
  expect_error(Code::kUsage, {"'1' takes token ids", "first layer"}, [&] { to_c_header(twice, {}); });
  Sequential fixed{FixedEmbedding{5, 3}, TiedLinear{5}};
  expect_error(Code::kUsage, {"tied_linear"}, [&] { to_c_header(fixed, {}); });
  std::vector<Sequential> tables, empty;
  for (const std::int64_t tokens : {5, 4}) tables.push_back(Sequential{Embedding{tokens, 3}});
  empty.push_back(Sequential{Dropout{0.5}});
  Sequential lists{Sum{std::move(tables)}, Linear{3, 2}}, nothing{Sum{std::move(empty)}, Linear{2, 2}};
  expect_error(Code::kUsage, {"'0' takes token ids", "branches"}, [&] { to_c_header(lists, {}); });
  expect_error(Code::kUsage, {"'sum' has no layers"}, [&] { to_c_header(nothing, {}); });
  Sequential wide{Recurrent{{.cell = "rnn", .input_size = 16001, .hidden_size = 1}}};
  expect_error(Code::kUsage, {"'0' has 16001 inputs", "16000"}, [&] { to_c_header(wide, {.dtype = "int8"}); });
  Linear unknown{2, 3};
  unknown.weight.value[4] = std::numeric_limits<float>::quiet_NaN();
  Sequential diverged{Linear{2, 2}, std::move(unknown)};
  expect_error(Code::kModel, {"'1' has a weight that is nan"}, [&] { to_c_header(diverged, {}); });
  expect_error(Code::kUsage, {"'2x'"}, [&] { to_c_header(plain, {.name = "2x"}); });
  expect_error(Code::kUsage, {"bf16"}, [&] { to_c_header(plain, {.dtype = "bf16"}); });
}

// Oracle: the sizes. A model file says those of each layer, and nothing but this check holds them against each other.
TEST(CHeader, LayersThatDoNotFitEachOtherAreRefused) {
  const auto refuse = [](std::initializer_list<std::string_view> parts, Sequential network) {
    expect_error(Code::kModel, parts, [&] { to_c_header(network, {}); });
  };
  const RecurrentOptions lstm{.input_size = 3, .hidden_size = 4};
  refuse({"'1' takes 4 numbers", "given 3"}, Sequential{Linear{2, 3}, Linear{4, 1}});
  refuse({"'1' takes 3 numbers", "given 5"}, Sequential{Linear{2, 5}, Recurrent{lstm}});
  refuse({"'1' takes 5 numbers", "given 4"}, Sequential{Recurrent{lstm}, LayerNorm{5}});
  refuse({"'1' takes 2 numbers", "given 4"}, Sequential{Recurrent{lstm}, Scale{Tensor({2}), Tensor({2})}});
  refuse({"'2' takes 9 numbers", "given 8"}, Sequential{Recurrent{lstm}, Flatten{2}, Linear{9, 1}});
  refuse({"'1' takes 3 numbers", "given 2"}, Sequential{Embedding{7, 2}, Recurrent{lstm}});
  refuse({"'2' takes 3 numbers", "given 4"}, Sequential{Embedding{7, 3}, Recurrent{lstm}, TiedLinear{7}});
  refuse({"bias of 6 numbers", "embedding 7 tokens"}, Sequential{Embedding{7, 3}, TiedLinear{6}});
  std::vector<Sequential> wider, other;
  for (const std::int64_t k : {1, 3}) wider.push_back(Sequential{Linear{2, k}});
  for (const std::int64_t k : {2, 3}) other.push_back(Sequential{Linear{k, 1}});
  refuse({"'sum' gives 3", "at most the 1"}, Sequential{Sum{std::move(wider)}});
  refuse({"'0' takes 3 numbers", "given 2"}, Sequential{Sum{std::move(other)}});
  const Tensor table({7, 2});
  Sequential reader{Linear{3, 1}};
  expect_error(Code::kModel, {"'0' takes 3 numbers", "given 2"}, [&] {
    to_c_header(reader, {.tables = {{"word", &table}}});
  });
}

}  // namespace
}  // namespace carousel
