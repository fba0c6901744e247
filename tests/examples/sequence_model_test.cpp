// Oracles: what holds for every latent variable model: no divergence is negative, more draws make the bound tighter in
// the mean, a frame's terms depend on no later frame and no other piece; a pattern that is learnt.
#include "examples/generative/sequence_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "examples/generative/frame_lstm.h"
#include "examples/generative/piano_roll.h"
#include "examples/generative/storn.h"
#include "examples/generative/vrnn.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using namespace generative;

// Three keys that take turns.
std::vector<Piece> turns(int frames) {
  Piece piece;
  for (int t = 0; t < frames; ++t) piece.push_back({40 + t % 3});
  return {piece, piece};
}

// A piece of three frames and one of five, side by side: two rows are behind an end.
std::vector<Piece> uneven() { return {{{3}, {4, 60}, {}}, {{5}, {6}, {7, 8}, {9}, {10, 11, 12}}}; }

std::unique_ptr<SequenceModel> make_model(const std::string& name) {
  if (name == "Lstm") return std::make_unique<FrameLstm>(24, 0.0);
  if (name == "Storn") return std::make_unique<Storn>(StornOptions{24, 3, 0.0});
  return std::make_unique<Vrnn>(VrnnOptions{16, 3, 16, 0.0});
}

class EveryModel : public ::testing::TestWithParam<std::string> {};

Tensor values(const Variable& variable) { return Tensor(variable.value()); }

TEST_P(EveryModel, FramesBehindAnEndAndOtherPiecesHaveNoInfluence) {
  const auto model = make_model(GetParam());
  const std::vector<Piece> pieces = uneven();
  Graph graph;
  graph.set_recording(false);
  // The noise is drawn for all pieces together, so they are compared at the same places: the short piece is made
  // longer.
  std::vector<Piece> longer = pieces;
  longer[0].push_back({70});
  longer[0].push_back({71, 72});
  const Tensor both = values(model->terms(graph, make_batch(pieces)).nll);
  Graph again;
  again.set_recording(false);
  const Tensor changed = values(model->terms(again, make_batch(longer)).nll);
  ASSERT_EQ(both.shape(), Shape{10});
  for (std::int64_t row = 0; row < 10; ++row) {
    if (row % 2 == 0 && row >= 6) continue;  // piece 0 from its fourth frame on
    EXPECT_FLOAT_EQ(both[row], changed[row]) << row;
  }
}

TEST_P(EveryModel, NoDivergenceIsNegativeAndMoreDrawsTightenTheBound) {
  const auto model = make_model(GetParam());
  const std::vector<Batch> batches = make_batches(uneven(), 2);
  Graph graph;
  const Terms terms = model->terms(graph, batches[0]);
  if (terms.divergence) {
    for (const float value : terms.divergence.value().span()) EXPECT_GE(value, 0);
    EXPECT_GT(sum(terms.divergence).item(), 0);
    EXPECT_LT(measure_importance_bound(*model, batches, 200), measure_importance_bound(*model, batches, 1));
  }
}

TEST_P(EveryModel, LearnsToTakeTurns) {
  const auto model = make_model(GetParam());
  const std::vector<Batch> batches = make_batches(turns(12), 2);
  const double before = measure_bound(*model, batches).value();
  const Bound after = train(*model, batches, batches, {.epochs = 800, .lr = 1e-2, .verbose = false});
  EXPECT_NEAR(before, 88 * std::log(2.0), 6);  // every key as likely as not
  EXPECT_LT(after.value(), 0.1);
  EXPECT_NEAR(measure_bound(*model, batches).value(), after.value(), 0.1);  // the best weights are kept

  Graph graph;
  graph.set_recording(false);
  std::mt19937 random(1);
  const Tensor made = model->generate(graph, {9, 4, kKeys}, random);
  ASSERT_EQ(made.shape(), (Shape{9, 4, kKeys}));
  int right = 0;
  for (std::int64_t row = 0; row < 36; ++row) {
    const std::span<const float> frame(made.data() + row * kKeys, kKeys);
    right +=
        std::count(frame.begin(), frame.end(), 1.0f) == 1 && frame[static_cast<std::size_t>(40 + row / 4 % 3)] == 1;
  }
  EXPECT_GE(right, 34);  // of 36: keys are drawn
}

INSTANTIATE_TEST_SUITE_P(SequenceModels, EveryModel, ::testing::Values("Lstm", "Storn", "Vrnn"),
                         [](const auto& test) { return test.param; });

// Every frame costs 2 nats, and the log ratio of its z is 1 in every other draw, else -1.
class Constant final : public SequenceModel {
 public:
  std::vector<Module*> layers() override { return {}; }
  Terms terms(Graph& graph, const Batch& batch) override {
    Tensor nll({batch.rows()}), ratio({batch.rows()});
    nll.fill(2);
    ratio.fill(draw_++ % 2 == 0 ? 1.0f : -1.0f);
    return {graph.input(nll), graph.input(ratio), graph.input(ratio)};
  }
  Tensor generate(Graph&, const Shape& shape, std::mt19937&) override { return Tensor(shape); }

 private:
  int draw_ = 0;
};

// Pieces of 3 and 5 frames with weights exp(-3 f) and exp(-f) in turn: -log of their mean.
TEST(SequenceModels, ImportanceBoundIsTheLogarithmOfTheMeanWeight) {
  Constant model;
  const auto of_piece = [](double frames) { return -std::log((std::exp(-3 * frames) + std::exp(-frames)) / 2); };
  EXPECT_NEAR(measure_importance_bound(model, make_batches(uneven(), 2), 2), (of_piece(3) + of_piece(5)) / 8, 1e-6);
  Constant one;
  EXPECT_NEAR(measure_bound(one, make_batches(uneven(), 2)).nll, 2, 1e-6);
}

// Oracle: counted by hand: key 39 (C4) sounds in frames 0 and 1, then again in frame 3: two bars.
TEST(PianoRolls, KeysThatGoOnSoundingAreOneBar) {
  const TemporaryFolder folder;
  Tensor frames({4, 1, kKeys});
  frames[39] = frames[kKeys + 39] = frames[3 * kKeys + 39] = 1;
  Picture picture(PianoRoll::kWidth, PianoRoll::kHeight);
  PianoRoll(picture, 0, "#123456").draw("A title", frames, 0);
  picture.save(folder / "roll.svg");
  const std::string svg = read_file(folder / "roll.svg");
  std::size_t bars = 0;
  for (std::size_t at = svg.find("#123456"); at != std::string::npos; at = svg.find("#123456", at + 1)) ++bars;
  EXPECT_EQ(bars, 2u);
  EXPECT_NE(svg.find("A title"), std::string::npos);
}

}  // namespace
}  // namespace carousel
