// draw.cpp: DRAW (Gregor et al. 2015) learns to draw handwritten digits stroke by stroke. docs/generative.md says what
// it reaches.
//
//   gunzip -k t10k-images-idx3-ubyte.gz
//   draw t10k-images-idx3-ubyte draw.svg [UPDATES]
//
// Pixels are ink with the probability that their grey says, drawn anew whenever a digit is used for training, once for
// the test. Four fifths of the digits are for training; the bound on -log p(x) of the others, in nats per image, stands
// beside what the frequency of ink at every pixel gives.
#include "generative/draw.h"

#include <carousel/carousel.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "generative/digits.h"
#include "generative/draw_report.h"

namespace {

constexpr int kBatchSize = 100;

void train(generative::Draw& model, const generative::Digits& digits, int updates) {
  constexpr double kLearningRate = 2e-3;
  const std::vector<carousel::Parameter*> parameters = model.parameters();
  carousel::Adam adam(parameters, {.lr = kLearningRate});
  carousel::Graph graph;
  std::mt19937 random(1);
  double pixels = 0, divergence = 0;
  for (int step = 0; step < updates; ++step) {
    const auto [x, z] = model.bound(graph, generative::draw_images(digits, kBatchSize, random));
    pixels += mean(x).item(), divergence += mean(z).item();
    backward(mean(x + z));
    clip_grad_norm(parameters, 5.0);
    adam.set_learning_rate(kLearningRate * (1 - 1.0 * step / updates));
    adam.step();
    graph.reset();
    if (10 * (step + 1) / updates == 10 * step / updates) continue;
    const double count = (updates + 9) / 10;
    std::printf("update %d  bound %.2f nats  (pixels %.2f, divergence %.2f)\n", step + 1, (pixels + divergence) / count,
                pixels / count, divergence / count);
    std::fflush(stdout);
    pixels = divergence = 0;
  }
}

void run(const char* images, const char* path, int updates) {
  if (updates < 1) throw carousel::Error(carousel::Code::kUsage, "expected at least 1 update");
  const auto [train_digits, test_digits] = split(generative::read_digits(images));
  std::printf("%d digits for training, %d for the test\n", train_digits.count(), test_digits.count());
  generative::Draw model({});
  train(model, train_digits, updates);
  std::mt19937 random(2);
  const carousel::Tensor test = generative::binarise(test_digits, random);
  const auto [pixels, divergence] = generative::test_bound(model, test);
  std::printf("test: bound %.2f nats per image (pixels %.2f, divergence %.2f); frequency of each pixel %.2f\n",
              pixels + divergence, pixels, divergence, generative::frequency_bound(train_digits, test));
  generative::draw_drawings(model, path);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3 || argc > 4) {
    std::fprintf(stderr, "usage: draw IMAGES PICTURE.svg [UPDATES]\n");
    return 2;
  }
  run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 5000);
} catch (const carousel::Error& error) {
  std::fprintf(stderr, "draw: %s\n", error.what());
  return carousel::exit_status(error.code());
}
