// The tag task on small data of its own: a sentence names a city behind "from" or "to"; which it is decides its tag.
#include "tasks/tag/tag.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "carousel/stream.h"
#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_network.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"
#include "tests/tasks/tag/tag_case.h"

namespace carousel {
namespace {

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

// Oracle: the contract, and the place of the tag: one tag that is no span's hides all spans, which is said.
TEST(Tag, ATagThatHidesAllSpansIsNamed) {
  const Sentences sentences(120);
  Options options = sentences.options();
  put_file(sentences.folder / "in", "denver please\n" + read_file(sentences.folder / "in"));
  put_file(sentences.folder / "out", "end O\n" + read_file(sentences.folder / "out"));
  options.data.valid = {sentences.folder / "in"};
  options.data.valid_tags = {sentences.folder / "out"};
  options.train.epochs = 1;
  const std::string line = fmt::format(
      "tag 'end' says nothing of a span, as nearly all others do: 1 times, first at {}:1; so no spans are found "
      "(scheme "
      "plain)",
      sentences.folder / "in");
  Notes notes;
  tag_task().train(options, notes);
  EXPECT_TRUE(notes.have(line));
  EXPECT_EQ(tag_task().check(options).problems, std::vector<std::string>{line});
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
  options.data.intents = {sentences.folder / "in3"};
  expect_error(Code::kUsage, {"--intents", "trained without"}, [&] { tag_task().evaluate(model, options, notes); });
  options.data.intents.clear();
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

// Oracle: the vocabulary of pairs, made of the texts themselves. The tokens are longer than what a std::string holds
// without memory of its own.
TEST(Tag, PairsOfLongTokensAreThoseOfTheVocabulary) {
  const std::string first(40, 'a'), second(50, 'b'), third(60, 'c');
  TagVocabularies known;
  known.pairs = Vocabulary::from_tokens(
      {"<pad>", "<unk>", "<bos>", "<eos>", first + " " + second, second + " " + third, third + " "});
  TagData data;
  data.sentences.push_back({.tokens = {first, second, third}, .path = "tokens"});
  encode_sentences(known, data);
  EXPECT_EQ(data.pairs, (std::vector<std::vector<std::int32_t>>{{4, 5, 6}}));
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
