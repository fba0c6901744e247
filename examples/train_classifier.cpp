// train_classifier.cpp: which of three waveforms is it? A noisy sine, square or saw of random frequency and phase.
//
// A network reads the wave one value at a time, [T, N, 1], and its last state decides between the three classes.
#include <carousel/carousel.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <random>

namespace {

constexpr int kTimeSteps = 40, kBatchSize = 32, kHiddenSize = 24, kClasses = 3;

struct Batch {
  carousel::Tensor waves;     // [T, N, 1]
  carousel::IdTensor labels;  // [N]
};

float wave(int kind, double phase) {
  const double turn = phase - std::floor(phase);  // in [0, 1)
  if (kind == 0) return static_cast<float>(std::sin(2 * std::numbers::pi * turn));
  if (kind == 1) return turn < 0.5 ? 1.0f : -1.0f;
  return static_cast<float>(2 * turn - 1);
}

Batch make_batch(int samples, std::mt19937& random) {
  Batch batch{carousel::Tensor({kTimeSteps, samples, 1}), carousel::IdTensor({samples})};
  std::uniform_real_distribution<double> uniform(0, 1);
  std::normal_distribution<float> noise(0, 0.1f);
  for (int n = 0; n < samples; ++n) {
    batch.labels[n] = static_cast<int>(random() % kClasses);
    const double start = uniform(random), frequency = 0.05 + 0.1 * uniform(random);
    for (int t = 0; t < kTimeSteps; ++t) {
      batch.waves[t * samples + n] = wave(batch.labels[n], start + frequency * t) + noise(random);
    }
  }
  return batch;
}

}  // namespace

int main() {
  std::mt19937 random(1);
  auto net = carousel::Sequential{
      carousel::Recurrent{{.cell = "lstm", .input_size = 1, .hidden_size = kHiddenSize}},
      carousel::Pool{"last"},
      carousel::Linear{kHiddenSize, kClasses},
  };
  carousel::Adam adam(net.parameters(), {.lr = 1e-2});
  for (int step = 1; step <= 400; ++step) {
    const Batch batch = make_batch(kBatchSize, random);
    auto loss = carousel::cross_entropy(net(batch.waves), batch.labels);
    if (step % 100 == 0) std::printf("step %d  loss %.3f\n", step, static_cast<double>(loss.item()));
    carousel::backward(loss);
    carousel::clip_grad_norm(net.parameters(), 1.0);
    adam.step();
  }

  const Batch fresh = make_batch(1000, random);
  const carousel::Tensor scores = net.predict(fresh.waves);  // [N, classes]
  int right = 0;
  for (int n = 0; n < 1000; ++n) {
    const float* row = scores.view().row(n);
    right += std::max_element(row, row + kClasses) - row == fresh.labels[n];
  }
  std::printf("%d of 1000 new waves recognised\n", right);
  std::printf("at least 9 of 10 new waves are recognised: %s\n", right >= 900 ? "yes" : "no");
}
