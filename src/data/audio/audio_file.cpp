#include "data/audio/audio_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "base/fail.h"
#include "base/file.h"
#include "data/audio/sound_library.h"

namespace carousel {
namespace {

// The bytes of a file as libsndfile asks for them.
struct FileBytes {
  const std::string& all;
  sf_count_t at = 0;

  static FileBytes& of(void* user) { return *static_cast<FileBytes*>(user); }
  static sf_count_t length(void* user) { return std::ssize(of(user).all); }
  static sf_count_t tell(void* user) { return of(user).at; }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? of(user).at : length(user);
    if (offset < -from || offset > length(user) - from) return -1;
    return of(user).at = from + offset;
  }
  static sf_count_t read(void* to, sf_count_t count, void* user) {
    FileBytes& bytes = of(user);
    count = std::clamp<sf_count_t>(length(user) - bytes.at, 0, count);
    std::memcpy(to, bytes.all.data() + bytes.at, static_cast<std::size_t>(count));
    bytes.at += count;
    return count;
  }
};

// libsndfile takes what there is of a WAV file that was cut off, so its size is compared with what its header says
// (all ones: written to a pipe, the size was not known).
void check_riff_size(const std::string& path, const std::string& bytes) {
  if (bytes.size() < 12 || bytes.compare(0, 4, "RIFF") != 0) return;
  std::uint32_t size = 0;
  for (int k = 3; k >= 0; --k) size = size << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(4 + k)]);
  if (size == 0xffffffffU || std::uint64_t{size} + 8 <= bytes.size()) return;
  fail(Code::kData, "{}: is cut off: its header announces {} bytes, the file has {}", path, std::uint64_t{size} + 8,
       bytes.size());
}

}  // namespace

bool is_audio_file(const std::string& path) {
  std::string name = path;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return c < 128 ? std::tolower(c) : c; });
  constexpr const char* kEndings[] = {".wav", ".flac", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au", ".mp3"};
  return std::any_of(std::begin(kEndings), std::end(kEndings), [&](const char* end) { return name.ends_with(end); });
}

Recording read_audio(const std::string& path) {
  const std::string all = read_file(path);
  check_riff_size(path, all);
  FileBytes bytes{all};
  const SoundLibrary& sound = sound_library();
  SF_VIRTUAL_IO io{FileBytes::length, FileBytes::seek, FileBytes::read, nullptr, FileBytes::tell};
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sound.open_virtual(&io, SFM_READ, &info, &bytes), sound.close);
  if (!file) fail(Code::kData, "{}: is no audio that can be read: {}", path, sound.strerror(nullptr));
  Recording recording{.samples = {}, .sample_rate = info.samplerate, .channels = info.channels};
  constexpr sf_count_t kFrames = 1 << 14;  // at once: memory grows with what is there, not with what a header claims
  std::vector<float> block(static_cast<std::size_t>(kFrames * info.channels));
  sf_count_t frames = 0;
  while (const sf_count_t count = sound.readf_float(file.get(), block.data(), kFrames)) {
    for (sf_count_t t = 0; t < count; ++t) {
      double sum = 0;
      for (int c = 0; c < info.channels; ++c) sum += block[static_cast<std::size_t>(t * info.channels + c)];
      if (!std::isfinite(sum)) fail(Code::kData, "{}: sample {} is not finite", path, frames + t);
      recording.samples.push_back(static_cast<float>(sum / info.channels));
    }
    frames += count;
  }
  if (frames < info.frames || sound.error(file.get()) != SF_ERR_NO_ERROR) {
    fail(Code::kData, "{}: is damaged or cut off: its header announces {} samples, {} could be read", path, info.frames,
         frames);
  }
  if (frames == 0) fail(Code::kData, "{}: holds no sound: 0 samples", path);
  return recording;
}

}  // namespace carousel
