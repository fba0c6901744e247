// audio_file.h: recordings from disk: WAV, FLAC, OGG and what else libsndfile reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct Recording {
  std::vector<float> samples;    // one channel, full scale is 1
  std::int64_t sample_rate = 0;  // Hz
  std::int64_t channels = 1;     // of the file; more than one are mixed: the mean of all
  double seconds() const { return static_cast<double>(samples.size()) / static_cast<double>(sample_rate); }
};

// Whether the name ends like that of a recording: .wav, .flac, .ogg, .oga, .opus, .aif, .aiff, .au, .mp3.
bool is_audio_file(const std::string& path);

// Throws Error{kIo} if the file cannot be read, Error{kData} that names it if it is no audio, holds no sample or one
// that is not finite, or ends before what its header announces.
Recording read_audio(const std::string& path);

}  // namespace carousel
