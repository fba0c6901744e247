// forecast.cpp: the next value of a noisy sine, from the 30 values before it.
//
// The first 1,000 values train the network, the last 500 test it; no window crosses from one to the other. Its error
// stands beside that of the simplest forecast, "as the last value".
#include <carousel/carousel.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

namespace {

constexpr int kWindow = 30, kTrain = 1000, kTest = 500, kBatchSize = 32, kHiddenSize = 16;

struct Windows {
  carousel::Tensor inputs;   // [T, N, 1]
  carousel::Tensor targets;  // [N, 1]
};

// The windows of `series` that begin at `starts`, each with the value that follows it.
Windows cut(const std::vector<float>& series, const std::vector<int>& starts) {
  const int samples = static_cast<int>(starts.size());
  Windows windows{carousel::Tensor({kWindow, samples, 1}), carousel::Tensor({samples, 1})};
  for (int n = 0; n < samples; ++n) {
    for (int t = 0; t < kWindow; ++t) windows.inputs[t * samples + n] = series[starts[n] + t];
    windows.targets[n] = series[starts[n] + kWindow];
  }
  return windows;
}

}  // namespace

int main() {
  std::mt19937 random(1);
  std::normal_distribution<float> noise(0, 0.1f);
  std::vector<float> series(kTrain + kTest);
  for (int t = 0; t < kTrain + kTest; ++t) series[t] = std::sin(0.3f * static_cast<float>(t)) + noise(random);

  auto net = carousel::Sequential{
      carousel::Recurrent{{.cell = "gru", .input_size = 1, .hidden_size = kHiddenSize}},
      carousel::Pool{"last"},
      carousel::Linear{kHiddenSize, 1},
  };
  carousel::Adam adam(net.parameters(), {.lr = 1e-2});
  for (int step = 0; step < 300; ++step) {
    std::vector<int> starts(kBatchSize);
    for (int& start : starts) start = static_cast<int>(random() % (kTrain - kWindow));
    const Windows batch = cut(series, starts);
    carousel::backward(carousel::mse(net(batch.inputs), batch.targets));
    carousel::clip_grad_norm(net.parameters(), 1.0);
    adam.step();
  }

  std::vector<int> starts;
  for (int start = kTrain; start + kWindow < kTrain + kTest; ++start) starts.push_back(start);
  const Windows test = cut(series, starts);
  const carousel::Tensor forecast = net.predict(test.inputs);  // [N, 1]
  double model = 0, last_value = 0;
  for (std::size_t n = 0; n < starts.size(); ++n) {
    const float truth = series[starts[n] + kWindow];
    model += std::pow(forecast[static_cast<int>(n)] - truth, 2);
    last_value += std::pow(series[starts[n] + kWindow - 1] - truth, 2);
  }
  const double samples = static_cast<double>(starts.size());
  std::printf("rmse: network %.4f, last value %.4f\n", std::sqrt(model / samples), std::sqrt(last_value / samples));
  std::printf("error less than half of last value's: %s\n", model * 4 < last_value ? "yes" : "no");
}
