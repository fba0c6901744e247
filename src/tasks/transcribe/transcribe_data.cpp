#include "tasks/transcribe/transcribe_data.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "data/audio/audio_file.h"
#include "data/audio/manifest.h"
#include "formats/npy.h"

namespace carousel {
namespace {

struct LoadedFrames {
  Tensor values;  // [T, C]
  double seconds = 0;
  std::int64_t channels = 1;
  bool silent = false;
};

// Takes the mean over all frames away from each feature.
void center(Tensor& values) {
  const std::int64_t T = values.shape()[0], C = values.shape()[1];
  for (std::int64_t c = 0; c < C; ++c) {
    double sum = 0;
    for (std::int64_t t = 0; t < T; ++t) sum += values[t * C + c];
    const auto mean = static_cast<float>(sum / static_cast<double>(T));
    for (std::int64_t t = 0; t < T; ++t) values[t * C + c] -= mean;
  }
}

LoadedFrames load_recording(const std::string& path, const FrameSettings& frames, const LogMel& log_mel) {
  const Recording recording = read_audio(path);
  if (recording.sample_rate != frames.log_mel.sample_rate) {
    fail(Code::kData,
         "{}: has {} samples a second, expected {}: all recordings of a model have one rate and none is converted; "
         "convert it first (sox IN -r {} OUT)",
         path, recording.sample_rate, frames.log_mel.sample_rate, frames.log_mel.sample_rate);
  }
  LoadedFrames loaded{log_mel(recording.samples), recording.seconds(), recording.channels};
  if (loaded.values.shape()[0] == 0) {
    fail(Code::kData, "{}: lasts {:.4g} s, expected at least one window of {} s", path, recording.seconds(),
         frames.log_mel.window);
  }
  if (frames.centered) center(loaded.values);
  loaded.silent = std::all_of(recording.samples.begin(), recording.samples.end(), [](float x) { return x == 0; });
  return loaded;
}

LoadedFrames load_features(const std::string& path, const FrameSettings& frames) {
  LoadedFrames loaded{read_npy<float>(path, NpyConversion::kRound)};
  const Shape& shape = loaded.values.shape();
  if (shape.rank() != 2 || shape.elements() == 0) {
    fail(Code::kData, "{}: has shape {}, expected [T, C]", path, shape.to_string());
  }
  if (frames.features > 0 && shape[1] != frames.features) {
    fail(Code::kData, "{}: has {} features, expected {}", path, shape[1], frames.features);
  }
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    if (!std::isfinite(loaded.values[i])) {
      fail(Code::kData, "{}: feature {} of frame {} is not finite", path, i % shape[1], i / shape[1]);
    }
  }
  return loaded;
}

// What the row of the table names. Errors begin with its line.
LoadedFrames load(const ManifestRow& row, const FrameSettings& frames, const LogMel* log_mel) {
  try {
    if (is_audio_file(row.path) != frames.from_audio()) {
      fail(Code::kData, "{}: expected {}", row.path,
           frames.from_audio() ? "a recording (.wav, .flac, .ogg ...)" : "features (.npy)");
    }
    return frames.from_audio() ? load_recording(row.path, frames, *log_mel) : load_features(row.path, frames);
  } catch (const Error& error) {
    if (row.place == row.path) throw;
    fail(error.code(), "{}: {}", row.place, error.what());
  }
}

// The frames of a first file.
FrameSettings settings_of(const ManifestRow& row, bool centered) {
  FrameSettings frames;
  try {
    if (is_audio_file(row.path)) {
      frames.log_mel.sample_rate = read_audio(row.path).sample_rate;
      frames.features = frames.log_mel.filters;
      frames.centered = centered;
    } else {
      frames.features = load_features(row.path, frames).values.shape()[1];
    }
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", row.place, error.what());
  }
  return frames;
}

}  // namespace

double FrameSettings::begin(std::int64_t step) const {
  const auto frame = static_cast<double>(step * stack);
  if (!from_audio()) return frame;
  return frame * static_cast<double>(log_mel.hop_samples()) / static_cast<double>(log_mel.sample_rate);
}

Utterances read_utterances(const std::vector<std::string>& paths, const DataOptions& options,
                           const FrameSettings* known, bool texts_required) {
  const std::vector<ManifestRow> rows = read_manifests({.paths = paths,
                                                        .format = options.format,
                                                        .audio_column = options.audio_column,
                                                        .text_column = options.text_column,
                                                        .texts_required = texts_required});
  if (rows.empty()) fail(Code::kData, "{}: no recordings in it", fmt::join(paths, ", "));
  Utterances data;
  data.frames = known ? *known : settings_of(rows.front(), options.center);
  data.frames.stack = 1;
  std::optional<LogMel> log_mel;
  if (data.frames.from_audio()) log_mel.emplace(data.frames.log_mel);
  std::vector<LoadedFrames> loaded(rows.size());
  parallel_for(std::ssize(rows), [&](std::int64_t n) {
    const auto place = static_cast<std::size_t>(n);
    loaded[place] = load(rows[place], data.frames, log_mel ? &*log_mel : nullptr);
  });
  data.samples.features = data.frames.features;
  std::int64_t mixed = 0;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    data.texts.push_back(rows[n].text);
    data.places.push_back(rows[n].place);
    data.samples.sequences.push_back({std::move(loaded[n].values), "", 0});
    if (data.frames.from_audio()) data.seconds.push_back(loaded[n].seconds);
    if (loaded[n].silent) data.silent.push_back(rows[n].place);
    mixed += loaded[n].channels > 1;
  }
  if (mixed > 0) data.notes.push_back(fmt::format("{} recordings have several channels: mixed to their mean", mixed));
  return data;
}

void append(Utterances& data, Utterances more) {
  const auto move_all = [](auto& from, auto& to) { std::move(from.begin(), from.end(), std::back_inserter(to)); };
  move_all(more.samples.sequences, data.samples.sequences);
  move_all(more.texts, data.texts);
  move_all(more.places, data.places);
  move_all(more.seconds, data.seconds);
  move_all(more.notes, data.notes);
  move_all(more.silent, data.silent);
}

void stack_frames(Utterances& data, std::int64_t stack) {
  data.frames.stack = stack;
  if (stack == 1) return;
  const std::int64_t C = data.frames.features;
  for (Sequence& sequence : data.samples.sequences) {
    const std::int64_t T = sequence.values.shape()[0], steps = (T + stack - 1) / stack;
    Tensor stacked({steps, stack * C});
    for (std::int64_t frame = 0; frame < steps * stack; ++frame) {
      std::copy_n(sequence.values.data() + std::min(frame, T - 1) * C, C, stacked.data() + frame * C);
    }
    sequence.values = std::move(stacked);
  }
  data.samples.features = stack * C;
}

}  // namespace carousel
