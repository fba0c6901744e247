// caption.cpp: pictures of two handwritten digits described in words, "a seven left of a three", and where the network
// looked for each word. docs/generative.md says what it reaches.
//
//   gunzip -k t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz
//   caption t10k-images-idx3-ubyte t10k-labels-idx1-ubyte caption.svg [UPDATES]
//
// Four fifths of the digits make the scenes for training, the last fifth those for the test: no digit is in both.
// Beside it stand the most frequent words, and the same network without attention.
#include <carousel/carousel.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "generative/caption_report.h"
#include "generative/captioner.h"
#include "generative/digits.h"
#include "generative/scenes.h"

namespace {

constexpr int kBatchSize = 64;

void train(generative::Captioner& captioner, const generative::Digits& digits, int updates) {
  std::mt19937 random(1);
  double loss = 0;
  for (int step = 0; step < updates; ++step) {
    loss += captioner.train(generative::draw_scenes(digits, kBatchSize, random), 1 - 1.0 * step / updates);
    if (10 * (step + 1) / updates == 10 * step / updates) continue;
    std::printf("  update %d  loss %.4f nats per word\n", step + 1, loss / ((updates + 9) / 10));
    std::fflush(stdout);
    loss = 0;
  }
}

void print(const char* name, const generative::CaptionScore& score) {
  std::printf("%-20s words %5.1f %%  digits %5.1f %%  relations %5.1f %%  captions %5.1f %%\n", name, 100 * score.words,
              100 * score.digits, 100 * score.relations, 100 * score.captions);
}

void run(const char* images, const char* labels, const char* path, int updates) {
  if (updates < 1) throw carousel::Error(carousel::Code::kUsage, "expected at least 1 update");
  const auto [train_digits, test_digits] = split(generative::read_digits(images, labels));
  std::printf("%d digits for training, %d for the test\n", train_digits.count(), test_digits.count());
  std::mt19937 random(2);
  const std::vector<generative::Scene> train_scenes = draw_scenes(train_digits, test_digits.count(), random),
                                       test_scenes = draw_scenes(test_digits, test_digits.count(), random);

  generative::Captioner captioner(true), blind(false);
  std::printf("with attention:\n");
  train(captioner, train_digits, updates);
  std::printf("without attention:\n");
  train(blind, train_digits, updates);

  const generative::Told told = captioner.describe(test_scenes);
  const generative::CaptionScore score = generative::score(test_scenes, told);
  std::printf("%zu scenes of test digits:\n", test_scenes.size());
  print("most frequent words", generative::score(test_scenes, most_frequent(train_scenes, test_scenes.size())));
  print("without attention", generative::score(test_scenes, blind.describe(test_scenes)));
  print("with attention", score);
  std::printf("weight of a digit's word on that digit: %.1f %%\n", 100 * score.on_digit);
  generative::draw_captions({test_scenes.data(), std::min<std::size_t>(6, test_scenes.size())}, told, path);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 4 || argc > 5) {
    std::fprintf(stderr, "usage: caption IMAGES LABELS PICTURE.svg [UPDATES]\n");
    return 2;
  }
  run(argv[1], argv[2], argv[3], argc > 4 ? std::atoi(argv[4]) : 3000);
} catch (const carousel::Error& error) {
  std::fprintf(stderr, "caption: %s\n", error.what());
  return carousel::exit_status(error.code());
}
