// Oracle: a Stream of the model before it was stored in bf16 or int8; and the format's own rules for what is damaged.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "carousel/model.h"
#include "carousel/stream.h"
#include "cells/cell.h"
#include "models/model_file.h"
#include "models/safetensors.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using nlohmann::json;

Model model_with(const std::string& cell, std::int64_t hidden_size) {
  std::vector<Sequential> branches;
  const std::int64_t proj_size = find_cell(cell).projection ? 5 : 0, width = proj_size > 0 ? proj_size : hidden_size;
  branches.push_back(Sequential{
      Recurrent{{.cell = cell, .input_size = 3, .hidden_size = hidden_size, .proj_size = proj_size, .layers = 2}},
      Linear{width, 2}});
  branches.push_back(Sequential{Linear{3, 2}});
  return {"test", Sequential{Sum{std::move(branches)}}};
}

std::vector<float> outputs(const Model& model, const std::string& dtype) {
  Stream stream(model, {.dtype = dtype});
  std::vector<float> list;
  for (std::uint64_t t = 0; t < 9; ++t) {
    float x[3];
    fill_normal({1, Purpose::kTest, t}, 0.0f, 1.0f, std::span(x));
    const auto y = stream.step(x);
    list.insert(list.end(), y.begin(), y.end());
  }
  return list;
}

TEST(RoundedModel, AStreamOfTheSameFormatGivesTheSameBitsAfterLoading) {
  const TemporaryFolder folder;
  for (const Cell& cell : all_cells()) {
    for (const std::string dtype : {"bf16", "int8"}) {
      const Model model = model_with(std::string(cell.name), 19);
      model.save(folder / "m", dtype);
      const Model loaded = Model::load(folder / "m");
      expect_near(outputs(loaded, dtype), outputs(model, dtype), 0, std::string(cell.name) + " " + dtype);
      EXPECT_NE(outputs(loaded, "f32"), outputs(model, "f32")) << "the format does round";
      loaded.save(folder / "again", dtype);
      EXPECT_EQ(read_file(folder / "again"), read_file(folder / "m"));
    }
  }
}

TEST(RoundedModel, OnlyTheMatricesOfRecurrentLayersAreRoundedAndTheFileIsShorter) {
  const TemporaryFolder folder;
  const Model model("test", Sequential{Recurrent{{.cell = "lstm", .input_size = 64, .hidden_size = 64, .proj_size = 8}},
                                       Linear{8, 2}});
  model.save(folder / "f32");
  model.save(folder / "bf16", "bf16");
  model.save(folder / "int8", "int8");
  const auto size = [&](const char* name) { return static_cast<double>(file_system().size(folder / name)); };
  EXPECT_LT(size("bf16"), 0.56 * size("f32"));
  EXPECT_LT(size("int8"), 0.36 * size("f32"));
  int rounded = 0;
  const auto stored = SafetensorsFile::read(folder / "int8");
  for (const TensorEntry& entry : stored.tensors()) {
    const auto names = [&](const char* word) { return entry.name.find(word) != std::string::npos; };
    const bool matrix = names("weight_ih") || names("weight_hh");
    EXPECT_EQ(entry.dtype, matrix && !entry.name.ends_with(".scale") ? Dtype::kI8 : Dtype::kF32) << entry.name;
    rounded += entry.dtype == Dtype::kI8;
  }
  EXPECT_EQ(2, rounded);
  expect_error(Code::kUsage, {"f16", "bf16"}, [&] { model.save(folder / "f16", "f16"); });
  const auto named = model.network().named_tensors();
  const auto matrix = std::ranges::find_if(named, [](const auto& n) { return n.first.ends_with("weight_ih_l0"); });
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    matrix->second->value[3] = value;
    for (const char* dtype : {"bf16", "int8"}) {
      expect_error(Code::kUsage, {"weight_ih_l0", "not finite"}, [&] { model.save(folder / "odd", dtype); });
    }
  }
}

TEST(RoundedModel, AnyFlippedBitIsRefused) {
  const TemporaryFolder folder;
  ModelFile file;
  file.tensors.emplace_back("w", Tensor({2, 3}, std::vector<float>{1, -2, 3, 4, 5, -6}));
  write_model_file(folder / "m", file, {WeightFormat::kInt8, {"w"}});
  std::string content = read_file(folder / "m");
  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
    put_file(folder / "flipped", content);
    expect_error(Code::kModel, {"flipped"}, [&] { read_model_file(folder / "flipped"); });
    content[bit / 8] = static_cast<char>(content[bit / 8] ^ (1 << bit % 8));
  }
}

// A model file whose checksums are right, whatever its tensors are.
void put_model(const std::string& path, const std::vector<TensorEntry>& entries) {
  const auto crc = [](const void* data, std::size_t size) {
    return static_cast<std::uint32_t>(crc32_z(0, static_cast<const Bytef*>(data), size));
  };
  json checksums = json::object();
  for (const TensorEntry& entry : entries) {
    checksums[entry.name] = fmt::format("{:08x}-{:x}", crc(entry.bytes.data(), entry.bytes.size()), entry.bytes.size());
  }
  const json description = {{"format", 1}, {"checksums", checksums}, {"header_crc32", "00000000"}};
  std::string content = write_safetensors(entries, {{"carousel", description.dump()}});
  std::uint64_t length;
  std::memcpy(&length, content.data(), sizeof length);
  const std::string marker = R"(\"header_crc32\":\")";
  content.replace(content.find(marker) + marker.size(), 8, fmt::format("{:08x}", crc(content.data(), 8 + length)));
  put_file(path, content);
}

TEST(RoundedModel, ScalesThatDoNotFitAreNamed) {
  const TemporaryFolder folder;
  const std::int8_t integers[6] = {127, -3, 0, 1, 2, -127};
  const Tensor good({2}, std::vector<float>{0.5f, 2}), odd({3}), bad({2}, std::vector<float>{0.5f, NAN});
  const Tensor negative({2}, std::vector<float>{0.5f, -1}), infinite({2}, std::vector<float>{INFINITY, 1});
  const TensorEntry matrix{"w", Dtype::kI8, {2, 3}, std::as_bytes(std::span(integers))};
  const auto expect_refused = [&](const std::vector<TensorEntry>& entries,
                                  std::initializer_list<std::string_view> words) {
    put_model(folder / "m", entries);
    expect_error(Code::kModel, words, [&] { read_model_file(folder / "m"); });
  };
  put_model(folder / "m", {matrix, entry_of("w.scale", good.view())});
  const ModelFile file = read_model_file(folder / "m");
  ASSERT_EQ(1U, file.tensors.size());
  expect_near(file.tensors[0].second, Tensor({2, 3}, std::vector<float>{63.5f, -1.5f, 0, 2, 4, -254}), 0, "w");
  expect_refused({matrix}, {"'w'", "w.scale"});
  expect_refused({matrix, entry_of("w.scale", odd.view())}, {"w.scale", "[3]", "[2]"});
  expect_refused({matrix, entry_of("w.scale", bad.view())}, {"w.scale", "row 1", "nan"});
  expect_refused({matrix, entry_of("w.scale", negative.view())}, {"w.scale", "row 1", "-1"});
  expect_refused({matrix, entry_of("w.scale", infinite.view())}, {"w.scale", "row 0", "inf"});
  const std::int8_t scales[2] = {1, 1};
  expect_refused({matrix, {"w.scale", Dtype::kI8, {2}, std::as_bytes(std::span(scales))}}, {"w.scale", "I8", "F32"});
  expect_refused({{"v", Dtype::kI8, {6}, matrix.bytes}, entry_of("v.scale", good.view())}, {"'v'", "matrix"});
  expect_refused({{"h", Dtype::kF16, {3}, matrix.bytes}}, {"'h'", "F16", "BF16"});
}

}  // namespace
}  // namespace carousel
