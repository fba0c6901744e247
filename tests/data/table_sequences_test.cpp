// Oracle: sequences written out by hand.
#include <gtest/gtest.h>

#include "data/sequences.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

class Sequences : public testing::Test {
 protected:
  SequenceFile read(const std::string& name, const std::string& content) {
    put_file(folder_ / name, content);
    return read_sequences(folder_ / name);
  }
  void expect_refused(const std::string& content, std::initializer_list<std::string_view> words) {
    expect_error(Code::kData, words, [&] { read("a.ts", content); });
  }
  TemporaryFolder folder_;
};

const char* const kHeader =
    "# comment\n@problemName Test\n@timeStamps false\n@univariate false\n@dimensions 2\n@equalLength false\n"
    "@classLabel true b a\n@data\n";

std::vector<float> values(const Sequence& sample) { return {sample.values.span().begin(), sample.values.span().end()}; }

TEST_F(Sequences, FeaturesOfATsFileBecomeColumnsAndLengthsMayDiffer) {
  const SequenceFile file = read("a.ts", std::string(kHeader) + "1,2,3:10,20,30:a\n4:40:b\n");
  EXPECT_EQ(file.features, 2);
  EXPECT_EQ(file.label_names, (std::vector<std::string>{"b", "a"}));
  ASSERT_EQ(file.samples.size(), 2U);
  EXPECT_EQ(file.samples[0].values.shape(), (Shape{3, 2}));
  EXPECT_EQ(values(file.samples[0]), (std::vector<float>{1, 10, 2, 20, 3, 30}));
  EXPECT_EQ(values(file.samples[1]), (std::vector<float>{4, 40}));
  EXPECT_EQ(file.samples[0].label, "a");
  EXPECT_EQ(file.samples[0].line, 9);
  EXPECT_EQ(file.filled, 0);
}

TEST_F(Sequences, MissingValuesTakeTheOneBeforeAndAreCounted) {
  const SequenceFile file = read("a.ts", std::string(kHeader) + "?,2,?,NaN,5:1,?,3,4,?:a\n");
  EXPECT_EQ(values(file.samples[0]), (std::vector<float>{2, 1, 2, 1, 2, 3, 2, 4, 5, 4}));
  EXPECT_EQ(file.filled, 5);
}

TEST_F(Sequences, TheUcrTsvHasItsLabelFirstAndEndsAtThePadding) {
  const SequenceFile file = read("a.tsv", "1\t0.5\t-1\t2\n-1\t3\tNaN\t4\n1\t7\tNaN\tNaN\n");
  EXPECT_TRUE(is_sequence_file(folder_ / "a.tsv"));
  EXPECT_EQ(file.label_names, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(file.features, 1);
  EXPECT_EQ(values(file.samples[0]), (std::vector<float>{0.5F, -1, 2}));
  EXPECT_EQ(values(file.samples[1]), (std::vector<float>{3, 3, 4}));
  EXPECT_EQ(values(file.samples[2]), std::vector<float>{7});
  EXPECT_EQ(file.samples[1].label, "-1");
  EXPECT_EQ(file.filled, 1);
}

TEST_F(Sequences, AreToldFromTables) {
  put_file(folder_ / "t.tsv", "label\ttext\tmore\nx\ty\tz\n");
  put_file(folder_ / "two.tsv", "1\t2\n");
  EXPECT_FALSE(is_sequence_file(folder_ / "t.tsv"));
  EXPECT_FALSE(is_sequence_file(folder_ / "two.tsv"));
  EXPECT_FALSE(is_sequence_file("a.csv"));
  EXPECT_TRUE(is_sequence_file("a.ts.gz"));
}

TEST_F(Sequences, WithoutClassLabelsEveryFieldIsAFeature) {
  const SequenceFile file = read("a.ts", "@classLabel false\n@data\n1,2:3,4\n");
  EXPECT_EQ(file.features, 2);
  EXPECT_EQ(file.samples[0].label, "");
  EXPECT_TRUE(file.label_names.empty());
}

TEST_F(Sequences, FaultsAreNamedWithFileAndLine) {
  const std::string header = kHeader;
  expect_refused(header + "1,2:3:a\n", {"a.ts:9: feature 2 has 1 time steps, expected 2 as in feature 1"});
  expect_refused(header + "1,2:a\n", {"a.ts:9: expected 2 features separated by ':', got 1"});
  expect_refused(header + "1,2:3,4:c\n", {"a.ts:9: class label 'c' is not one of the header's: b, a"});
  expect_refused(header + "1,2:3,4:\n", {"a.ts:9: the class label is empty"});
  expect_refused(header + "1,x:3,4:a\n", {"a.ts:9: feature 1, time step 2: expected a number, got 'x'"});
  expect_refused(header + "1,:3,4:a\n", {"a.ts:9: feature 1, time step 2: expected a number, got ''"});
  expect_refused(header + "1,1e39:3,4:a\n", {"a.ts:9: feature 1, time step 2: expected a number, got '1e39'"});
  expect_refused(header + "1,2:?,?:a\n", {"a.ts:9: feature 2 has no value at all"});
  expect_refused(header, {"a.ts: the file has no samples"});
  expect_refused("@problemName x\n", {"a.ts: expected a line @data"});
  expect_refused("1,2:a\n", {"a.ts:1: expected a header line"});
  expect_refused("@timeStamps true\n@data\n1:a\n", {"a.ts:1: samples with time stamps cannot be read"});
  expect_refused("@dimensions two\n@data\n1:a\n", {"a.ts:1: @dimensions: expected one whole number"});
  expect_refused("@seriesLength 3\n@classLabel true a\n@data\n1,2:a\n",
                 {"a.ts:4: the sample has 2 time steps, expected 3"});
}

TEST_F(Sequences, ABatchIsTimeMajorAndFilledUpWithZeros) {
  const SequenceFile file = read("a.ts", std::string(kHeader) + "1,2,3:10,20,30:a\n4:40:b\n5,6:50,60:b\n");
  const PaddedSequences padded = pad_sequences(file.samples, std::vector<std::int64_t>{2, 0, 1});
  EXPECT_EQ(padded.lengths, (std::vector<std::int32_t>{2, 3, 1}));
  EXPECT_EQ(padded.values.shape(), (Shape{3, 3, 2}));
  const std::vector<float> expected = {5, 50, 1, 10, 4, 40, 6, 60, 2, 20, 0, 0, 0, 0, 3, 30, 0, 0};
  EXPECT_EQ(std::vector<float>(padded.values.span().begin(), padded.values.span().end()), expected);
}

}  // namespace
}  // namespace carousel
