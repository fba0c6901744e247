// Oracle: counts, orders and ids worked out by hand.
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "data/text/pipeline.h"
#include "tests/support/expect_error.h"

namespace carousel {
namespace {

using Ids = std::vector<std::int32_t>;
using Tokens = std::vector<std::string>;

TokenCounter counted(const Tokens& tokens) {
  TokenCounter counter;
  for (const std::string& token : tokens) counter.add(token);
  return counter;
}

const Tokens kCounted = {"b", "a", "c", "b", "a", "d", "b", "B", "d"};  // b 3, a 2, d 2, B 1, c 1

// Oracle: std::map, over numbers as tokens, a fifth of them new; enough to grow several times.
TEST(TokenIndex, NumbersTokensAsTheyCome) {
  TokenIndex index;
  EXPECT_EQ(index.find("0"), TokenIndex::kNone);
  std::map<std::string, std::int32_t> expected;
  for (std::uint64_t k = 0; k < 5000; ++k) {
    const std::string token = std::to_string(uniform_below({5, Purpose::kTest}, k, 1 + k / 4));
    ASSERT_EQ(index.find(token), expected.contains(token) ? expected[token] : TokenIndex::kNone) << token;
    const auto id = expected.try_emplace(token, static_cast<std::int32_t>(expected.size())).first->second;
    ASSERT_EQ(index.add(token), id) << token;
    ASSERT_EQ(index.tokens()[static_cast<std::size_t>(id)], token);
  }
  EXPECT_EQ(index.size(), std::ssize(expected));
  EXPECT_GT(index.size(), 500);
}

TEST(Vocabulary, IsOrderedByCountThenBytesBehindTheSpecials) {
  std::vector<std::int32_t> final_ids;
  const Vocabulary vocabulary = counted(kCounted).build({}, &final_ids);
  EXPECT_EQ(vocabulary.tokens(), (Tokens{"<pad>", "<unk>", "<bos>", "<eos>", "b", "a", "d", "B", "c"}));
  EXPECT_EQ(final_ids, (Ids{4, 5, 8, 6, 7}));  // b a c d B in the order of their first appearance
  EXPECT_EQ(vocabulary.id("d"), 6);
  EXPECT_EQ(vocabulary.token(6), "d");
  EXPECT_EQ(vocabulary.id("e"), Vocabulary::kUnknown);
  expect_error(Code::kUsage, {"token id 9 is out of range, expected 0 .. 8"}, [&] { vocabulary.token(9); });
  expect_error(Code::kUsage, {"token id -1"}, [&] { vocabulary.token(-1); });
}

TEST(Vocabulary, KeepsToItsLimits) {
  const TokenCounter counter = counted(kCounted);
  EXPECT_EQ(counter.total(), 9);
  EXPECT_EQ(counter.distinct(), 5);
  EXPECT_EQ(counter.count("b"), 3);
  EXPECT_EQ(counter.count("x"), 0);
  std::vector<std::int32_t> final_ids;
  EXPECT_EQ(counter.build({2, 0}, &final_ids).size(), 4 + 3);
  EXPECT_EQ(final_ids, (Ids{4, 5, 1, 6, 1}));
  EXPECT_EQ(counter.build({1, 6}, nullptr).tokens(), (Tokens{"<pad>", "<unk>", "<bos>", "<eos>", "b", "a"}));
  expect_error(Code::kUsage, {"min_count is 0"}, [&] { counter.build({0, 0}); });
  expect_error(Code::kUsage, {"limited to 4"}, [&] { counter.build({1, 4}); });
  expect_error(Code::kUsage, {"limited to -1"}, [&] { counter.build({1, -1}); });
}

TEST(Vocabulary, SpecialTokensInATextDoNotPadBeginOrEnd) {
  const Vocabulary vocabulary = counted({"<pad>", "<eos>", "<unk>", "x", "<bos>"}).build({});
  EXPECT_EQ(vocabulary.size(), 5);
  for (const char* token : {"<pad>", "<bos>", "<eos>", "<unk>", ""}) EXPECT_EQ(vocabulary.id(token), 1) << token;
}

TEST(Vocabulary, ComesBackFromItsTokensAndRefusesOthers) {
  const Vocabulary vocabulary = counted(kCounted).build({});
  const Vocabulary again = Vocabulary::from_tokens(vocabulary.tokens());
  EXPECT_EQ(again.tokens(), vocabulary.tokens());
  EXPECT_EQ(again.id("c"), 8);
  EXPECT_EQ(again.id("<pad>"), 1);
  expect_error(Code::kModel, {"start with <pad> <unk> <bos> <eos>"}, [] { Vocabulary::from_tokens({"a"}); });
  expect_error(Code::kModel, {"token 5 ('a') is there twice"}, [] {
    Vocabulary::from_tokens({"<pad>", "<unk>", "<bos>", "<eos>", "a", "a"});
  });
  expect_error(Code::kModel, {"token 4 is empty"}, [] {
    Vocabulary::from_tokens({"<pad>", "<unk>", "<bos>", "<eos>", ""});
  });
  expect_error(Code::kModel, {"token 4 ('<eos>') is there twice"}, [] {
    Vocabulary::from_tokens({"<pad>", "<unk>", "<bos>", "<eos>", "<eos>"});
  });
}

TEST(Pipeline, ExplainShowsEveryStep) {
  TextSettings settings;
  settings.level = TextLevel::kWord;
  settings.add_bos = settings.add_eos = true;
  TextPipeline pipeline(settings, counted({"good", "day", "good"}).build({}));  // good 4, day 5
  const TextTrace trace = pipeline.explain("\uFF27ood  DAY, sir", 8);
  EXPECT_EQ(trace.raw, "\uFF27ood  DAY, sir");
  EXPECT_EQ(trace.normalized, "good  day, sir");
  EXPECT_EQ(trace.tokens, (Tokens{"<bos>", "good", "day", ",", "sir", "<eos>"}));
  EXPECT_EQ(trace.ids, (Ids{2, 4, 5, 1, 1, 3}));
  EXPECT_EQ(trace.padded, (Ids{2, 4, 5, 1, 1, 3, 0, 0}));
  EXPECT_EQ(trace.mask, (Ids{1, 1, 1, 1, 1, 1, 0, 0}));
  EXPECT_EQ(pipeline.encode(trace.raw), trace.ids);
  EXPECT_EQ(pipeline.explain("day").padded, (Ids{2, 5, 3}));
  expect_error(Code::kUsage, {"length to pad to is -1"}, [&] { pipeline.explain("day", -1); });
}

TEST(Pipeline, LongTextsAreCutAndCounted) {
  TextSettings settings;
  settings.level = TextLevel::kWhitespace;
  settings.max_tokens = 2;
  settings.add_eos = true;
  TextPipeline pipeline(settings, counted({"a", "a", "b"}).build({}));
  EXPECT_EQ(pipeline.encode("a b a"), (Ids{4, 5, 3}));
  EXPECT_EQ(pipeline.encode("b a"), (Ids{5, 4, 3}));
  EXPECT_EQ(pipeline.encode(""), Ids{3});
  EXPECT_EQ(pipeline.explain("a b a").ids, (Ids{4, 5, 3}));
  EXPECT_EQ(pipeline.cut_texts(), 1);
}

TEST(Pipeline, TextThatIsNotUtf8IsRefusedAtItsByte) {
  TextSettings settings;
  settings.level = TextLevel::kWord;
  TextPipeline pipeline(settings, Vocabulary());
  expect_error(Code::kData, {"not UTF-8 at byte 4 (0xe9)"}, [&] { pipeline.encode("caf\xE9"); });
}

// The ids that fit_text gives in one pass must be those that its pipeline gives afterwards.
TEST(FitText, LearnsFromItsRowsOnlyAndEncodesThemAsItsPipelineDoes) {
  const std::vector<std::string> texts = {"Good day, good sir", "never seen", "a day A DAY", "good"};
  const std::vector<std::int64_t> rows = {2, 0, 3};
  for (const bool marks : {false, true}) {
    TextSettings settings;
    settings.add_bos = settings.add_eos = marks;
    settings.max_tokens = 3;
    FittedText fitted = fit_text(texts, rows, settings, {2, 0});
    EXPECT_EQ(fitted.pipeline.settings().level, TextLevel::kWord);
    // day 3, good 3, a 2, and once: , sir
    EXPECT_EQ(fitted.pipeline.vocabulary().tokens(), (Tokens{"<pad>", "<unk>", "<bos>", "<eos>", "day", "good", "a"}));
    EXPECT_EQ(fitted.tokens, 4 + 5 + 1);
    EXPECT_EQ(fitted.distinct_tokens, 5);
    EXPECT_EQ(fitted.cut_texts, 2);
    ASSERT_EQ(fitted.ids.size(), rows.size());
    EXPECT_EQ(fitted.ids[0], marks ? (Ids{2, 6, 4, 6, 3}) : (Ids{6, 4, 6}));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(fitted.ids[i], fitted.pipeline.encode(texts[static_cast<std::size_t>(rows[i])]));
    }
  }
}

}  // namespace
}  // namespace carousel
