// transcribe_data.h: what the transcribe task reads: recordings or sequences of features, with a text each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/audio/log_mel.h"
#include "tasks/options.h"
#include "tasks/samples.h"

namespace carousel {

// How an input becomes what the network reads at a step. Kept in the model file.
struct FrameSettings {
  LogMelSettings log_mel;     // of recordings; sample_rate 0: features come from .npy files
  bool centered = false;      // of recordings: the mean over all frames is taken away from each feature
  std::int64_t features = 0;  // of a frame
  std::int64_t stack = 1;     // frames side by side in a step

  bool from_audio() const noexcept { return log_mel.sample_rate > 0; }
  // Where a step begins: in seconds, or, for features from files, as the number of its first frame.
  double begin(std::int64_t step) const;
};

struct Utterances {
  FrameSettings frames;             // stack: what stack_frames() was told
  Samples samples;                  // sequences [T, C]
  std::vector<std::string> texts;   // "" where there is none
  std::vector<std::string> places;  // "file:line"
  std::vector<double> seconds;      // of recordings
  std::vector<std::string> notes;   // what was mixed, one line each
  std::vector<std::string> silent;  // places of recordings without any sound
  std::int64_t size() const noexcept { return std::ssize(texts); }
};

// Reads the tables `paths` and all that they name. `known`: the frames of a model, which the files must fit; null: the
// first file sets rate and features. The frames are not stacked yet. Throws Error{kData} with the line of the table.
Utterances read_utterances(const std::vector<std::string>& paths, const DataOptions& options,
                           const FrameSettings* known, bool texts_required);

// Adds those of `more` (read with data.frames) behind those of `data`.
void append(Utterances& data, Utterances more);

// Puts `stack` frames side by side, [T, C] -> [ceil(T / stack), stack C]; the last frame fills up the last step.
void stack_frames(Utterances& data, std::int64_t stack);

}  // namespace carousel
