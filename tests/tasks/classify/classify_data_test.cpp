// Oracle: the contract of classify_data.h; each message names the file and what to do.
#include "tasks/classify/classify_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "carousel/model.h"
#include "formats/npy.h"
#include "tasks/classify/classify.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

// Ten sequences of two features with labels, eight of three features, and a table of texts.
struct Arrays {
  Arrays() {
    write_npy<float>(folder / "x.npy", Tensor({4, 10, 2}).view());
    write_npy<float>(folder / "wide.npy", Tensor({4, 8, 3}).view());
    write_npy<std::int32_t>(folder / "y.npy",
                            IdTensor({10}, std::vector<std::int32_t>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}).view());
    put_file(folder / "texts.tsv", "label\ttext\n0\tone\n1\ttwo\n0\tthree\n1\tfour\n");
  }
  Options options(const std::string& data, const std::string& labels) const {
    Options options;
    options.data.data = {folder / data};
    if (!labels.empty()) options.data.labels = folder / labels;
    options.train.epochs = 1;
    options.model.hidden_size = 2;
    options.output.out = folder / "model.safetensors";
    return options;
  }
  TemporaryFolder folder;
};

void expect_refused(Code code, std::initializer_list<std::string_view> words, const Options& options) {
  Observer quiet;
  expect_error(code, words, [&] { classify_task().train(options, quiet); });
}

TEST(ClassifyData, LabelsBelongToOneArray) {
  const Arrays arrays;
  Options two = arrays.options("x.npy", "y.npy");
  two.data.data.push_back(arrays.folder / "x.npy");
  expect_refused(Code::kUsage, {"x.npy, ", "one .npy file at a time", "y.npy belongs to it"}, two);
  expect_refused(Code::kUsage, {"--labels", "y.npy", "texts.tsv has its labels inside"},
                 arrays.options("texts.tsv", "y.npy"));
  expect_refused(Code::kUsage, {"x.npy: a .npy file has no labels inside", "--labels FILE.npy"},
                 arrays.options("x.npy", ""));
  Options valid = arrays.options("x.npy", "y.npy");
  valid.data.valid = {arrays.folder / "x.npy"};
  expect_refused(Code::kUsage, {"x.npy", "--split or --valid-fraction, not by --valid"}, valid);
}

TEST(ClassifyData, ArraysOfOtherWidthsAreRefused) {
  const Arrays arrays;
  for (const auto& [first, second] : {std::pair{"x.npy", "wide.npy"}, std::pair{"wide.npy", "x.npy"}}) {
    const std::vector<std::string> paths{arrays.folder / first, arrays.folder / second};
    expect_error(Code::kData, {second, "features, the file before it has"},
                 [&] { read_classify_data(paths, {}, nullptr, false); });
  }
  const std::vector<std::string> same(2, arrays.folder / "x.npy");
  EXPECT_EQ(read_classify_data(same, {}, nullptr, false).size(), 20);
}

// NaN ends a sample, it is no number inside of one.
TEST(ClassifyData, NumbersOfArraysAreFinite) {
  const Arrays arrays;
  const auto read_with = [&](std::int64_t at, float value) {
    Tensor values({3, 2, 2});  // sample 1: elements 2, 3; 6, 7; 10, 11
    values[at] = value;
    write_npy<float>(arrays.folder / "odd.npy", values.view());
    return [&] { return read_classify_data({arrays.folder / "odd.npy"}, {}, nullptr, false); };
  };
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  expect_error(Code::kData, {"odd.npy: sample 1, step 1, feature 0 is not finite"}, read_with(6, nan));
  expect_error(Code::kData, {"odd.npy: sample 1, step 0, feature 1 is not finite"}, read_with(3, infinity));
  expect_error(Code::kData, {"odd.npy: sample 1, step 2, feature 1 is not finite"}, read_with(11, -infinity));
  expect_error(Code::kData, {"odd.npy: sample 1, step 2, feature 1 is not finite"}, read_with(11, nan));
  Tensor values({3, 2, 2});
  values[10] = values[11] = nan;
  write_npy<float>(arrays.folder / "short.npy", values.view());
  const ClassifyData data = read_classify_data({arrays.folder / "short.npy"}, {}, nullptr, false);
  EXPECT_EQ(data.samples.length(0), 3);
  EXPECT_EQ(data.samples.length(1), 2);
}

TEST(ClassifyData, FoldsAreOfAllRows) {
  const Arrays arrays;
  Options options = arrays.options("texts.tsv", "");
  options.data.folds = 2;
  options.data.split = "2,1,1";
  expect_refused(Code::kUsage, {"--folds 2", "leave --split out"}, options);
  options.data.split.clear();
  options.data.valid = {arrays.folder / "texts.tsv"};
  expect_refused(Code::kUsage, {"--folds 2", "leave --valid out"}, options);
}

// Oracle: the note of `evaluate`.
TEST(ClassifyData, PredictSaysWhatWasPassedOver) {
  struct Notes final : RowSink {
    void note(const std::string& message) override { all += message + "\n"; }
    void header(const std::vector<std::string>&) override {}
    void row(const std::vector<std::string>&) override {}
    std::string all;
  } sink;
  const Arrays arrays;
  Options options = arrays.options("texts.tsv", "");
  options.data.split = "3,1,0";
  Observer quiet;
  classify_task().train(options, quiet);
  put_file(arrays.folder / "gaps.tsv", "label\ttext\n0\tone\n\n1\t\n");
  options.data.data = {arrays.folder / "gaps.tsv"};
  classify_task().predict(Model::load(options.output.out), options, sink);
  EXPECT_NE(sink.all.find("1 blank lines passed over"), std::string::npos) << sink.all;
  EXPECT_NE(sink.all.find("1 texts are empty and were kept"), std::string::npos) << sink.all;
}

}  // namespace
}  // namespace carousel
