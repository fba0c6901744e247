// Oracles: idx files written here byte by byte; what base64 of three bytes is in RFC 4648.
#include "examples/generative/digits.h"

#include <gtest/gtest.h>

#include "examples/generative/picture.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

// An idx file of bytes with these sizes, each below 256 * 256.
std::string idx(std::initializer_list<int> sizes, const std::string& values) {
  std::string bytes("\0\0\x08", 3);
  bytes += static_cast<char>(sizes.size());
  for (const int size : sizes) bytes += {'\0', '\0', static_cast<char>(size / 256), static_cast<char>(size % 256)};
  return bytes + values;
}

TEST(Digits, AreReadFromIdxFilesAndDividedInOrder) {
  const TemporaryFolder folder;
  std::string pixels;
  for (int i = 0; i < 3 * 784; ++i) pixels += static_cast<char>(i % 251);
  put_file(folder / "images", idx({3, 28, 28}, pixels));
  put_file(folder / "labels", idx({3}, "\x07\x01\x09"));
  const generative::Digits digits = generative::read_digits(folder / "images", folder / "labels");
  ASSERT_EQ(3, digits.count());
  EXPECT_EQ(784 % 251, digits.image(1)[0]);
  EXPECT_EQ((3 * 784 - 1) % 251, digits.image(2)[783]);
  const auto [train, test] = split(digits);  // 3 * 4 / 5 = 2
  EXPECT_EQ(2, train.count());
  EXPECT_EQ(digits.image(1)[783], train.image(1)[783]);
  EXPECT_EQ((std::vector<std::uint8_t>{7, 1}), train.labels);
  EXPECT_EQ(1, test.count());
  EXPECT_EQ(digits.image(2)[0], test.image(0)[0]);
  EXPECT_EQ((std::vector<std::uint8_t>{9}), test.labels);
  EXPECT_TRUE(generative::read_digits(folder / "images").labels.empty());
}

TEST(Digits, WrongFilesAreNamedWithWhatIsWrong) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  const auto expect = [&](Code code, std::string_view words, const std::string& bytes, std::size_t axes) {
    put_file(path, bytes);
    expect_error(code, {path, words}, [&] { generative::read_idx(path, axes); });
  };
  const std::string three = idx({3}, "abc");
  expect(Code::kData, "gunzip", "\x1f\x8b\x08", 1);
  expect(Code::kData, "expected an idx file", "", 1);
  expect(Code::kData, "expected an idx file", three, 3);
  expect(Code::kData, "shorter", idx({60000, 28, 28}, std::string(784, 'a')), 3);
  expect(Code::kData, "shorter", idx({60000, 60000, 60000}, std::string(784, 'a')), 3);  // overflows 32 bits
  expect(Code::kData, "has 2 values, expected 3", three.substr(0, three.size() - 1), 1);
  expect(Code::kData, "has 4 values, expected 3", three + "d", 1);
  expect_error(Code::kIo, {folder / "none"}, [&] { generative::read_idx(folder / "none", 1); });

  put_file(folder / "small", idx({1, 2, 2}, "abcd"));
  expect_error(Code::kData, {"28 x 28"}, [&] { generative::read_digits(folder / "small"); });
  put_file(folder / "images", idx({1, 28, 28}, std::string(784, 'a')));
  expect_error(Code::kData, {"at least 2 digits"}, [&] { split(generative::read_digits(folder / "images")); });
  put_file(folder / "labels", idx({2}, "\x01\x02"));
  expect_error(Code::kData, {"2 labels for 1 images"},
               [&] { generative::read_digits(folder / "images", folder / "labels"); });
  put_file(folder / "labels", idx({1}, "\x0a"));
  expect_error(Code::kData, {"got 10"}, [&] { generative::read_digits(folder / "images", folder / "labels"); });
}

TEST(Picture, Base64HasTheVectorsOfTheStandard) {
  const auto encode = [](std::string_view text) {
    return generative::base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ("", encode(""));
  EXPECT_EQ("Zg==", encode("f"));
  EXPECT_EQ("Zm8=", encode("fo"));
  EXPECT_EQ("Zm9v", encode("foo"));
  EXPECT_EQ("Zm9vYmFy", encode("foobar"));
}

TEST(Picture, OneThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  const std::string path = folder / "no" + "/picture.svg";
  expect_error(Code::kIo, {path}, [&] { generative::Picture(10, 10).save(path); });
}

}  // namespace
}  // namespace carousel
