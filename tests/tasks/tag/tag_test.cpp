// The tag task on small data of its own: a sentence names a city behind "from" or "to"; which it is decides its tag.
#include "tasks/tag/tag.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"
#include "base/random.h"
#include "carousel/stream.h"
#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_network.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

struct Sentences {
  explicit Sentences(int count) {
    const char* const kCities[][2] = {{"boston", ""}, {"new", "york"}, {"denver", ""}, {"san", "jose"}};
    std::string tokens, tags, intents;
    for (int n = 0; n < count; ++n) {
      const auto draw = [&](std::uint64_t what, std::uint64_t bound) {
        return uniform_below({3, Purpose::kTest, static_cast<std::uint64_t>(n)}, what, bound);
      };
      const bool ask = draw(0, 2) == 0;
      tokens += ask ? "which flights go" : "please book";
      tags += ask ? "O O O" : "O O";
      for (std::uint64_t k = 0; k < 1 + draw(1, 2); ++k) {
        const bool from = draw(4 + k, 2) == 0;
        const auto& city = kCities[draw(8 + k, 4)];
        const std::string type = from ? "start" : "end";
        tokens += std::string(from ? " from " : " to ") + city[0] + (*city[1] ? std::string(" ") + city[1] : "");
        tags += " O B-" + type + (*city[1] ? " I-" + type : "");
      }
      tokens += '\n';
      tags += '\n';
      intents += ask ? "ask\n" : "book\n";
    }
    put_file(folder / "in", tokens);
    put_file(folder / "out", tags);
    put_file(folder / "intents", intents);
  }
  Options options() const {
    Options o;
    o.data.data = {folder / "in"};
    o.data.tags = {folder / "out"};
    o.model.hidden_size = 8;
    o.model.embedding_size = 8;
    o.model.dropout = 0.1;
    o.train.epochs = 8;
    o.train.lr = 0.02;
    o.output.out = folder / "model.safetensors";
    return o;
  }
  TemporaryFolder folder;
};

double value_of(const Metrics& metrics, std::string_view name) {
  const double* value = find_metric(metrics, name);
  return value ? *value : NAN;
}

struct Notes final : Observer {
  void note(const std::string& line) override { lines.push_back(line); }
  bool have(const std::string& line) const { return std::find(lines.begin(), lines.end(), line) != lines.end(); }
  std::vector<std::string> lines;
};

struct Rows final : RowSink {
  void note(const std::string& line) override { notes.push_back(line); }
  void header(const std::vector<std::string>& names) override { columns = names; }
  void row(const std::vector<std::string>& cells) override {
    for (std::size_t k = 0; k < cells.size(); ++k) by_column[columns[k]].push_back(cells[k]);
  }
  std::vector<std::string> columns, notes;
  std::map<std::string, std::vector<std::string>> by_column;
};

Rows rows_for(const Model& model, Options options, const std::string& path, const std::string& content) {
  put_file(path, content);
  options.data.data = {path};
  options.data.tags.clear();
  options.data.intents.clear();
  Rows rows;
  tag_task().predict(model, options, rows);
  return rows;
}

// Oracle: the rule that made the data; every kind of model learns it, and it beats the most frequent tag of each word,
// which cannot know whether a city is a start or an end.
TEST(Tag, EveryKindOfModelLearnsWhatDecides) {
  const Sentences sentences(240);
  for (const auto& [crf, characters] :
       {std::pair("true", "cnn"), std::pair("false", "lstm"), std::pair("true", "none")}) {
    Options options = sentences.options();
    options.model.crf = crf;
    options.model.characters = characters;
    options.data.intents = {sentences.folder / "intents"};
    options.train.epochs = 16;
    options.model.word_window = *characters == 'n' ? 3 : 1;
    options.model.crf_valid_tags_only = *characters == 'n';
    Observer quiet;
    const TrainResult result = tag_task().train(options, quiet);
    EXPECT_EQ(value_of(result.metrics, "span_f1"), 1) << crf << characters;
    EXPECT_EQ(value_of(result.metrics, "intent_accuracy"), 1) << crf << characters;
    EXPECT_LT(value_of(result.baselines.at(0).metrics, "span_f1"), 0.9) << crf << characters;
    const Model model = Model::load(options.output.out);
    const EvaluateResult again = tag_task().evaluate(model, options, quiet);
    EXPECT_EQ(again.samples, 240);
    EXPECT_EQ(value_of(again.metrics, "span_f1"), 1) << crf << characters;
  }
}

// Oracle: the contract. Hashed words that are written as the specials of the vocabulary are have ids behind it; they
// are trained on and tagged as any other word is.
TEST(Tag, HashedWordsBehindTheVocabularyAreTrainedOn) {
  const TemporaryFolder folder;
  std::string tokens, tags;
  for (int n = 0; n < 40; ++n) {
    tokens += fmt::format("<bos> go{} to <pad> boston <eos>\n", n);
    tags += "O O O B-mark B-end O\n";
  }
  put_file(folder / "in", tokens);
  put_file(folder / "out", tags);
  Options options;
  options.data.data = {folder / "in"};
  options.data.tags = {folder / "out"};
  options.model.token_input = "trigrams";
  options.model.hidden_size = 4;
  options.model.embedding_size = 4;
  options.train.epochs = 20;
  options.train.lr = 0.02;
  options.output.out = folder / "model.safetensors";
  Observer quiet;
  const TrainResult result = tag_task().train(options, quiet);
  EXPECT_EQ(value_of(result.metrics, "span_f1"), 1);
  EXPECT_DOUBLE_EQ(value_of(result.baselines.at(0).metrics, "token_accuracy"), 5.0 / 6);  // it knows no <pad>
}

// Oracle: the places of the words, counted by hand in code points.
TEST(Tag, SpansStandWhereTheyStandInTheRawText) {
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

// Oracle: the rule that made the data, which one wrong tag of 240 sentences leaves as it is; and the place of that tag.
TEST(Tag, OneTagOfAnotherSchemeDecidesNothing) {
  const Sentences sentences(240);
  Options options = sentences.options();
  put_file(sentences.folder / "in", "denver please\n" + read_file(sentences.folder / "in"));
  put_file(sentences.folder / "out", "E-end O\n" + read_file(sentences.folder / "out"));
  options.data.valid = {sentences.folder / "in"};
  options.data.valid_tags = {sentences.folder / "out"};
  Notes notes;
  const TrainResult result = tag_task().train(options, notes);
  EXPECT_GT(value_of(result.metrics, "span_f1"), 0.99);
  EXPECT_TRUE(
      notes.have(fmt::format("1 of 241 training sentences are not valid in scheme bio, first at {}:1; decoding "
                             "can never give their tags",
                             sentences.folder / "in")));
}

// Oracle: the contract: a row for each line. Training has pairs B E only, so of an odd number of tokens no tags are
// valid.
TEST(Tag, ASentenceWithoutValidTagsHasARow) {
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
TEST(Tag, PredictsForTokensAndColumnsAsForText) {
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

// Oracle: the contract. One line, one error with its place.
TEST(Tag, WrongInputIsNamed) {
  const Sentences sentences(120);
  Options options = sentences.options();
  Observer quiet;
  const auto refused = [&](Code code, std::initializer_list<std::string_view> words) {
    expect_error(code, words, [&] { tag_task().train(options, quiet); });
  };
  const std::string bad = sentences.folder / "bad";
  options.data.tags = {bad};
  put_file(bad, "O O\n");
  refused(Code::kData, {"in:1", "tags"});
  put_file(sentences.folder / "one", "a b\nc\nd\ne\nf\n");
  put_file(bad, "O O\nO\nO\nO\nO\n");
  options.data.data = {sentences.folder / "one"};
  refused(Code::kData, {"all tokens have the tag 'O'"});
  options = sentences.options();
  options.model.word_window = 4;
  refused(Code::kUsage, {"--word-window 4", "odd"});
  options = sentences.options();
  options.model.cell = "none";
  refused(Code::kUsage, {"--cell none"});
  options = sentences.options();
  options.data.level = "subword";
  refused(Code::kUsage, {"--level subword", "word, char or whitespace"});
  options = sentences.options();
  options.data.valid_tags = {bad};
  refused(Code::kUsage, {"--valid-tags", "--valid, which is missing"});
  options = sentences.options();
  std::string longest;
  for (int k = 0; k <= kMostTokens; ++k) longest += "a ";
  put_file(bad, longest);
  options.data.data = {bad};
  options.data.tags = {bad};
  refused(Code::kData, {"bad:1", "has 20001 tokens", "at most 20000"});
  options = sentences.options();
  options.model.crf_valid_tags_only = true;
  put_file(sentences.folder / "in2", "a b\nc d\n");
  put_file(bad, "O B-x\nB-x I-y\n");
  options.data.data = {sentences.folder / "in2"};
  options.data.tags = {bad};
  options.data.valid = options.data.data;
  options.data.valid_tags = options.data.tags;
  refused(Code::kData, {"in2:2", "'I-y' is not valid there"});
  options.data.data = sentences.options().data.data;  // the validation part alone has it
  options.data.tags = sentences.options().data.tags;
  refused(Code::kData, {"in2:2", "'I-y' is not valid there"});
}

// Oracle: a tag that training had not can never be right: of 5 tokens with 2 spans, one of them unknown, one is found.
TEST(Tag, TagsThatTrainingHadNotCountAsErrors) {
  const Sentences sentences(240);
  Options options = sentences.options();
  Observer quiet;
  tag_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  put_file(sentences.folder / "in3", "please book to boston from denver\n");
  put_file(sentences.folder / "out3", "O O O B-end O B-airport\n");
  options.data.data = {sentences.folder / "in3"};
  options.data.tags = {sentences.folder / "out3"};
  Notes notes;
  const EvaluateResult result = tag_task().evaluate(model, options, notes);
  EXPECT_DOUBLE_EQ(value_of(result.metrics, "recall"), 0.5);
  EXPECT_DOUBLE_EQ(value_of(result.metrics, "token_accuracy"), 5.0 / 6);
  ASSERT_EQ(notes.lines.size(), 1u);
  EXPECT_NE(notes.lines[0].find("tag 'B-airport' was not in the training part: 1 times, first at"), std::string::npos);
}

// Oracle: the contract. A description that names more tags than the network scores would make it read beyond its
// scores.
TEST(Tag, ADescriptionThatDoesNotFitTheNetworkIsRefused) {
  const Sentences sentences(60);
  Options options = sentences.options();
  options.train.epochs = 1;
  Observer quiet;
  for (const char* const crf : {"true", "false"}) {
    options.model.crf = crf;
    tag_task().train(options, quiet);
    Model model = Model::load(options.output.out);
    TagInfo info = TagInfo::from_model(model);
    info.tags.push_back("Z");
    model.set_task_data(info.to_json());
    expect_error(Code::kModel, {"names 6"}, [&] { tag_task().evaluate(model, options, quiet); });
    info.tags.pop_back();
    info.intents = {"one"};
    model.set_task_data(info.to_json());
    expect_error(Code::kModel, {"0 intents", "names 5 and 1"}, [&] { tag_task().evaluate(model, options, quiet); });
    info.majority_tag = 5;
    model.set_task_data(info.to_json());
    expect_error(Code::kModel, {"contradicts itself"}, [&] { tag_task().evaluate(model, options, quiet); });
  }
}

// Oracle: the scores of the whole sentence. A tagger that reads forwards only gives each token's scores with its step:
// a Stream runs it on the numbers that stand for the token. One that reads backwards, or with a CRF, it refuses.
TEST(Tag, OneDirectionStreamsTokenByToken) {
  const Sentences sentences(60);
  Options options = sentences.options();
  options.model.bidirectional = "false";
  options.model.crf = "false";
  options.train.epochs = 1;
  Observer quiet;
  tag_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  const TagInfo info = TagInfo::from_model(model);
  TagData data = read_tag_data(options.data, false);
  encode_sentences(info, data);
  Sequential chain = tagger_chain(model.network());
  Stream stream(chain);
  const std::int64_t one[] = {0};
  const Tensor inputs = token_inputs(model.network(), data, one, info.word_window);  // [T, 1, C]
  score_sentences(model.network(), data, one, info,
                  [&](std::int64_t, std::span<const float> scores, std::span<const float>) {
                    const std::int64_t C = inputs.shape()[2], K = std::ssize(info.tags);
                    for (std::int64_t t = 0; t < inputs.shape()[0]; ++t) {
                      const auto got = stream.step({inputs.data() + t * C, static_cast<std::size_t>(C)});
                      expect_near(got, scores.subspan(static_cast<std::size_t>(t * K), static_cast<std::size_t>(K)),
                                  1e-5, "scores");
                    }
                  });
  for (const auto& [crf, bidirectional] : {std::pair("true", "false"), std::pair("false", "true")}) {
    options.model.crf = crf;
    options.model.bidirectional = bidirectional;
    tag_task().train(options, quiet);
    const Model other = Model::load(options.output.out);
    Sequential refused = tagger_chain(other.network());
    expect_error(Code::kUsage, {"cannot"}, [&] { Stream{refused}; });
  }
}

}  // namespace
}  // namespace carousel
