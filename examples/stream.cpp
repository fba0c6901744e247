// stream.cpp: a model fed one time step after another, as a sensor delivers them.
//
// Shows the two promises of a stream: step by step gives what the whole sequence gives at once, and its state is a
// value, so that a sequence can be put aside and taken up again. The network here is not trained; every trained model
// that `carousel train` wrote and that reads numbers forwards in time is used in the same way.
#include <carousel/stream.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <span>
#include <vector>

namespace {

constexpr int kTimeSteps = 60, kInputSize = 2, kOutputSize = 3;

std::vector<float> use(carousel::Stream& stream, const carousel::Tensor& sensor, int first, int last) {
  std::vector<float> outputs;
  for (int t = first; t < last; ++t) {
    const std::span<const float> y = stream.step({sensor.view().row(t), kInputSize});
    outputs.insert(outputs.end(), y.begin(), y.end());
  }
  return outputs;
}

}  // namespace

int main() {
  const std::string path = (std::filesystem::temp_directory_path() / "carousel_stream_example.safetensors").string();
  carousel::Model("example",
                  carousel::Sequential{
                      carousel::Recurrent{{.cell = "gru", .input_size = kInputSize, .hidden_size = 8, .layers = 2}},
                      carousel::Linear{8, kOutputSize},
                  })
      .save(path);

  const auto model = carousel::Model::load(path);
  std::filesystem::remove(path);
  carousel::Tensor sensor({kTimeSteps, 1, kInputSize});  // [T, N, C] with one sample
  for (int i = 0; i < kTimeSteps * kInputSize; ++i) sensor[i] = std::sin(0.1f * static_cast<float>(i));

  const carousel::Tensor whole = model.network().predict(sensor);  // [T, 1, output]
  carousel::Stream stream(model);                                  // owns the state of one sequence
  const std::vector<float> outputs = use(stream, sensor, 0, kTimeSteps);
  float difference = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    difference = std::max(difference, std::abs(outputs[i] - whole[static_cast<int>(i)]));
  }
  std::printf("step by step equals the whole sequence: %s\n", difference < 1e-5f ? "yes" : "no");

  stream.reset();
  use(stream, sensor, 0, 25);
  const carousel::State saved = stream.state();  // a value: copy it, store it, resume from it
  use(stream, sensor, 0, 10);                    // another sequence in between
  stream.set_state(saved);
  const std::vector<float> rest = use(stream, sensor, 25, kTimeSteps);
  const bool same = std::equal(rest.begin(), rest.end(), outputs.begin() + 25 * kOutputSize);
  std::printf("resumed from its saved state it goes on bit for bit: %s\n", same ? "yes" : "no");
}
