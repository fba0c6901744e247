// Oracle: zlib; and the check value of the CRC catalogue, "123456789" -> cbf43926.
#include "base/crc32.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string_view>
#include <vector>

namespace carousel {
namespace {

TEST(Crc32, HasTheCheckValueOfTheCatalogue) {
  EXPECT_EQ(0xcbf43926U, crc32(std::as_bytes(std::span(std::string_view("123456789")))));
  EXPECT_EQ(0U, crc32({}));
}

TEST(Crc32, EqualsZlibForEveryLengthAndAlignment) {
  std::vector<std::byte> bytes(1000);
  for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<std::byte>(k * k * 31 + k / 7);
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t size : {1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 255, 900}) {
      const auto part = std::span<const std::byte>(bytes).subspan(start, size);
      EXPECT_EQ(::crc32_z(0, reinterpret_cast<const Bytef*>(part.data()), size), crc32(part)) << start << " " << size;
    }
  }
}

// Oracle: the checksum of the whole.
TEST(Crc32, GoesOnFromThatOfTheBytesBefore) {
  std::vector<std::byte> bytes(300);
  for (std::size_t k = 0; k < bytes.size(); ++k) bytes[k] = static_cast<std::byte>(k * 37);
  const std::span<const std::byte> all(bytes);
  for (const std::size_t cut : {0, 1, 63, 64, 65, 128, 299, 300}) {
    EXPECT_EQ(crc32(all.subspan(cut), crc32(all.first(cut))), crc32(all)) << cut;
  }
}

}  // namespace
}  // namespace carousel
