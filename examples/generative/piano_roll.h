// piano_roll.h: pieces one below the other, time from left to right and pitch upwards.
#pragma once

#include <carousel/tensor.h>

#include <string>

#include "chorales.h"
#include "picture.h"

namespace generative {

// One roll of a page, from `top` on: as many keys as chorales need, a line for every C and a fainter one every 4
// frames.
class PianoRoll {
 public:
  static constexpr int kWidth = 860, kHeight = 256;

  PianoRoll(Picture& picture, double top, std::string colour)
      : picture_(picture), top_(top + 18), colour_(std::move(colour)) {}

  // Sample n of `frames` [T, N, 88], 1 where a key sounds; keys that go on sounding are one bar.
  void draw(const std::string& title, const carousel::Tensor& frames, std::int64_t n) {
    picture_.text(kLeft, top_ - 5, title);
    const std::int64_t T = std::min<std::int64_t>(frames.shape()[0], kFrames), N = frames.shape()[1];
    draw_grid(static_cast<int>(T));
    for (int key = kLowest; key <= kHighest; ++key) {
      for (std::int64_t t = 0, begin = 0; t <= T; ++t) {
        if (t < T && frames[(t * N + n) * kKeys + key] > 0) continue;
        if (t > begin) draw_bar(key, static_cast<int>(begin), static_cast<int>(t));
        begin = t + 1;
      }
    }
  }

 private:
  static constexpr int kFrames = 96;
  static constexpr int kLowest = 41 - kLowestPitch, kHighest = 97 - kLowestPitch;
  static constexpr double kLeft = 36, kStep = 8.5, kKey = 4;

  double y(int key) const { return top_ + (kHighest - key) * kKey; }

  void draw_grid(int frames) {
    const double height = (kHighest - kLowest + 1) * kKey, width = frames * kStep;
    picture_.box({kLeft, top_, width, height}, "fill=\"#f6f6f2\"");
    for (int t = 4; t < frames; t += 4) picture_.box({kLeft + t * kStep, top_, 0.5, height}, "fill=\"#ddd\"");
    for (int octave = 3; octave <= 7; ++octave) {
      const double line = y(12 * (octave + 1) - kLowestPitch) + kKey;  // MIDI: C4 is 60
      picture_.box({kLeft, line, width, 0.5}, "fill=\"#999\"");
      picture_.text(10, line, "C" + std::to_string(octave), "font-size=\"10\" fill=\"#666\"");
    }
  }

  void draw_bar(int key, int begin, int end) {
    picture_.box({kLeft + begin * kStep + 0.5, y(key), (end - begin) * kStep - 1, kKey}, "fill=\"" + colour_ + "\"");
  }

  Picture& picture_;
  double top_;
  std::string colour_;
};

}  // namespace generative
