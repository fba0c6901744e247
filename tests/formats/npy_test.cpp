// Oracle: files spelled out byte by byte after NumPy's description of the format.
#include "formats/npy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/fail.h"
#include "base/file.h"
#include "base/gzip.h"
#include "base/random.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

std::string with_header(const std::string& header, const std::string& data, char major = 1) {
  const auto size = static_cast<std::uint32_t>(header.size());
  return std::string("\x93NUMPY") + major + '\0' +
         std::string(reinterpret_cast<const char*>(&size), major == 1 ? 2 : 4) + header + data;
}

std::string dictionary(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

class Npy : public testing::Test {
 protected:
  const std::string& put(const std::string& content) {
    put_file(path_, content);
    return path_;
  }
  template <class From, class T>
  void expect_values(const std::string& descr, std::initializer_list<From> stored, std::vector<T> expected) {
    put(with_header(dictionary(descr, "(" + std::to_string(stored.size()) + ",)"), bytes_of(stored)));
    expect_near(read_npy<T>(path_), expected, 0.0, descr);
  }
  template <class T>
  void refuse(const std::string& content, std::initializer_list<std::string_view> words) {
    put(content);
    expect_error(Code::kData, {"x.npy"}, [&] { read_npy<T>(path_); });
    expect_error(Code::kData, words, [&] { read_npy<T>(path_); });
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "x.npy";
};

TEST_F(Npy, EveryElementTypeIsRead) {
  expect_values<float, float>("<f4", {1.5F, -2}, {1.5F, -2});
  expect_values<float, double>("<f4", {1.5F, -2}, {1.5, -2});
  expect_values<double, double>("<f8", {0.1, -2}, {0.1, -2});
  expect_values<std::int32_t, std::int32_t>("<i4", {-7, 70'000}, {-7, 70'000});
  expect_values<std::int64_t, std::int32_t>("<i8", {-7, 70'000}, {-7, 70'000});
  expect_values<std::int64_t, float>("<i8", {-7, 1 << 24}, {-7, 1 << 24});
  expect_values<std::int32_t, double>("<i4", {std::numeric_limits<std::int32_t>::max()}, {2147483647.0});
  expect_values<std::uint8_t, std::int32_t>("|u1", {0, 255}, {0, 255});
  expect_values<std::uint8_t, float>("|b1", {0, 1}, {0, 1});
}

TEST_F(Npy, ShapesAndBothVersionsAreRead) {
  const std::string six = bytes_of<float>({1, 2, 3, 4, 5, 6});
  for (const char major : {'\1', '\2'}) {
    put(with_header("{'shape': (3, 1, 2), \"descr\": \"<f4\", 'fortran_order': False}", six, major));
    const Tensor tensor = read_npy<float>(path_);
    EXPECT_EQ(tensor.shape(), (Shape{3, 1, 2}));
    EXPECT_EQ(tensor[4], 5.0F);
  }
  EXPECT_EQ(read_npy<float>(put(with_header(dictionary("<f4", "()"), six.substr(0, 4)))).shape(), Shape());
  EXPECT_EQ(read_npy<float>(put(with_header(dictionary("<f4", "(0, 7)"), ""))).shape(), (Shape{0, 7}));
  const NpyHeader header = read_npy_header(put(with_header(dictionary("<i8", "(4, 5)"), "")));
  EXPECT_EQ(npy_type_name(header.type), "int64");
  EXPECT_EQ(header.shape, (Shape{4, 5}));
}

TEST_F(Npy, WritesTheBytesOfTheFormat) {
  const BasicTensor<std::int32_t> ids(Shape{3}, std::vector<std::int32_t>{1, -2, 3});
  write_npy<std::int32_t>(path_, ids.view());
  std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }";
  header.append(128 - 10 - 1 - header.size(), ' ');
  EXPECT_EQ(read_file(path_), with_header(header + "\n", bytes_of<std::int32_t>({1, -2, 3})));
}

template <class T>
void check_round_trip(const std::string& path, const Shape& shape) {
  BasicTensor<T> tensor(shape);
  fill_normal({3, Purpose::kTest, 0}, T(0), T(1), tensor.span());
  write_npy<T>(path, tensor.view());
  const BasicTensor<T> got = read_npy<T>(path);
  expect_near(got, tensor, 0.0, path);
  EXPECT_EQ(read_file(path).starts_with("\x1f\x8b"), path.ends_with(".gz"));
}

TEST_F(Npy, WhatIsWrittenIsReadAlsoCompressed) {
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 2, 4}, Shape{2, 3, 1, 2, 5}, Shape{0, 3}, Shape{300, 101}}) {
    for (const std::string name : {"y.npy", "y.npy.gz"}) {
      check_round_trip<float>(folder_ / name, shape);
      check_round_trip<double>(folder_ / name, shape);
    }
  }
}

TEST_F(Npy, NumbersAreNarrowedOnlyWhenAsked) {
  const std::string doubles = with_header(dictionary("<f8", "(2,)"), bytes_of<double>({0.1, 3}));
  refuse<float>(doubles, {"float64", "float32", "astype"});
  EXPECT_EQ(read_npy<float>(path_, NpyConversion::kRound)[0], 0.1F);
  refuse<std::int32_t>(doubles, {"float64", "int32"});
  expect_error(Code::kData, {"int32"}, [&] { read_npy<std::int32_t>(path_, NpyConversion::kRound); });

  put(with_header(dictionary("<f8", "(2,)"), bytes_of<double>({1, 1e300})));
  expect_error(Code::kData, {"element 1", "float32"}, [&] { read_npy<float>(path_, NpyConversion::kRound); });
  put(with_header(dictionary("<f8", "(2,)"), bytes_of<double>({INFINITY, NAN})));
  EXPECT_TRUE(std::isinf(read_npy<float>(path_, NpyConversion::kRound)[0]));

  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  refuse<std::int32_t>(with_header(dictionary("<i8", "(2,)"), bytes_of<std::int64_t>({1, std::int64_t{1} << 31})),
                       {"element 1", "2147483648"});
  refuse<float>(with_header(dictionary("<i8", "(1,)"), bytes_of<std::int64_t>({kMax})), {"element 0"});
  EXPECT_EQ(read_npy<float>(path_, NpyConversion::kRound)[0], 0x1p63F);
  refuse<float>(with_header(dictionary("<i4", "(1,)"), bytes_of<std::int32_t>({(1 << 24) + 1})), {"element 0"});
}

TEST_F(Npy, WhatIsNotSupportedIsNamed) {
  refuse<float>(with_header("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "1234"), {"Fortran order"});
  refuse<float>(with_header(dictionary(">f4", "(1,)"), "1234"), {"big-endian"});
  refuse<float>(with_header(dictionary("<c8", "(1,)"), "12345678"), {"not supported", "<f4"});
  refuse<float>(with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234"), {"records"});
  refuse<float>(with_header(dictionary("<f4", "(1,1,1,1,1,1)"), "1234"), {"5 axes"});
  refuse<float>(with_header(dictionary("<f4", "(1,)"), "1234", 3), {"version 3.0"});
}

TEST_F(Npy, HostileFilesAreRefused) {
  for (const std::string content : {"", "\x93NUMPY", "text, not an array", "\x93NUMPX\1"}) {
    refuse<float>(content, {"no .npy file"});
  }
  refuse<float>(with_header(dictionary("<f4", "(-1,)"), ""), {"negative"});
  refuse<float>(with_header(dictionary("<f4", "(4294967296,4294967296)"), ""), {"2^48"});
  refuse<float>(with_header(dictionary("<f4", "(99999999999999999999,)"), ""), {"63 bits"});
  refuse<float>(with_header(dictionary("<f4", "(2,)"), "1234"), {"4 bytes of data", "takes 8"});
  refuse<float>(with_header(dictionary("<f4", "(1,)"), "12345"), {"more bytes"});
  refuse<float>(with_header(std::string(100'000, ' '), "", 2), {"100000 bytes"});
  for (const std::string text : {"", "{", "{}", "{'descr'}", "{'descr': '<f4}", "{'shape': (1}", "{'shape': (1,)} x",
                                 "{'descr': '<f4', 'descr': '<f4'}", "{'fortran_order': 0}", "[]", "{'shape': (,)}"}) {
    refuse<float>(with_header(text, "1234"), {"header"});
  }
}

TEST_F(Npy, CutAnywhereItIsRefused) {
  const std::string whole = with_header(dictionary("<f4", "(3,)"), bytes_of<float>({1, 2, 3}));
  for (std::size_t length = 0; length < whole.size(); ++length) refuse<float>(whole.substr(0, length), {"x.npy"});
}

// Oracle: the heap's own count.
TEST_F(Npy, AHeaderThatClaimsMuchCostsNothing) {
  put(with_header(dictionary("<f4", "(281474976710656,)"), "1234"));
  const AllocationCounter counter;
  EXPECT_THROW(read_npy<float>(path_), Error);
  EXPECT_LT(counter.peak(), 1 << 20);
}

}  // namespace
}  // namespace carousel
