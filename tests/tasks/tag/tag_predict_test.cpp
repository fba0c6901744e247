// Rows that a tagger gives.
#include "tasks/tag/tag_predict.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/tasks/tag/tag_case.h"

namespace carousel {
namespace {

// Oracle: the places of the words, counted by hand in code points.
TEST(TagPredict, SpansStandWhereTheyStandInTheRawText) {
  const Sentences sentences(240);
  Options options = sentences.options();
  options.train.epochs = 16;
  Observer quiet;
  tag_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  const std::string path = sentences.folder / "raw";
  // An emoji beyond 16 bits, a combining mark, a tab, Hebrew, blanks at the start, an ideographic space.
  const Rows rows = rows_for(model, options, path,
                             "please book to boston\n"
                             "\U0001F600 please\tbook to boston\n"
                             "cafe\u0301 book from New  York\n"
                             "\u05e9\u05dc\u05d5\u05dd please book to denver\n"
                             "\n"
                             "   please book\u3000to san jose");
  const std::vector<std::string>& spans = rows.by_column.at("spans");
  ASSERT_EQ(spans.size(), 6u);
  EXPECT_EQ(spans[0], "end:15-21");
  EXPECT_EQ(spans[1], "end:17-23");
  EXPECT_EQ(spans[2], "start:16-25");
  EXPECT_EQ(spans[3], "end:20-26");
  EXPECT_EQ(spans[4], "");
  EXPECT_EQ(spans[5], "end:18-26");
  EXPECT_EQ(rows.by_column.at("tags")[0], "O O O B-end");
  EXPECT_EQ(rows.by_column.at("text")[1], "\U0001F600 please\tbook to boston");
  EXPECT_EQ(rows.by_column.at("tags")[4], "");
}

// Oracle: the contract: a row for each line. Training has pairs B E only, so of an odd number of tokens no tags are
// valid.
TEST(TagPredict, ASentenceWithoutValidTagsHasARow) {
  const TemporaryFolder folder;
  put_file(folder / "in", "a b\nc d\na b\nc d\na b\nc d\n");
  put_file(folder / "out", "B-x E-x\nB-x E-x\nB-x E-x\nB-x E-x\nB-x E-x\nB-x E-x\n");
  Options options;
  options.data.data = {folder / "in"};
  options.data.tags = {folder / "out"};
  options.model.hidden_size = 4;
  options.model.embedding_size = 4;
  options.train.epochs = 1;
  options.output.out = folder / "model.safetensors";
  Observer quiet;
  tag_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  for (const std::int64_t n_best : {1, 2}) {
    options.model.n_best = n_best;
    const Rows rows = rows_for(model, options, folder / "new", "a b\na\nc d\na b c\n");
    const auto& texts = rows.by_column.at("text");
    const auto& tags = rows.by_column.at("tags");
    EXPECT_EQ(texts, n_best == 1 ? std::vector<std::string>({"a b", "a", "c d", "a b c"})
                                 : std::vector<std::string>({"a b", "a", "a", "c d", "a b c", "a b c"}));
    EXPECT_EQ(tags[0], "B-x E-x");
    EXPECT_TRUE(tags[1] == "B-x" || tags[1] == "E-x") << tags[1];
    ASSERT_EQ(rows.notes.size(), 1u);
    EXPECT_EQ(rows.notes[0], fmt::format("2 sentences have no tags that are valid together in scheme bioes, first at "
                                         "{}:2; theirs are not",
                                         folder / "new"));
  }
}

// Oracle: raw text of the same words.
TEST(TagPredict, PredictsForTokensAndColumnsAsForText) {
  const Sentences sentences(120);
  Options options = sentences.options();
  Observer quiet;
  tag_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  const std::string path = sentences.folder / "new";
  const Rows raw = rows_for(model, options, path, "please book to new york\nwhich flights\n");
  options.data.format = "tokens";
  EXPECT_EQ(rows_for(model, options, path, "please book to new york\nwhich flights\n").by_column, raw.by_column);
  options.data.format = "columns";
  const Rows columns = rows_for(model, options, path, "please\nbook\nto\nnew\nyork\n\nwhich\nflights\n");
  EXPECT_EQ(columns.by_column, raw.by_column);
  EXPECT_EQ(rows_for(model, options, path, "# id 1\nplease\t\nbook\t\n\nwhich\t\n").notes,
            std::vector<std::string>{"1 comment lines (#) passed over"});
  options.data.format.clear();
  const Rows gaps = rows_for(model, options, path, "\nplease  book\n\n\nwhich\n\n");
  EXPECT_EQ(gaps.by_column.at("tokens"), (std::vector<std::string>{"", "please book", "", "", "which", ""}));
  for (const char* const format : {"tokens", "parallel", "segmented"}) {
    options.data.format = format;
    const Rows rows = rows_for(model, options, path, "\nplease  book\n\n\nwhich\n\n");
    ASSERT_EQ(rows.by_column.at("tokens").size(), 6u) << format;
    EXPECT_EQ(rows.by_column.at("tags")[0], "") << format;
    EXPECT_EQ(rows.by_column.at("tokens")[3], "") << format;
  }
}

}  // namespace
}  // namespace carousel
