// Oracle: texts and labels written out by hand, the same in every format.
#include <gtest/gtest.h>

#include "data/labelled.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using Texts = std::vector<std::string>;
using Labels = std::vector<std::int32_t>;

class Labelled : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& content) {
    put_file(folder_ / name, content);
    return folder_ / name;
  }
  LabelledTexts read(Texts sources, const std::string& text = "text", const std::string& label = "label") {
    return read_labelled_texts({std::move(sources), "", text, label});
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Labelled, AllFormatsGiveTheSameTexts) {
  const LabelledTexts csv =
      read({put("a.csv", "review,class\ngood day,pos\n\"rain, again\",neg\nsun,pos\n")}, "review", "class");
  const LabelledTexts fasttext =
      read({put("a.txt", "__label__pos good day\n__label__neg rain, again\n__label__pos sun\n")});
  const LabelledTexts json = read({put("a.jsonl",
                                       "{\"label\":\"pos\",\"text\":\"good day\"}\n{\"text\":\"rain, again\",\"label\":"
                                       "\"neg\"}\n{\"text\":\"sun\",\"label\":\"pos\"}\n")});
  for (const LabelledTexts* texts : {&csv, &fasttext, &json}) {
    EXPECT_EQ(texts->texts, (Texts{"good day", "rain, again", "sun"}));
    EXPECT_EQ(texts->label_names, (Texts{"neg", "pos"}));
    EXPECT_EQ(texts->labels, (Labels{1, 0, 1}));
  }
  EXPECT_EQ(csv.lines, (std::vector<std::int64_t>{2, 3, 4}));
}

TEST_F(Labelled, OneFilePerClassIsReadInTheOrderGiven) {
  const LabelledTexts texts = read({"positive=" + put("p", "good, day \n\nsun\n"), "negative=" + put("n", "rain\n")});
  EXPECT_EQ(texts.texts, (Texts{"good, day", "sun", "rain"}));
  EXPECT_EQ(texts.label_names, (Texts{"negative", "positive"}));
  EXPECT_EQ(texts.labels, (Labels{1, 1, 0}));
  EXPECT_EQ(texts.lines, (std::vector<std::int64_t>{1, 3, 1}));
  EXPECT_EQ(texts.blank_lines, 1);
}

TEST_F(Labelled, SortingTheNamesRenumbersTheLabels) {
  Texts names = {"c", "a", "b"};
  Labels labels = {0, 1, 2, -1, 0};
  sort_labels(names, labels);
  EXPECT_EQ(names, (Texts{"a", "b", "c"}));
  EXPECT_EQ(labels, (Labels{2, 0, 1, -1, 2}));
}

TEST_F(Labelled, AnEqualsSignBehindASlashBelongsToThePath) {
  EXPECT_EQ(split_source("pos=a/b.txt"), (std::pair<std::string, std::string>{"pos", "a/b.txt"}));
  EXPECT_EQ(split_source("dir/x=1.csv"), (std::pair<std::string, std::string>{"", "dir/x=1.csv"}));
  EXPECT_EQ(split_source("-"), (std::pair<std::string, std::string>{"", "-"}));
  expect_error(Code::kUsage, {"data source '=a.txt'"}, [] { split_source("=a.txt"); });
  expect_error(Code::kUsage, {"data source 'pos='"}, [] { split_source("pos="); });
}

TEST_F(Labelled, EmptyLabelsAreNamedWithFileAndLineAndEmptyTextsAreCounted) {
  expect_error(Code::kData, {"a.csv:3: column 'label' is empty, expected a label"},
               [&] { read({put("a.csv", "label,text\nx,a\n ,b\n")}); });
  const LabelledTexts texts = read({put("a.csv", "label,text\nx,\ny,\"  \"\nx,c\n")});
  EXPECT_EQ(texts.texts, (Texts{"", "  ", "c"}));
  EXPECT_EQ(texts.empty_texts, 2);
  expect_error(Code::kData, {"a.csv: no column 'label'; the columns are: text, kind"},
               [&] { read({put("a.csv", "text,kind\na,b\n")}); });
}

TEST_F(Labelled, WithoutLabelsRowsAreReadToBePredicted) {
  const std::string bare = put("a.csv", "id,text\n1,good\n2,\n"), labelled = put("b.csv", "label,text\nx,good\n,bad\n");
  const LabelledTexts first = read_labelled_texts({{bare}, "", "text", "label", false});
  EXPECT_EQ(first.texts, (Texts{"good", ""}));
  EXPECT_EQ(first.labels, (Labels{-1, -1}));
  EXPECT_EQ(read_labelled_texts({{labelled}, "", "text", "label", false}).labels, (Labels{0, -1}));
}

}  // namespace
}  // namespace carousel
