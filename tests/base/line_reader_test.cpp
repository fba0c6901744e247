// Oracle: the list of lines that the text was built from.
#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"
#include "base/gzip.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    lines.push_back(line);
    EXPECT_EQ(reader.line_number(), static_cast<std::int64_t>(lines.size()));
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineReader, EndsAreLfOrCrLfAndTheLastMayBeMissing) {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    put_file(folder / "a", text);
    return lines_of(folder / "a");
  };
  EXPECT_EQ(read(""), Lines{});
  EXPECT_EQ(read("\n"), Lines{""});
  EXPECT_EQ(read("a"), Lines{"a"});
  EXPECT_EQ(read("a\nb\n"), (Lines{"a", "b"}));
  EXPECT_EQ(read("a\r\n\r\nb\rc\r\nd"), (Lines{"a", "", "b\rc", "d"}));
  EXPECT_EQ(read("\xEF\xBB\xBFname\n\xEF\xBB\xBFx\n"), (Lines{"name", "\xEF\xBB\xBFx"}));
}

TEST(LineReader, LinesAcrossBufferEndsAndMembersAreWhole) {
  const TemporaryFolder folder;
  Lines expected;
  std::string text;
  for (std::size_t i = 0; i < 300; ++i) {
    expected.push_back(std::string(i * 13 % 1777, static_cast<char>('a' + i % 26)));
    text += expected.back() + (i % 2 == 0 ? "\r\n" : "\n");
  }
  put_file(folder / "a", text);
  EXPECT_EQ(lines_of(folder / "a"), expected);
  put_file(folder / "a.gz", gzip_compress(text.substr(0, 1000)) + gzip_compress(text.substr(1000)));
  EXPECT_EQ(lines_of(folder / "a.gz"), expected);
  FaultyFileSystem files;
  files.bytes_per_read = 3;
  EXPECT_EQ(lines_of(folder / "a"), expected);
}

TEST(LineReader, ErrorsNamePathAndLine) {
  const TemporaryFolder folder;
  put_file(folder / "long.txt", "short\n" + std::string(200, 'x') + "\n");
  expect_error(Code::kData, {"long.txt:2", "100 bytes"}, [&] {
    LineReader reader(folder / "long.txt", 100);
    for (std::string line; reader.next(line);) {
    }
  });
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i) + "\n";
  const std::string packed = gzip_compress(text);
  put_file(folder / "cut.gz", packed.substr(0, packed.size() / 2));
  expect_error(Code::kData, {"cut.gz", "truncated", "line"}, [&] { lines_of(folder / "cut.gz"); });
  expect_error(Code::kIo, {"missing.txt"}, [&] { LineReader reader(folder / "missing.txt"); });
}

TEST(LineReader, ReadingALineAllocatesNothingOnceTheLineIsLargeEnough) {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "some text that is longer than a short string\n";
  put_file(folder / "a", text);
  LineReader reader(folder / "a");
  std::string line;
  line.reserve(1000);
  reader.next(line);
  const AllocationCounter counter;
  while (reader.next(line)) {
  }
  EXPECT_EQ(counter.count(), 0);
  EXPECT_EQ(reader.line_number(), 100'000);
}

}  // namespace
}  // namespace carousel
