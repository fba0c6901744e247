// Oracle: what was written; every cut and every flipped bit of a file must end in Error{kModel}.
#include "models/model_file.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/file.h"
#include "base/random.h"
#include "models/safetensors.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/expect_error.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using nlohmann::json;

ModelFile sample(std::int64_t hidden_size) {
  ModelFile file;
  file.description = {{"task", "classify"},
                      {"labels", {"good", "bad", "h\xc3\xa9", "quote \" \\\"header_crc32\\\":\\\""}},
                      {"scale", {0.1, -1e-30, 3}}};
  const Shape shapes[] = {{hidden_size, 3}, {hidden_size}, {0, 4}, {1, 2, 3}};
  for (std::uint64_t i = 0; i < 4; ++i) {
    Tensor tensor(shapes[i]);
    fill_normal({5, Purpose::kTest, i}, 0.0F, 1.0F, tensor.span());
    file.tensors.emplace_back("rnn.weight_" + std::to_string(i), tensor);
  }
  return file;
}

void expect_same(const ModelFile& got, const ModelFile& expected) {
  json description = got.description;
  description.erase("format");
  description.erase("version");
  EXPECT_EQ(description, expected.description);
  ASSERT_EQ(got.tensors.size(), expected.tensors.size());
  for (std::size_t i = 0; i < got.tensors.size(); ++i) {
    EXPECT_EQ(got.tensors[i].first, expected.tensors[i].first);
    const Tensor &a = got.tensors[i].second, &b = expected.tensors[i].second;
    ASSERT_EQ(a.shape(), b.shape());
    if (a.elements() > 0) {
      EXPECT_EQ(std::memcmp(a.data(), b.data(), a.span().size_bytes()), 0) << got.tensors[i].first;
    }
  }
}

TEST(ModelFile, WhatIsWrittenIsReadBitForBit) {
  const TemporaryFolder folder;
  ModelFile file = sample(5);
  const std::uint32_t odd[] = {0x7fc12345, 0x80000000, 0x00000001, 0xff800000};  // NaN with payload, -0, denormal, -inf
  std::memcpy(file.tensors[0].second.data(), odd, sizeof odd);
  write_model_file(folder / "m", file);
  const ModelFile got = read_model_file(folder / "m");
  expect_same(got, file);
  EXPECT_EQ(got.description["format"], 1);
  EXPECT_TRUE(got.description["version"].is_string());
  write_model_file(folder / "again", got);
  EXPECT_EQ(read_file(folder / "again"), read_file(folder / "m"));
}

TEST(ModelFile, IsASafetensorsFileWithOneMetadataKey) {
  const TemporaryFolder folder;
  const ModelFile file = sample(5);
  write_model_file(folder / "m", file);
  const auto tensors = SafetensorsFile::read(folder / "m");
  ASSERT_EQ(tensors.metadata().size(), 1U);
  const json description = json::parse(tensors.metadata().at("carousel"));
  EXPECT_EQ(description["labels"], file.description["labels"]);
  EXPECT_EQ(description["checksums"].size(), 4U);
  EXPECT_EQ(tensors.tensors()[0].name, "rnn.weight_0");
}

TEST(ModelFile, CutAnywhereItIsRefused) {
  const TemporaryFolder folder;
  write_model_file(folder / "m", sample(2000));
  const std::string whole = read_file(folder / "m");
  ASSERT_GT(whole.size(), 30'000U);
  for (std::size_t length = 0; length < whole.size(); length += length < 2000 ? 1 : 1000) {
    put_file(folder / "cut", whole.substr(0, length));
    expect_error(Code::kModel, {"cut"}, [&] { read_model_file(folder / "cut"); });
  }
  put_file(folder / "cut", whole + '\0');
  expect_error(Code::kModel, {"cut"}, [&] { read_model_file(folder / "cut"); });
}

TEST(ModelFile, ShortReadsGiveTheSameContentAndAnEarlyEndIsRefused) {
  const TemporaryFolder folder;
  const ModelFile file = sample(5);
  write_model_file(folder / "m", file);
  const auto size = static_cast<std::size_t>(file_system().size(folder / "m"));
  FaultyFileSystem files;
  files.bytes_per_read = 7;
  expect_same(read_model_file(folder / "m"), file);
  for (const std::size_t end : {std::size_t{0}, std::size_t{4}, std::size_t{100}, size - 1}) {
    files.bytes_until_end = end;
    expect_error(Code::kModel, {"/m: ends ", "early"}, [&] { read_model_file(folder / "m"); });
  }
}

TEST(ModelFile, AnyFlippedBitIsRefused) {
  const TemporaryFolder folder;
  write_model_file(folder / "m", sample(5));
  std::string content = read_file(folder / "m");
  ASSERT_LT(content.size(), 2000U);
  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    SCOPED_TRACE(bit);
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
    put_file(folder / "flipped", content);
    expect_error(Code::kModel, {"flipped"}, [&] { read_model_file(folder / "flipped"); });
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
  }
}

TEST(ModelFile, TwoExchangedBytesAndWhitespaceInTheHeaderAreRefused) {
  const TemporaryFolder folder;
  write_model_file(folder / "m", sample(5));
  const std::string whole = read_file(folder / "m");
  const std::size_t shape = whole.find("[5,3]");
  ASSERT_NE(shape, std::string::npos);
  std::string exchanged = whole, spaced = whole;
  std::swap(exchanged[shape + 1], exchanged[shape + 3]);
  put_file(folder / "m", exchanged);
  expect_error(Code::kModel, {"header (bytes 0 to", "checksum"}, [&] { read_model_file(folder / "m"); });
  const std::size_t padding = whole.find("}  ");
  if (padding != std::string::npos) {
    spaced[padding + 1] = '\n';
    put_file(folder / "m", spaced);
    expect_error(Code::kModel, {"header", "checksum"}, [&] { read_model_file(folder / "m"); });
  }
}

TEST(ModelFile, DamageIsNamedWithTensorPlaceAndChecksums) {
  const TemporaryFolder folder;
  write_model_file(folder / "m", sample(5));
  std::string content = read_file(folder / "m");
  const auto file = SafetensorsFile::parse(content, "m");
  const std::int64_t start = file.offset(file.tensors()[1]);
  content[static_cast<std::size_t>(start) + 6] ^= 1;
  put_file(folder / "m", content);
  expect_error(Code::kModel, {"/m: tensor 'rnn.weight_1' (bytes " + std::to_string(start) + " to ", "expected, got"},
               [&] { read_model_file(folder / "m"); });
}

TEST(ModelFile, OtherFilesAreToldApart) {
  const TemporaryFolder folder;
  const Tensor tensor(Shape{2});
  put_file(folder / "plain.safetensors", write_safetensors({entry_of("a", tensor.view())}, {{"format", "pt"}}));
  expect_error(Code::kModel, {"plain.safetensors", "carousel import"},
               [&] { read_model_file(folder / "plain.safetensors"); });
  put_file(folder / "text", "label,text\ngood,fine\n");
  expect_error(Code::kModel, {"text", "no safetensors file"}, [&] { read_model_file(folder / "text"); });
  expect_error(Code::kIo, {"missing"}, [&] { read_model_file(folder / "missing"); });
}

TEST(ModelFile, AFullDiskLeavesTheOldModel) {
  const TemporaryFolder folder;
  const ModelFile old = sample(5);
  write_model_file(folder / "m", old);
  {
    FaultyFileSystem files;
    files.bytes_until_full = 500;
    expect_error(Code::kIo, {"No space left"}, [&] { write_model_file(folder / "m", sample(7)); });
  }
  expect_same(read_model_file(folder / "m"), old);
}

// Oracle: the heap's own count; the descriptions are made to cost as much as they can, with a header checksum that is
// right.
TEST(ModelFile, HostileDescriptionsStayWithinTheMemoryPromised) {
  const TemporaryFolder folder;
  for (const std::string part : {"0,", "{},", "{\"\":0},"}) {
    std::string list = "[";
    for (int i = 0; i < 500'000; ++i) list += part;
    ModelFile file;
    file.description = {{"list", json::parse(list + "0]")}};
    write_model_file(folder / "m", file);
    const std::int64_t size = file_system().size(folder / "m");
    const std::string path = folder / "m";
    const AllocationCounter counter;
    try {
      read_model_file(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kModel) << error.what();
    }
    EXPECT_LE(counter.peak(), 16 * size + (16 << 20)) << part;
  }
}

TEST(ModelFile, WhatCannotBeJsonIsRefusedBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  ModelFile file = sample(5);
  file.description["labels"] = "\xff";
  expect_error(Code::kUsage, {"cannot be written"}, [&] { write_model_file(folder / "m", file); });
  EXPECT_FALSE(file_system().exists(folder / "m"));
}

}  // namespace
}  // namespace carousel
