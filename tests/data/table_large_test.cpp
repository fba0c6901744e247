// Oracle: the sum of numbers that were written, by a formula; and the allocation counter for the memory.
#include <gtest/gtest.h>

#include "base/gzip.h"
#include "data/number.h"
#include "data/table.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

TEST(TableReader, AMillionLinesOfGzipAreReadInTheMemoryOfOne) {
  constexpr std::int64_t kRows = 1'000'000;
  const TemporaryFolder folder;
  const std::string path = folder / "large.csv.gz";
  {
    std::string block;
    for (int i = 0; i < 1000; ++i) block += std::to_string(100 + i % 900) + ",\"some words, quoted\"\n";
    const std::string member = gzip_compress(block), header = gzip_compress("n,text\n");
    std::string file = header;
    for (std::int64_t i = 0; i < kRows / 1000; ++i) file += member;
    put_file(path, file);
  }
  const AllocationCounter counter;
  TableReader reader(path);
  const auto column = static_cast<std::size_t>(reader.column_index("n"));
  Row row;
  double sum = 0;
  std::int64_t rows = 0;
  for (; reader.next(row); ++rows) sum += parse_number(row.cells[column], path, row.line, "n");
  EXPECT_EQ(rows, kRows);
  EXPECT_EQ(row.line, kRows + 1);
  // 900 numbers 100 .. 999, then 100 .. 199, a thousand times.
  EXPECT_EQ(sum, 1000.0 * (900.0 * (100 + 999) / 2 + 100.0 * (100 + 199) / 2));
  EXPECT_LT(counter.bytes(), 1 << 20);
}

}  // namespace
}  // namespace carousel
