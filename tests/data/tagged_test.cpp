// Oracle: files written out by hand.
#include "data/tagged.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using Words = std::vector<std::string>;

class Tagged : public testing::Test {
 protected:
  TaggedSources columns(const std::string& content) {
    put_file(folder_ / "a.conll", content);
    return {.tokens = {folder_ / "a.conll"}, .format = "columns"};
  }
  TaggedSources parallel(const std::string& tokens, const std::string& tags) {
    put_file(folder_ / "seq.in", tokens);
    put_file(folder_ / "seq.out", tags);
    return {.tokens = {folder_ / "seq.in"}, .tags = {folder_ / "seq.out"}, .format = "parallel"};
  }
  static void refuses(const TaggedSources& sources, std::initializer_list<std::string_view> words,
                      Code code = Code::kData) {
    expect_error(code, words, [&] { read_tagged(sources); });
  }
  TemporaryFolder folder_;
};

TEST_F(Tagged, ColumnsGiveASentenceForEachBlock) {
  const TaggedText text = read_tagged(columns("EU NNP B-ORG\nrejects VBZ O\n\n\nPeter NNP B-PER\n"));
  ASSERT_EQ(text.sentences.size(), 2u);
  EXPECT_EQ(text.sentences[0].tokens, (Words{"EU", "rejects"}));
  EXPECT_EQ(text.sentences[0].tags, (Words{"B-ORG", "O"}));
  EXPECT_EQ(text.sentences[1].tokens, (Words{"Peter"}));
  EXPECT_EQ(text.sentences[0].place(1), (folder_ / "a.conll") + ":2");
  EXPECT_EQ(text.sentences[1].place(0), (folder_ / "a.conll") + ":5");
  EXPECT_TRUE(text.notes.empty());
}

TEST_F(Tagged, ColumnsAreChosenByNumber) {
  TaggedSources sources = columns("1\tEU\tNNP\tB-ORG\n");
  sources.token_column = 2;
  sources.tag_column = 3;
  const TaggedText text = read_tagged(sources);
  EXPECT_EQ(text.sentences[0].tokens, (Words{"EU"}));
  EXPECT_EQ(text.sentences[0].tags, (Words{"NNP"}));
  sources.tag_column = 5;
  refuses(sources, {"a.conll:1", "has 4 columns", "--tag-column asks for number 5"});
}

TEST_F(Tagged, TabsSeparateColumnsWithBlanksInThem) {
  const TaggedText text = read_tagged(columns("New York\tB-LOC\n# \tO\n"));
  EXPECT_EQ(text.sentences[0].tokens, (Words{"New York", "#"}));
}

TEST_F(Tagged, BlanksAroundTokensAndTagsAreTakenOff) {
  const TaggedText text = read_tagged(columns("to \tO\n Boston\tB-x \n \tO\n"));
  EXPECT_EQ(text.sentences[0].tokens, (Words{"to", "Boston", " "}));  // a blank alone is a token
  EXPECT_EQ(text.sentences[0].tags, (Words{"O", "B-x", "O"}));
  refuses(columns("a\tO\nb\t \n"), {"a.conll:2", "column 2 is empty"});
}

// Where tabs separate columns they alone tell a comment; where blanks do, so may its last word.
TEST_F(Tagged, CommentsAreToldFromTokens) {
  const TaggedText tabs = read_tagged(columns("#\tO\nboston\tB-x\n\n# 2 3\n#\tI-y\n"));
  EXPECT_EQ(tabs.sentences.at(0).tokens, (Words{"#", "boston"}));
  EXPECT_EQ(tabs.sentences.at(1).tags, (Words{"I-y"}));
  EXPECT_EQ(tabs.notes, (Words{"1 comment lines (#) passed over"}));
  const TaggedText blanks = read_tagged(columns("# sent one\nboston B-x\n\n# two\n# B-x\nto O\n"));
  EXPECT_EQ(blanks.sentences.at(1).tokens, (Words{"#", "to"}));
  EXPECT_EQ(blanks.notes, (Words{"2 comment lines (#) passed over"}));
}

// The columns are those of the first token, not of a document's start.
TEST_F(Tagged, ADocumentStartMayStandAlone) {
  const TaggedText text = read_tagged(columns("-DOCSTART-\n\na NN O\n\n-DOCSTART- -X- O\n\nb NN O\n"));
  ASSERT_EQ(text.sentences.size(), 2u);
  EXPECT_EQ(text.sentences[0].tags, (Words{"O"}));
  EXPECT_EQ(text.notes, (Words{"2 lines -DOCSTART- passed over"}));
  refuses(columns("-DOCSTART-\n\n# nothing\n"), {"no sentences in it"});
}

// A '#' is a comment where a sentence begins and the line has not the columns of a token; else it is a token.
TEST_F(Tagged, CommentsAndDocumentStartsArePassedOverAndCounted) {
  const TaggedText text = read_tagged(
      columns("# newdoc id = 1\n-DOCSTART- -X- O\n\n# text = #1\n# NN O\n# NN B-X\n\n# a comment of more\nb NN O\n"));
  ASSERT_EQ(text.sentences.size(), 2u);
  EXPECT_EQ(text.sentences[0].tokens, (Words{"#", "#"}));
  EXPECT_EQ(text.sentences[1].tokens, (Words{"b"}));
  EXPECT_EQ(text.notes, (Words{"3 comment lines (#) passed over", "1 lines -DOCSTART- passed over"}));
}

TEST_F(Tagged, ColumnsThatDoNotFitAreNamed) {
  refuses(columns("a O\nb\n"), {"a.conll:2", "expected 2 columns, as the lines before it have, got 1"});
  refuses(columns("a\tO\nb\t\n"), {"a.conll:2", "column 2 is empty"});
  refuses(columns("a\nb\n"), {"a.conll:1", "give --tag-column", "--tags"});
  refuses(columns("\n\n"), {"no sentences in it"});
  refuses(columns("a O\n\xff O\n"), {"a.conll:2", "invalid UTF-8 at byte 1"});
}

TEST_F(Tagged, WithoutTagsOneColumnIsEnough) {
  TaggedSources sources = columns("a\nb\n");
  sources.tags_required = false;
  const TaggedText text = read_tagged(sources);
  EXPECT_EQ(text.sentences[0].tokens, (Words{"a", "b"}));
  EXPECT_TRUE(text.sentences[0].tags.empty());
  sources = columns("a\tO\nb\t\n");  // nor need they be there
  sources.tags_required = false;
  EXPECT_EQ(read_tagged(sources).sentences[0].tokens, (Words{"a", "b"}));
}

TEST_F(Tagged, ParallelFilesGoLineByLine) {
  TaggedSources sources = parallel("to  boston\n\nfrom denver\n", "O B-city\n\nO B-city\n");
  put_file(folder_ / "label", "flight\nnothing\nfare\n");
  EXPECT_EQ(read_tagged(sources).notes, (Words{"1 lines without a token passed over"}));
  sources.labels = {folder_ / "label"};
  const TaggedText text = read_tagged(sources);
  ASSERT_EQ(text.sentences.size(), 2u);
  EXPECT_EQ(text.sentences[0].tokens, (Words{"to", "boston"}));
  EXPECT_EQ(text.sentences[1].tags, (Words{"O", "B-city"}));
  EXPECT_EQ(text.sentences[1].label, "fare");
  EXPECT_EQ(text.sentences[1].place(1), (folder_ / "seq.in") + ":3");
  put_file(folder_ / "label", "flight\n\nfare\n");  // an empty sentence needs no label
  EXPECT_EQ(read_tagged(sources).sentences[1].label, "fare");
}

TEST_F(Tagged, LinesWithoutATokenAreKeptIfAsked) {
  TaggedSources sources = parallel("to  boston\n\nfrom denver\n", "O B-city\n\nO B-city\n");
  sources.keep_empty = true;
  const TaggedText text = read_tagged(sources);
  ASSERT_EQ(text.sentences.size(), 3u);
  EXPECT_TRUE(text.sentences[1].tokens.empty());
  EXPECT_EQ(text.sentences[1].place(0), (folder_ / "seq.in") + ":2");
  EXPECT_TRUE(text.notes.empty());
}

TEST_F(Tagged, ParallelFilesThatDoNotFitAreNamed) {
  refuses(parallel("a b\nc d\n", "O O\nO\n"), {"seq.in:2", "has 2 tokens", "seq.out has 1 tags"});
  refuses(parallel("a\nb\n", "O\n"), {"seq.in:2", "has no tags", "seq.out ends before that line"});
  refuses(parallel("a\n", "O\nO\n"), {"seq.out:2", "has no line of its own in", "seq.in"});
  TaggedSources sources = parallel("a\n", "O\n");
  put_file(folder_ / "label", "x\ny\n");
  sources.labels = {folder_ / "label"};
  refuses(sources, {"label:2", "only 1 sentences"});
  put_file(folder_ / "label", "");
  refuses(sources, {"seq.in:1", "has no label"});
  put_file(folder_ / "label", " \n");
  refuses(sources, {"label:1", "the label is empty"});
  sources.labels = {"a", "b"};
  refuses(sources, {"2 files of labels for 1 files of tokens"}, Code::kUsage);
  sources.labels.clear();
  sources.tags.clear();
  refuses(sources, {"0 files of tags for 1 files of tokens"}, Code::kUsage);
  sources = parallel("a\n", "O\n");
  sources.tag_column = 1;
  refuses(sources, {"only format columns has columns"}, Code::kUsage);
  sources = columns("a O\n");
  sources.tags = {"b"};
  refuses(sources, {"leave --tags out"}, Code::kUsage);
  sources.format = "csv";
  refuses(sources, {"--format csv"}, Code::kUsage);
}

// "e" with a combining acute accent is one character.
TEST_F(Tagged, SegmentedWordsBecomeCharactersWithTheirPlaces) {
  put_file(folder_ / "words.txt", "\u6211\u4eec  \u5728  ABe\u0301\n\n\u597d\n");
  const TaggedText text = read_tagged({.tokens = {folder_ / "words.txt"}, .format = "segmented"});
  ASSERT_EQ(text.sentences.size(), 2u);
  EXPECT_EQ(text.sentences[0].tokens, (Words{"\u6211", "\u4eec", "\u5728", "A", "B", "e\u0301"}));
  EXPECT_EQ(text.sentences[0].tags, (Words{"B", "E", "S", "B", "M", "E"}));
  EXPECT_EQ(text.sentences[1].tags, (Words{"S"}));
}

}  // namespace
}  // namespace carousel
