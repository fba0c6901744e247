// Oracle: the network inside run on every sentence as a sample of its own, forward and backward; the same sentences in
// other documents.
#include "layers/tokens/sentence_encoder.h"

#include <gtest/gtest.h>

#include "carousel/attention.h"
#include "carousel/loss.h"
#include "carousel/operations.h"
#include "tests/support/expect_error.h"
#include "tests/support/expect_near.h"

namespace carousel {
namespace {

constexpr std::int64_t kWords = 9, kMark = 3, C = 4;

Sequential word_network() {
  return Sequential{Embedding{kWords, 5}, Recurrent{{.cell = "gru", .input_size = 5, .hidden_size = C}},
                    AttentionPool{C, 3}};
}

Sequential with_encoder(std::unique_ptr<Module> above = nullptr) {
  Sequential network;
  network.add("words", std::make_unique<SentenceEncoder>(word_network(), kMark));
  if (above) network.add("above", std::move(above));
  return network;
}

// Documents of 2, 0, 3 and 1 sentences, with marks at odd places: in the third one two side by side, one at each end.
const std::vector<std::int32_t> kLengths{6, 0, 9, 2};
IdTensor documents() {
  const std::vector<std::vector<std::int32_t>> texts{
      {4, 5, kMark, 6, 7, 8}, {}, {kMark, 4, kMark, kMark, 5, 6, kMark, 8, kMark}, {7, 7}};
  IdTensor ids({9, 4});
  for (std::size_t n = 0; n < texts.size(); ++n) {
    for (std::size_t t = 0; t < texts[n].size(); ++t) ids[static_cast<std::int64_t>(t * 4 + n)] = texts[n][t];
  }
  return ids;
}

// Their sentences, one a sample.
const std::vector<std::int32_t> kSentenceLengths{2, 3, 1, 2, 1, 2};
IdTensor sentences() {
  const std::vector<std::vector<std::int32_t>> texts{{4, 5}, {6, 7, 8}, {4}, {5, 6}, {8}, {7, 7}};
  IdTensor ids({3, 6});
  for (std::size_t n = 0; n < texts.size(); ++n) {
    for (std::size_t t = 0; t < texts[n].size(); ++t) ids[static_cast<std::int64_t>(t * 6 + n)] = texts[n][t];
  }
  return ids;
}

TEST(SentenceEncoder, GivesEachSentenceWhatTheNetworkInsideGivesItAlone) {
  Sequential network = with_encoder(), inside = word_network();
  const Tensor y = network.predict(documents(), kLengths), rows = inside.predict(sentences(), kSentenceLengths);
  ASSERT_EQ((Shape{3, 4, C}), y.shape());
  const std::int64_t place[][2] = {{0, 0}, {1, 0}, {0, 2}, {1, 2}, {2, 2}, {0, 3}};  // step, document of each
  Tensor expected({3, 4, C});
  for (std::int64_t s = 0; s < 6; ++s) {
    std::copy_n(rows.data() + s * C, C, expected.data() + (place[s][0] * 4 + place[s][1]) * C);
  }
  expect_near(y, expected, 0, "sentences, zeros behind the last");
}

TEST(SentenceEncoder, GradientsAreThoseOfTheSentences) {
  // One document of all six sentences, its mean over them; and the mean over six samples.
  IdTensor whole({16, 1});
  const std::vector<std::int32_t> ids{4, 5, 3, 6, 7, 8, 3, 4, 3, 5, 6, 3, 8, 3, 7, 7};
  std::copy(ids.begin(), ids.end(), whole.data());
  Sequential network = with_encoder(std::make_unique<Pool>("mean")), inside = word_network();
  backward(mean(network(whole)));
  backward(mean(inside(sentences(), kSentenceLengths)));
  const auto got = network.named_tensors(), expected = inside.named_tensors();
  ASSERT_EQ(expected.size(), got.size());
  EXPECT_EQ("words.0.weight", got[0].first);
  for (std::size_t k = 0; k < got.size(); ++k) {
    expect_near(got[k].second->gradient, expected[k].second->gradient, 1e-7, got[k].first);
  }
}

TEST(SentenceEncoder, DocumentsWithoutWordsAreSequencesOfNoSteps) {
  Sequential network = with_encoder(std::make_unique<AttentionPool>(C, 2));
  const std::vector<std::int32_t> none{0, 0}, marks{1, 1};
  IdTensor ids({1, 2});
  ids.fill(kMark);
  expect_near(network.predict(ids, none), Tensor({2, C}), 0, "no tokens");
  expect_near(network.predict(ids, marks), Tensor({2, C}), 0, "marks alone");
}

TEST(SentenceEncoder, RefusesNumbersStatesAndNetworksThatDoNotPool) {
  Sequential network = with_encoder();
  expect_error(Code::kUsage, {"got numbers"}, [&] { network.predict(Tensor({2, 1, 3})); });
  State state;
  expect_error(Code::kUsage, {"every sentence starts anew"},
               [&] { network.predict(documents(), kLengths, nullptr, &state); });
  Sequential open;
  open.add("words", std::make_unique<SentenceEncoder>(Sequential{Embedding{kWords, 2}}, kMark));
  expect_error(Code::kUsage, {"no single row per sentence"}, [&] { open.predict(documents(), kLengths); });
  expect_error(Code::kUsage, {"the mark is -1"}, [] { SentenceEncoder(word_network(), -1); });
}

TEST(SentenceEncoder, IsBuiltAgainFromItsDescription) {
  Sequential network = with_encoder();
  Sequential again = build_sequential(network.describe().branches[0]);
  const auto from = network.named_tensors(), to = again.named_tensors();
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t k = 0; k < from.size(); ++k) {
    EXPECT_EQ(from[k].first, to[k].first);
    to[k].second->value = from[k].second->value;
  }
  expect_near(again.predict(documents(), kLengths), network.predict(documents(), kLengths), 0, "output");
  LayerDescription broken = network.describe().branches[0][0].layer;
  broken.branches.clear();
  expect_error(Code::kModel, {"has 0 branches"}, [&] { build_module(broken); });
}

}  // namespace
}  // namespace carousel
