// Oracles: small pieces worked by hand.
#include "examples/generative/chorales.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using generative::Batch;
using generative::Chorales;
using generative::Piece;

TEST(Chorales, AreReadFromJson) {
  const TemporaryFolder folder;
  put_file(folder / "c.json",
           "{\"test\": [[[21]]],\n \"train\" : [ [[108, 60, 60], [ ]], [[61]] ], \"valid\":[[[62]]]}\n");
  const Chorales chorales = generative::read_chorales(folder / "c.json");
  ASSERT_EQ(chorales.train.size(), 2u);
  EXPECT_EQ(chorales.train[0], (Piece{{39, 87}, {}}));
  EXPECT_EQ(chorales.train[1], (Piece{{40}}));
  EXPECT_EQ(chorales.valid[0], (Piece{{41}}));
  EXPECT_EQ(chorales.test[0], (Piece{{0}}));
}

TEST(Chorales, WrongFilesAreNamedWithWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string path = folder / "c.json";
  const auto expect = [&](std::string_view words, const std::string& text) {
    put_file(path, text);
    expect_error(Code::kData, {path, words}, [&] { generative::read_chorales(path); });
  };
  expect("byte 0: expected '{'", "");
  expect("byte 0: expected '{'", "[]");
  expect("unknown part 'trial'", "{\"trial\": []}");
  expect("expected '\"'", "{\"train");
  expect("no pieces in the part 'valid'", "{\"train\": [[[60]]], \"test\": [[[60]]]}");
  expect("a piece has no frames", "{\"train\": [[]]}");
  expect("MIDI pitch 20, expected 21 to 108", "{\"train\": [[[20]]]}");
  expect("MIDI pitch 109,", "{\"train\": [[[109]]]}");
  expect("MIDI pitch 9999,", "{\"train\": [[[99999999999999999999]]]}");
  expect("byte 13: expected a MIDI pitch", "{\"train\": [[[-60]]]}");
  expect("expected ']'", "{\"train\": [[[60 61]]]}");
  expect("expected ']'", "{\"train\": [[[60]");
  expect_error(Code::kIo, {folder / "none"}, [&] { generative::read_chorales(folder / "none"); });
}

TEST(Chorales, BatchesPutPiecesOfLikeLengthSideBySide) {
  const std::vector<Batch> batches = generative::make_batches({{{1}, {2}, {3, 4}}, {{5}}, {{6}, {7}}}, 2);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].lengths, (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(batches[0].frame_count, 3);
  ASSERT_EQ(batches[0].frames.shape(), (Shape{2, 2, 88}));
  for (std::int64_t i = 0; i < batches[0].frames.elements(); ++i) {
    EXPECT_EQ(batches[0].frames[i] == 1, i == 5 || i == 88 + 6 || i == 3 * 88 + 7) << i;
  }
  const float valid[] = {1, 1, 0, 1};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(batches[0].valid[i], valid[i]) << i;
  EXPECT_EQ(batches[1].lengths, (std::vector<std::int32_t>{3}));
  EXPECT_EQ(batches[1].frames[2 * 88 + 4], 1);
}

// Key 0 sounds in 1 of 3 known frames, key 1 in all of them, the others never; every count has one frame more of each
// kind.
TEST(Chorales, FrequenciesOfKeysGiveTheSumOfTheirLogarithms) {
  const std::vector<Piece> known{{{0, 1}, {1}}, {{1}}}, asked{{{0}}};
  const double expected = -std::log(2.0 / 5) - std::log(1 - 4.0 / 5) - 86 * std::log(1 - 1.0 / 5);
  EXPECT_NEAR(generative::key_frequency_nll(known, asked), expected, 1e-12);
}

}  // namespace
}  // namespace carousel
