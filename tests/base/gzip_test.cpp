// Oracle: zlib's own compress side (gzip_compress) and RFC 1952; a cut or changed stream must be noticed by its
// checksum.
#include "base/gzip.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/support/expect_error.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i * 7919 % 10'007) + (i % 9 == 0 ? "\n" : " ");
  return text;
}

// Oracle: `printf hello | gzip -n`, made by another program.
TEST(Gzip, ReadsWhatTheGzipProgramWrote) {
  const TemporaryFolder folder;
  const std::string bytes(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00", 25);
  put_file(folder / "a.gz", bytes);
  EXPECT_EQ(read_text(folder / "a.gz"), "hello");
  EXPECT_EQ(read_file(folder / "a.gz"), bytes);
}

TEST(Gzip, MembersInARowAreOneContent) {
  const TemporaryFolder folder;
  const std::string text = sample_text();
  const std::string three = gzip_compress(text) + gzip_compress("") + gzip_compress("end") + std::string(512, '\0');
  put_file(folder / "a.gz", three);
  EXPECT_EQ(read_text(folder / "a.gz"), text + "end");
  FaultyFileSystem files;
  files.bytes_per_read = 1;
  EXPECT_EQ(read_text(folder / "a.gz"), text + "end");
}

TEST(Gzip, ACompressedStreamCutAnywhereIsTruncated) {
  const TemporaryFolder folder;
  const std::string whole = gzip_compress(sample_text().substr(0, 500));
  for (std::size_t length = 2; length < whole.size(); ++length) {
    put_file(folder / "a.gz", whole.substr(0, length));
    expect_error(Code::kData, {"a.gz", "truncated"}, [&] { read_text(folder / "a.gz"); });
  }
}

// A few bits say nothing (the padding before a byte boundary, codes that never occur): those must leave the text as it
// is.
TEST(Gzip, AChangedBitIsDamageOrWithoutEffect) {
  const TemporaryFolder folder;
  const std::string text = sample_text().substr(0, 300), whole = gzip_compress(text);
  std::size_t refused = 0, harmless = 0;
  for (std::size_t bit = 80; bit < 8 * whole.size(); ++bit) {  // behind the header, which holds no content
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    put_file(folder / "a.gz", changed);
    try {
      EXPECT_EQ(read_text(folder / "a.gz"), text) << "bit " << bit;
      ++harmless;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kData) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 100 * harmless);
}

TEST(Gzip, OtherBytesAfterTheLastMemberAreRefused) {
  const TemporaryFolder folder;
  put_file(folder / "a.gz", gzip_compress("text") + "more");
  expect_error(Code::kData, {"a.gz", "another member"}, [&] { read_text(folder / "a.gz"); });
}

TEST(Gzip, ASmallFileOfMuchContentStopsAtTheLimit) {
  const TemporaryFolder folder;
  put_file(folder / "bomb.gz", gzip_compress(std::string(50'000'000, 'x')));
  EXPECT_LT(file_system().size(folder / "bomb.gz"), 100'000);
  expect_error(Code::kData, {"bomb.gz", "larger than 1000000"}, [&] { read_text(folder / "bomb.gz", 1'000'000); });
}

TEST(Gzip, ShortPlainFilesPassThrough) {
  const TemporaryFolder folder;
  for (const std::string text : {"", "a", "\x1f", "ab"}) {
    put_file(folder / "a", text);
    EXPECT_EQ(read_text(folder / "a"), text);
  }
}

}  // namespace
}  // namespace carousel
