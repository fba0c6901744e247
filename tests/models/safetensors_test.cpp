// Oracle: files spelled out byte by byte after the format's description; binary16 and bfloat16 values worked out by
// hand.
#include "models/safetensors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/random.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

std::string with_header(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header + data;
}

SafetensorsFile parse(const std::string& header, const std::string& data = "") {
  return SafetensorsFile::parse(with_header(header, data), "m.safetensors");
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size() * sizeof(T)};
}

TEST(Safetensors, ReadsAFileSpelledOutByHand) {
  const auto file = parse(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F64","shape":[],"data_offsets":[24,32]},)"
                          R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   )",
                          bytes_of<float>({1, 2, 3, 4, 5, 6}) + bytes_of<double>({-0.5}));
  ASSERT_EQ(file.tensors().size(), 2U);
  EXPECT_EQ(file.metadata().at("format"), "pt");
  const TensorEntry& a = file.tensors()[0];
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.shape, (Shape{2, 3}));
  EXPECT_EQ(tensor_of<float>(a)[4], 5.0F);
  EXPECT_EQ(file.offset(a), std::ssize(file.header()));
  EXPECT_EQ(tensor_of<double>(file.tensors()[1])[0], -0.5);
}

TEST(Safetensors, WritesTheBytesOfTheFormat) {
  const Tensor a(Shape{2}, std::vector<float>{1, 2});
  const std::string content = write_safetensors({entry_of("a", a.view())}, {{"k", "v\"1"}});
  std::string header = R"({"__metadata__":{"k":"v\"1"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(content, with_header(header, bytes_of<float>({1, 2})));
  EXPECT_EQ(write_safetensors({}, {}), with_header("{}      "));
}

TEST(Safetensors, WhatIsWrittenIsReadBitForBit) {
  Tensor x(Shape{3, 2, 5}), empty(Shape{0, 4}), scalar{Shape()};
  fill_normal({1, Purpose::kTest, 0}, 0.0F, 1.0F, x.span());
  x[3] = std::nanf("7");
  scalar[0] = -0.0F;
  const std::vector<std::int64_t> wide{1, -2};
  const std::vector<std::int8_t> small{1, -2, 3};
  const std::vector<TensorEntry> entries{
      {"small", Dtype::kI8, Shape{3}, std::as_bytes(std::span(small))},
      entry_of("x", x.view()),
      entry_of("empty", empty.view()),
      entry_of("scalar", scalar.view()),
      {"wide", Dtype::kI64, Shape{2}, std::as_bytes(std::span(wide))},
  };
  const auto file = SafetensorsFile::parse(write_safetensors(entries, {}), "x");
  ASSERT_EQ(file.tensors().size(), entries.size());
  for (const TensorEntry& entry : entries) {
    const auto found = std::ranges::find(file.tensors(), entry.name, &TensorEntry::name);
    ASSERT_NE(found, file.tensors().end()) << entry.name;
    EXPECT_EQ(found->shape, entry.shape);
    EXPECT_EQ(found->dtype, entry.dtype);
    EXPECT_TRUE(std::ranges::equal(found->bytes, entry.bytes)) << entry.name;
    EXPECT_EQ(file.offset(*found) % dtype_bytes(entry.dtype), 0) << entry.name;
  }
}

// Oracle: the address. A tensor of F32 is not copied.
TEST(Safetensors, TakesTheMemoryOfATensor) {
  Tensor written(Shape{2, 3});
  for (std::int64_t i = 0; i < 6; ++i) written[i] = static_cast<float>(i) + 0.5F;
  const std::uint16_t half = 0x3f00;
  const TensorEntry rounded{"b", Dtype::kBf16, Shape{1}, std::as_bytes(std::span(&half, 1))};
  auto file = SafetensorsFile::parse(write_safetensors({entry_of("a", written.view()), rounded}, {}), "x");
  const std::byte* const bytes = file.tensors()[0].bytes.data();
  const Tensor a = file.take(file.tensors()[0]), b = file.take(file.tensors()[1]);
  EXPECT_EQ(reinterpret_cast<const std::byte*>(a.data()), bytes);
  EXPECT_EQ(a.shape(), written.shape());
  EXPECT_TRUE(std::ranges::equal(a.span(), written.span()));
  EXPECT_EQ(b[0], 0.5F);
}

TEST(Safetensors, ShortFloatsHaveTheirValues) {
  const auto file = parse(R"({"h":{"dtype":"F16","shape":[7],"data_offsets":[0,14]},)"
                          R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[14,20]}})",
                          bytes_of<std::uint16_t>({0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0xfc00, 0x3555}) +
                              bytes_of<std::uint16_t>({0x3f80, 0xc049, 0x7f80}));
  const auto h = tensor_of<double>(file.tensors()[0]), b = tensor_of<double>(file.tensors()[1]);
  const double expected_h[] = {1, -2, 65504, std::ldexp(1, -14), std::ldexp(1, -24), -INFINITY, 0.333251953125};
  const double expected_b[] = {1, -3.140625, INFINITY};
  for (int i = 0; i < 7; ++i) EXPECT_EQ(h[i], expected_h[i]) << i;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(b[i], expected_b[i]) << i;
}

TEST(Safetensors, IntegersBecomeNumbers) {
  const auto file = parse(
      R"({"i":{"dtype":"I32","shape":[2],"data_offsets":[0,8]},"k":{"dtype":"I8","shape":[1],"data_offsets":[8,9]}})",
      bytes_of<std::int32_t>({-7, 70'000}) + "\xfb");
  EXPECT_EQ(tensor_of<float>(file.tensors()[0])[1], 70'000.0F);
  EXPECT_EQ(tensor_of<float>(file.tensors()[1])[0], -5.0F);
}

struct Broken {
  const char* header;
  std::size_t data_bytes;
  const char* word;
};

TEST(Safetensors, ABrokenHeaderIsNamed) {
  const Broken cases[] = {
      {"", 0, "too few"},
      {"[]", 0, "start with"},
      {"{}x", 0, "JSON"},
      {"{}", 4, "4 bytes of data"},
      {R"({"a":1})", 0, "'a'"},
      {R"({"a":{"dtype":"F32","shape":[1]}})", 4, "incomplete"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":{}}})", 4, "unknown field 'x'"},
      {R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4, "twice"},
      {R"({"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4, "twice"},
      {R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}})", 8, "'C64'"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "negative"},
      {R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "integer"},
      {R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "list"},
      {R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1],"data_offsets":[0,4]}})", 4, "more than 5"},
      {R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4, "negative"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4, "2^48"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "takes 8"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4, "more than 2"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "expected 2"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 4, "up to 4"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "start at 0"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8, "start at 0"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "start at 4"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
       R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
       12, "start at 4"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
       8, "'a' is there twice"},
      {R"({"__metadata__":{"a":1}})", 0, "number"},
      {R"({"__metadata__":{"a":"x","a":"y"}})", 0, "twice"},
      {R"({"__metadata__":{},"__metadata__":{}})", 0, "twice"},
      {R"({"__metadata__":[]})", 0, "list"},
  };
  for (const Broken& broken : cases) {
    SCOPED_TRACE(broken.header);
    expect_error(Code::kModel, {"m.safetensors", broken.word},
                 [&] { parse(broken.header, std::string(broken.data_bytes, '\0')); });
  }
}

TEST(Safetensors, AHeaderLengthBeyondTheFileIsRefused) {
  for (const std::uint64_t length :
       {std::uint64_t{3}, std::uint64_t{1} << 40, ~std::uint64_t{0}, ~std::uint64_t{0} - 7}) {
    std::string content = with_header("{}");
    std::memcpy(content.data(), &length, sizeof length);
    expect_error(Code::kModel, {"m.safetensors", "header takes"},
                 [&] { SafetensorsFile::parse(content, "m.safetensors"); });
  }
}

// Oracle: the heap's own count; the files are made to cost as much as they can.
TEST(Safetensors, HostileHeadersStayWithinTheMemoryPromised) {
  std::string many = "{", keys = R"({"__metadata__":{)";
  for (int i = 0; i < 150'000; ++i) {
    many += fmt::format(R"("{:x}":{{"dtype":"I8","shape":[],"data_offsets":[{},{}]}},)", i, i, i + 1);
    keys += fmt::format(R"("{:x}":"",)", i);
  }
  many.back() = keys.back() = '}';
  const std::string contents[] = {
      with_header(many, std::string(150'000, '\0')),
      with_header(keys + "}"),
      with_header(R"({"__metadata__":{"a":")" + std::string(5'000'000, 'x') + "\"}}"),
      with_header("{\"" + std::string(5'000'000, 'x') + "\":1}"),
      with_header(R"({"a":{"shape":[)" + std::string(5'000'000, '9') + "]}}"),
      with_header(R"({"a":)" + std::string(1'000'000, '[')),
  };
  const TemporaryFolder folder;
  for (const std::string& content : contents) {
    put_file(folder / "a", content);
    const std::string path = folder / "a";
    const AllocationCounter counter;
    try {
      SafetensorsFile::read(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kModel) << error.what();
      EXPECT_LT(std::string_view(error.what()).size(), 500U);
    }
    EXPECT_LE(counter.peak(), 8 * std::ssize(content) + (16 << 20)) << content.substr(8, 40);
  }
}

TEST(Safetensors, WritingChecksWhatItIsGiven) {
  const Tensor a(Shape{2});
  TensorEntry wrong = entry_of("a", a.view());
  wrong.shape = Shape{3};
  expect_error(Code::kUsage, {"'a'", "8 bytes", "12"}, [&] { write_safetensors({wrong}, {}); });
  const TensorEntry right = entry_of("a", a.view());
  expect_error(Code::kUsage, {"'a'", "twice"}, [&] { write_safetensors({right, right}, {}); });
  expect_error(Code::kUsage, {"__metadata__"}, [&] { write_safetensors({entry_of("__metadata__", a.view())}, {}); });
  expect_error(Code::kUsage, {"UTF-8"}, [&] { write_safetensors({entry_of("\xff", a.view())}, {}); });
}

}  // namespace
}  // namespace carousel
