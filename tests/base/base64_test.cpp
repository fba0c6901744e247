// Oracle: the test vectors of RFC 4648, section 10; and there and back for every length and byte.
#include "base/base64.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace carousel {
namespace {

TEST(Base64, IsThatOfTheRfc) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  EXPECT_EQ(base64_encode("\xFB\xEF\xFF"), "++//");
}

TEST(Base64, ComesBackForEveryLengthAndByte) {
  std::string bytes;
  for (int c = 0; c < 256; ++c) {
    bytes += static_cast<char>(37 * c);
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
  }
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  expect_error(Code::kData, {"character 2 is no digit"}, [] { base64_decode("Z-9v"); });
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z", "Zh==", "Zg==Zg==", "=", "Zm9v="}) {
    expect_error(Code::kData, {"do not end as they should"}, [&] { base64_decode(text); });
  }
}

}  // namespace
}  // namespace carousel
