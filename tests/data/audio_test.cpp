// Recordings, their features and the tables that name them.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "base/random.h"
#include "data/audio/audio_file.h"
#include "data/audio/log_mel.h"
#include "data/audio/manifest.h"
#include "data/audio/sound_library.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

std::string little_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int k = 0; k < bytes; ++k) text += static_cast<char>(value >> 8 * k & 255U);
  return text;
}

std::string big_endian(std::uint32_t value, int bytes) {
  const std::string text = little_endian(value, bytes);
  return {text.rbegin(), text.rend()};
}

// A WAV file of 16-bit samples, channels side by side, put together by hand from the format's description.
std::string wav(std::span<const std::int16_t> samples, std::uint32_t rate, std::uint32_t channels = 1) {
  std::string data;
  for (const std::int16_t sample : samples) data += little_endian(static_cast<std::uint16_t>(sample), 2);
  const auto bytes = static_cast<std::uint32_t>(data.size());
  return "RIFF" + little_endian(36 + bytes, 4) + "WAVEfmt " + little_endian(16, 4) + little_endian(1, 2) +
         little_endian(channels, 2) + little_endian(rate, 4) + little_endian(rate * channels * 2, 4) +
         little_endian(channels * 2, 2) + little_endian(16, 2) + "data" + little_endian(bytes, 4) + data;
}

std::vector<float> noise(std::size_t count) {
  std::vector<float> samples(count);
  fill_uniform({3, Purpose::kTest, 0}, -0.5f, 0.5f, samples);
  return samples;
}

// Oracle: the bytes that were written; full scale of 16 bits is 32768.
TEST(Audio, ReadsSamplesAndMixesChannels) {
  const TemporaryFolder folder;
  const std::int16_t samples[] = {0, 16384, -32768, 32767, 100, -100};
  put_file(folder / "mono.wav", wav(samples, 8000));
  const Recording mono = read_audio(folder / "mono.wav");
  EXPECT_EQ(mono.sample_rate, 8000);
  EXPECT_EQ(mono.channels, 1);
  EXPECT_EQ(mono.samples, (std::vector<float>{0, 0.5F, -1, 32767 / 32768.0F, 100 / 32768.0F, -100 / 32768.0F}));
  put_file(folder / "stereo.WAV", wav(samples, 44100, 2));
  const Recording stereo = read_audio(folder / "stereo.WAV");
  EXPECT_EQ(stereo.channels, 2);
  EXPECT_EQ(stereo.samples, (std::vector<float>{0.25F, -1 / 65536.0F, 0}));
  EXPECT_DOUBLE_EQ(stereo.seconds(), 3 / 44100.0);
}

// Oracle: the contract. Whatever is wrong, the file is named.
TEST(Audio, NamesFilesThatCannotBeUsed) {
  const TemporaryFolder folder;
  const std::int16_t samples[] = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::string whole = wav(samples, 8000);
  put_file(folder / "cut.wav", whole.substr(0, whole.size() - 5));
  put_file(folder / "empty.wav", wav({}, 8000));
  put_file(folder / "nothing.wav", "");
  put_file(folder / "text.wav", "audio\ttext\nclip.wav\tone\n");
  expect_error(Code::kData, {"cut.wav", "cut off", "60 bytes", "has 55"}, [&] { read_audio(folder / "cut.wav"); });
  expect_error(Code::kData, {"empty.wav", "0 samples"}, [&] { read_audio(folder / "empty.wav"); });
  expect_error(Code::kData, {"nothing.wav", "no audio"}, [&] { read_audio(folder / "nothing.wav"); });
  expect_error(Code::kData, {"text.wav", "no audio"}, [&] { read_audio(folder / "text.wav"); });
  expect_error(Code::kIo, {"missing.wav"}, [&] { read_audio(folder / "missing.wav"); });
  EXPECT_TRUE(is_audio_file("a/B.Wav"));
  EXPECT_FALSE(is_audio_file("wav.tsv"));
}

// Oracle: the bytes that were written, by the descriptions of the formats; a file without its end is never taken.
TEST(Audio, NoContainerLoadsWithoutItsEnd) {
  const std::int16_t samples[] = {0, 16384, -32768, 100};
  const std::string wave = wav(samples, 8000), data = wave.substr(44);
  std::string swapped;
  for (std::size_t k = 0; k < data.size(); k += 2) swapped += {data[k + 1], data[k]};
  const std::string rifx = "RIFX" + big_endian(44, 4) + "WAVEfmt " + big_endian(16, 4) + big_endian(1, 2) +
                           big_endian(1, 2) + big_endian(8000, 4) + big_endian(16000, 4) + big_endian(2, 2) +
                           big_endian(16, 2) + "data" + big_endian(8, 4) + swapped;
  const std::string unknown(4, '\xff'), zeros(4, '\0');
  const std::string rf64 = "RF64" + unknown + "WAVEds64" + little_endian(28, 4) + little_endian(80, 4) + zeros +
                           little_endian(8, 4) + zeros + little_endian(4, 4) + zeros + zeros + wave.substr(12, 24) +
                           "data" + unknown + data;
  const std::string rate = big_endian(0x400b, 2) + big_endian(0xfa000000, 4) + zeros;  // 8000 = 0xfa00 2^-3, 80 bits
  const std::string aiff = "FORM" + big_endian(54, 4) + "AIFFCOMM" + big_endian(18, 4) + big_endian(1, 2) +
                           big_endian(4, 4) + big_endian(16, 2) + rate + "SSND" + big_endian(16, 4) + zeros + zeros +
                           swapped;
  const std::string au_head = ".snd" + big_endian(24, 4),
                    au_tail = big_endian(3, 4) + big_endian(8000, 4) + big_endian(1, 4);
  const std::string au = au_head + big_endian(8, 4) + au_tail + swapped;
  const TemporaryFolder folder;
  const auto read = [&](const std::string& bytes) {
    put_file(folder / "sound", bytes);
    return read_audio(folder / "sound").samples;
  };
  const std::vector<float> expected{0, 0.5F, -1, 100 / 32768.0F};
  for (const std::string& whole : {wave, rifx, rf64, aiff, au}) {
    SCOPED_TRACE(whole.substr(0, 4));
    EXPECT_EQ(read(whole), expected);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      expect_error(Code::kData, {"sound"}, [&] { read(whole.substr(0, size)); });
    }
  }
  EXPECT_EQ(read(au_head + unknown + au_tail + swapped), expected);  // written to a pipe
}

// Oracle: the contract. libm is there and holds no recordings.
TEST(Audio, ALibraryThatIsNotThereIsNamed) {
  expect_error(Code::kUsage, {"libnone.so.7", "install libsndfile1"}, [] { SoundLibrary("libnone.so.7"); });
  expect_error(Code::kUsage, {"libm.so.6", "sf_open_virtual"}, [] { SoundLibrary("libm.so.6"); });
}

// Oracle: the formulas of the header, in double, with a Fourier transform term by term.
TEST(LogMel, EqualsTheDefinition) {
  for (const std::int64_t rate : {8000, 16000, 11025}) {
    const LogMelSettings settings{.sample_rate = rate, .filters = 23};
    const LogMel log_mel(settings);
    const auto window = std::llround(0.025 * static_cast<double>(rate)),
               hop = std::llround(0.01 * static_cast<double>(rate));
    const std::vector<float> samples = noise(static_cast<std::size_t>(window + 2 * hop + 7));
    const Tensor features = log_mel(samples);
    ASSERT_EQ(features.shape(), (Shape{3, 23}));
    EXPECT_EQ(log_mel.frames(window - 1), 0);
    EXPECT_EQ(log_mel.frames(window), 1);
    EXPECT_EQ(log_mel.frames(window + hop - 1), 1);
    std::int64_t size = 1;
    while (size < 2 * window) size *= 2;
    const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
    const double low = mel(20), high = mel(static_cast<double>(rate) / 2);
    for (std::int64_t t = 0; t < 3; ++t) {
      std::vector<double> energies(23);
      for (std::int64_t f = 0; f <= size / 2; ++f) {
        std::complex<double> sum = 0;
        for (std::int64_t i = 0; i < window; ++i) {
          const double x = samples[static_cast<std::size_t>(t * hop + i)];
          const double hann =
              std::pow(std::sin(std::numbers::pi * static_cast<double>(i) / static_cast<double>(window)), 2);
          sum += x * hann *
                 std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(f * i % size) / static_cast<double>(size));
        }
        const double hertz = static_cast<double>(f * rate) / static_cast<double>(size);
        for (std::size_t m = 0; m < 23; ++m) {
          const auto corner = [&](std::size_t k) {
            return 700 * (std::pow(10, (low + static_cast<double>(m + k) * (high - low) / 24) / 2595) - 1);
          };
          const double up = (hertz - corner(0)) / (corner(1) - corner(0));
          const double down = (corner(2) - hertz) / (corner(2) - corner(1));
          energies[m] += std::max(0.0, std::min(up, down)) * std::norm(sum);
        }
      }
      for (std::size_t m = 0; m < 23; ++m) {
        EXPECT_NEAR(features[t * 23 + static_cast<std::int64_t>(m)], std::log(energies[m]), 2e-5)
            << rate << " Hz, " << m;
      }
    }
  }
}

// Oracle: closed form. A sine of amplitude a at the middle of a filter has its peak (a window / 4)^2 there, its
// neighbours less, and silence is the floor everywhere.
TEST(LogMel, PutsASineIntoItsFilter) {
  const LogMel log_mel({.sample_rate = 16000});
  const double low = 2595 * std::log10(1 + 20 / 700.0), high = 2595 * std::log10(1 + 8000 / 700.0);
  for (const std::int64_t filter : {12, 25, 36}) {
    const double hertz = 700 * (std::pow(10, (low + static_cast<double>(filter + 1) * (high - low) / 41) / 2595) - 1);
    std::vector<float> sine;
    for (int i = 0; i < 4000; ++i) {
      sine.push_back(static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hertz * i / 16000)));
    }
    const Tensor features = log_mel(sine);
    for (std::int64_t t = 0; t < features.shape()[0]; ++t) {
      const float* row = features.data() + t * 40;
      EXPECT_EQ(std::max_element(row, row + 40) - row, filter);
      const double peak = std::log(std::pow(0.5 * 400 / 4, 2));  // of one frequency; several lie under the triangle
      EXPECT_GT(row[filter], peak);
      EXPECT_LT(row[filter], peak + std::log(6.0));
    }
  }
  const Tensor silence = log_mel(std::vector<float>(4000, 0.0F));
  for (std::int64_t i = 0; i < silence.elements(); ++i) EXPECT_EQ(silence[i], static_cast<float>(std::log(1e-8)));
}

// Oracle: the rows as written.
TEST(Manifest, GivesPathsFromItsOwnFolder) {
  const TemporaryFolder folder;
  put_file(folder / "list.tsv",
           "audio\ttext\tspeaker\na.wav\tone two\tx\n/b.flac\t \ty\nsub/c.npy\t\xC3\xA9t\xC3\xA9\tz\n");
  const auto rows = read_manifests({.paths = {folder / "list.tsv"}, .format = "", .texts_required = true});
  ASSERT_EQ(rows.size(), 3);
  EXPECT_EQ(rows[0].path, folder / "a.wav");
  EXPECT_EQ(rows[0].text, "one two");
  EXPECT_EQ(rows[0].place, (folder / "list.tsv") + ":2");
  EXPECT_EQ(rows[1].path, "/b.flac");
  EXPECT_EQ(rows[1].text, "");
  EXPECT_EQ(rows[2].path, folder / "sub/c.npy");
  put_file(folder / "list.jsonl", "{\"clip\": \"a.wav\", \"said\": \"one\"}\n");
  const auto lines = read_manifests({.paths = {folder / "list.jsonl"},
                                     .format = "",
                                     .audio_column = "clip",
                                     .text_column = "said",
                                     .texts_required = true});
  EXPECT_EQ(lines.at(0).text, "one");
}

// Oracle: the contract. Without texts a table needs no text column and recordings may be named themselves.
TEST(Manifest, ReadsRecordingsToPredict) {
  const TemporaryFolder folder;
  put_file(folder / "list.csv", "audio\na.wav\n");
  put_file(folder / "hole.csv", "audio,text\n,one\n");
  const std::vector<std::string> both{folder / "list.csv", "x/y.wav"};
  const auto rows = read_manifests({.paths = both, .format = "", .texts_required = false});
  ASSERT_EQ(rows.size(), 2);
  EXPECT_EQ(rows[1].path, "x/y.wav");
  EXPECT_EQ(rows[1].place, "x/y.wav");
  expect_error(Code::kData, {"list.csv", "'text'"}, [&] { read_manifests({.paths = both, .format = ""}); });
  expect_error(Code::kData, {"y.wav", "without its text", "'audio' and 'text'"},
               [&] { read_manifests({.paths = {"y.wav"}, .format = ""}); });
  expect_error(Code::kData, {"hole.csv:2", "'audio' is empty"},
               [&] { read_manifests({.paths = {folder / "hole.csv"}, .format = ""}); });
}

}  // namespace
}  // namespace carousel
