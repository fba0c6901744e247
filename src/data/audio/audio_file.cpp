#include "data/audio/audio_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string_view>

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

std::uint64_t number_at(const std::string& bytes, std::size_t at, std::size_t width, bool big_endian) {
  std::uint64_t number = 0;
  for (std::size_t k = 0; k < width; ++k) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + (big_endian ? k : width - 1 - k)]);
  }
  return number;
}

// The size of a file by the header of its container: WAV (RIFF, RIFX, RF64), AIFF (FORM), AU. 0: it is another one, or
// was written to a pipe, so that the size was not known.
std::uint64_t announced_size(const std::string& bytes) {
  constexpr std::uint32_t kUnknown = 0xffffffff;
  if (bytes.size() < 12) return 0;
  const std::string_view kind = std::string_view(bytes).substr(0, 4);
  if (kind == "RF64" && bytes.size() >= 28)
    return 8 + number_at(bytes, 20, 8, false);  // in its chunk ds64, which comes first
  const bool is_au = kind == ".snd", big_endian = is_au || kind == "RIFX" || kind == "FORM";
  if (!big_endian && kind != "RIFF") return 0;
  const std::uint64_t first = number_at(bytes, 4, 4, big_endian), second = number_at(bytes, 8, 4, big_endian);
  if ((is_au ? second : first) == kUnknown) return 0;
  return is_au ? first + second : 8 + first;
}

// libsndfile takes what there is of a file that was cut off.
void check_size(const std::string& path, const std::string& bytes) {
  const std::uint64_t size = announced_size(bytes);
  if (size <= bytes.size()) return;
  fail(Code::kData, "{}: is cut off: its header announces {} bytes, the file has {}", path, size, bytes.size());
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
  check_size(path, all);
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
