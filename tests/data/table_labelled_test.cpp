// Oracle: texts and labels written out by hand, the same in every format.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "data/labelled.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using Rows = std::vector<std::string>;

class Labelled : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& content) {
    put_file(folder_ / name, content);
    return folder_ / name;
  }
  // Each row as "source:line label|text".
  static Rows rows_of(LabelledReader& reader) {
    Rows rows;
    for (LabelledRow row; reader.next(row);) {
      rows.push_back(fmt::format("{}:{} {}|{}", row.source, row.line, row.label, row.text));
    }
    return rows;
  }
  static Rows read(const LabelledSources& sources) {
    LabelledReader reader(sources);
    return rows_of(reader);
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(Labelled, AllFormatsGiveTheSameTexts) {
  EXPECT_EQ(read({.sources = {put("a.csv", "review,class\ngood day,pos\n\"rain, again\",neg\nsun,pos\n")},
                  .text_column = "review",
                  .label_column = "class"}),
            (Rows{"0:2 pos|good day", "0:3 neg|rain, again", "0:4 pos|sun"}));
  const Rows expected = {"0:1 pos|good day", "0:2 neg|rain, again", "0:3 pos|sun"};
  EXPECT_EQ(read({{put("a.txt", "__label__pos good day\n__label__neg rain, again\n__label__pos sun\n")}}), expected);
  EXPECT_EQ(read({{put("a.jsonl",
                       "{\"label\":\"pos\",\"text\":\"good day\"}\n{\"text\":\"rain, again\",\"label\":\"neg\"}\n"
                       "{\"text\":\"sun\",\"label\":\"pos\"}\n")}}),
            expected);
}

TEST_F(Labelled, OneFilePerClassIsReadInTheOrderGiven) {
  LabelledReader reader({{"positive=" + put("p", "good, day \n\nsun\n"), "negative=" + put("n", "rain\n")}});
  EXPECT_EQ(rows_of(reader), (Rows{"0:1 positive|good, day", "0:3 positive|sun", "1:1 negative|rain"}));
  EXPECT_EQ(reader.blank_lines(), 1);
  EXPECT_TRUE(reader.plain_files().empty());
}

TEST_F(Labelled, AnEqualsSignBehindASlashBelongsToThePath) {
  EXPECT_EQ(split_source("pos=a/b.txt"), (std::pair<std::string, std::string>{"pos", "a/b.txt"}));
  EXPECT_EQ(split_source("dir/x=1.csv"), (std::pair<std::string, std::string>{"", "dir/x=1.csv"}));
  EXPECT_EQ(split_source("-"), (std::pair<std::string, std::string>{"", "-"}));
  expect_error(Code::kUsage, {"data source '=a.txt'"}, [] { split_source("=a.txt"); });
  expect_error(Code::kUsage, {"data source 'pos='"}, [] { split_source("pos="); });
}

TEST_F(Labelled, EmptyLabelsAreNamedWithFileAndLineAndEmptyTextsAreRows) {
  expect_error(Code::kData, {"a.csv:3: column 'label' is empty, expected a label"},
               [&] { read({{put("a.csv", "label,text\nx,a\n ,b\n")}}); });
  EXPECT_EQ(read({{put("a.csv", "label,text\nx,\ny,\"  \"\nx,c\n")}}), (Rows{"0:2 x|", "0:3 y|  ", "0:4 x|c"}));
  expect_error(Code::kData, {"a.csv: no column 'label'; the columns are: text, kind; --label-column names another"},
               [&] { read({{put("a.csv", "text,kind\na,b\n")}}); });
}

TEST_F(Labelled, WithoutLabelsRowsAreReadToBePredicted) {
  EXPECT_EQ(read({.sources = {put("a.csv", "id,text\n1,good\n2,\n")}, .labels_required = false}),
            (Rows{"0:2 |good", "0:3 |"}));
  EXPECT_EQ(read({.sources = {put("b.csv", "label,text\nx,good\n,bad\n")}, .labels_required = false}),
            (Rows{"0:2 x|good", "0:3 |bad"}));
}

TEST_F(Labelled, PlainTextIsReadLineByLineWhereNoLabelIsAskedFor) {
  const std::string plain = put("p.txt", "not bad\nso, so\n"), table = put("t.tsv", "text\ngood\n");
  LabelledReader reader({.sources = {plain, table}, .labels_required = false});
  EXPECT_EQ(rows_of(reader), (Rows{"0:1 |not bad", "0:2 |so, so", "1:2 |good"}));
  EXPECT_EQ(reader.plain_files(), Rows{plain});
  LabelledReader asked({.sources = {plain}, .format = "lines", .labels_required = false});
  EXPECT_EQ(rows_of(asked), (Rows{"0:1 |not bad", "0:2 |so, so"}));
  EXPECT_TRUE(asked.plain_files().empty());
  const std::string sentence = put("s.txt", "Good, cheap; and text\nso\n"), header = put("h", "id;\"text\"\n1;good\n");
  LabelledReader commas({.sources = {sentence, header}, .labels_required = false});
  EXPECT_EQ(rows_of(commas), (Rows{"0:1 |Good, cheap; and text", "0:2 |so", "1:2 |good"}));
  EXPECT_EQ(commas.plain_files(), Rows{sentence});
  expect_error(Code::kData, {"s.csv: no column 'text'", "--format lines reads plain text"},
               [&] { read({.sources = {put("s.csv", "good, cheap\nso\n")}, .labels_required = false}); });
  expect_error(Code::kData, {"p.txt: neither the ending", "label=path"}, [&] { read({{plain}}); });
}

}  // namespace
}  // namespace carousel
