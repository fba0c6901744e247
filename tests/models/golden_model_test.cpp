// Oracle: the build with oneDNN, AVX-512 and Debian's fmt, which wrote tests/golden/model/lstm_gru.safetensors and what
// it computed with it: the file must give the same numbers in every build and on every instruction set.
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/random.h"
#include "carousel/model.h"
#include "carousel/stream.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr std::int64_t kTimeSteps = 20, kInputSize = 3;
const std::string kPath = CAROUSEL_GOLDEN_DIR "/model/lstm_gru.safetensors";

Tensor input() {
  Tensor x({kTimeSteps, 1, kInputSize});
  fill_normal({5, Purpose::kTest, 0}, 0.0f, 1.0f, x.span());
  return x;
}

std::vector<float> outputs_of_stream(const Model& model, const std::string& dtype) {
  const Tensor x = input();
  Stream stream(model, {.dtype = dtype});
  std::vector<float> outputs;
  for (std::int64_t t = 0; t < kTimeSteps; ++t) {
    const std::span<const float> y = stream.step({x.view().row(t), kInputSize});
    outputs.insert(outputs.end(), y.begin(), y.end());
  }
  return outputs;
}

std::vector<float> stored(const Model& model, const std::string& name) {
  return parse_json(model.task_data()).at(name).get<std::vector<float>>();
}

TEST(GoldenModel, PredictsTheStoredNumbers) {
  const Model model = Model::load(kPath);
  expect_near(model.network().predict(input()).span(), stored(model, "predict"), 2e-6, "predict");
}

TEST(GoldenModel, StreamsTheStoredNumbers) {
  const Model model = Model::load(kPath);
  expect_near(outputs_of_stream(model, "f32"), stored(model, "f32"), 2e-6, "f32");
  expect_near(outputs_of_stream(model, "bf16"), stored(model, "bf16"), 2e-6, "bf16");
  // An input that lies between two of the 2047 integers may be rounded to either.
  expect_near(outputs_of_stream(model, "int8"), stored(model, "int8"), 2e-4, "int8");
}

// No test: it writes the file that the one above reads, by hand, when the format changes on purpose:
// bin/models_tests --gtest_also_run_disabled_tests --gtest_filter=GoldenModel.DISABLED_IsWritten
TEST(GoldenModel, DISABLED_IsWritten) {
  Model model("golden", Sequential{Scale{Tensor({3}), Tensor({3})},
                                   Recurrent{{.cell = "lstm", .input_size = 3, .hidden_size = 21, .layers = 2}},
                                   Recurrent{{.cell = "gru", .input_size = 21, .hidden_size = 18}}, LayerNorm{18},
                                   Linear{18, 2}, Activation{"tanh"}});
  std::uint64_t key = 0;
  for (const auto& [name, tensor] : model.network().named_tensors()) {
    fill_normal({++key, Purpose::kTest, 0}, 0.0f, 0.4f, tensor->value.span());
  }
  nlohmann::json numbers;
  const Tensor y = model.network().predict(input());
  numbers["predict"] = std::vector<float>(y.span().begin(), y.span().end());
  for (const std::string dtype : {"f32", "bf16", "int8"}) numbers[dtype] = outputs_of_stream(model, dtype);
  model.set_task_data(json_text(numbers));
  model.save(kPath);
}

}  // namespace
}  // namespace carousel
