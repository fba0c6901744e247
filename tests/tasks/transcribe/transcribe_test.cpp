// The transcribe task: from recordings or features to texts.
#include "tasks/transcribe/transcribe.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "base/random.h"
#include "carousel/model.h"
#include "carousel/stream.h"
#include "formats/npy.h"
#include "tasks/edit_distance.h"
#include "tasks/transcribe/transcribe_model.h"
#include "tasks/transcribe/transcribe_score.h"
#include "tasks/transcribe/transcribe_training.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

constexpr std::int64_t kFeatures = 4, kLetters = 3;

// Sequences of letters a, b, c, each heard as two to five frames in which one feature is high, between frames of noise.
struct Spelling {
  explicit Spelling(std::int64_t count = 120) {
    std::string table = "audio\ttext\n";
    for (std::int64_t n = 0; n < count; ++n) {
      const RandomKey key{5, Purpose::kTest, static_cast<std::uint64_t>(n)};
      std::vector<float> values;
      std::string text;
      std::uint64_t drawn = 0;
      const auto letters = static_cast<std::int64_t>(uniform_below(key, drawn++, 4)) + 1;
      for (std::int64_t i = 0; i < letters; ++i) {
        const std::uint64_t letter = uniform_below(key, drawn++, kLetters);
        text += static_cast<char>('a' + letter);
        const std::uint64_t heard = 2 + uniform_below(key, drawn++, 4);
        for (std::uint64_t t = 0; t < heard + 2; ++t) {
          for (std::uint64_t c = 0; c < kFeatures; ++c) {
            values.push_back(0.3F * uniform(key, drawn++) + (c == letter && t < heard ? 1.0F : 0.0F));
          }
        }
      }
      const std::string name = std::to_string(n) + ".npy";
      const std::int64_t T = std::ssize(values) / kFeatures;
      write_npy<float>(folder / name, Tensor({T, kFeatures}, values).view());
      table += name + "\t" + text + "\n";
    }
    put_file(folder / "all.tsv", table);
  }
  Options options() const {
    Options options;
    options.data.data = {folder / "all.tsv"};
    options.data.split = "90,15,15";
    options.data.level = "char";
    options.data.stack = 1;
    options.model.cell = "gru";
    options.model.hidden_size = 12;
    options.model.layers = 1;
    options.train.epochs = 25;
    options.train.lr = 0.02;
    options.output.out = folder / "model.safetensors";
    return options;
  }
  TemporaryFolder folder;
};

struct TranscriptRows final : RowSink {
  void header(const std::vector<std::string>& names) override { columns = names; }
  void note(const std::string& message) override { notes += message + "\n"; }
  void row(const std::vector<std::string>& cells) override { rows.push_back(cells); }
  void row(const std::vector<std::string>& cells, const std::vector<std::string>& values) override {
    rows.push_back(cells);
    json.push_back(values);
  }
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows, json;
  std::string notes;
};

double value_of(const Metrics& metrics, std::string_view name) {
  const double* value = find_metric(metrics, name);
  return value == nullptr ? NAN : *value;
}

// Oracle: distances worked by hand, and symmetry.
TEST(Transcribe, EditDistanceCountsInsertedLeftOutAndReplacedLabels) {
  const std::vector<std::int32_t> kitten{1, 2, 3, 3, 4, 5}, sitting{6, 2, 3, 3, 2, 5, 7}, none;
  EXPECT_EQ(edit_distance(kitten, sitting), 3);
  EXPECT_EQ(edit_distance(sitting, kitten), 3);
  EXPECT_EQ(edit_distance(kitten, kitten), 0);
  EXPECT_EQ(edit_distance(kitten, none), 6);
  EXPECT_EQ(edit_distance(none, kitten), 6);
  EXPECT_EQ(edit_distance(std::vector<std::int32_t>{1, 2}, std::vector<std::int32_t>{2, 1}), 2);
}

// Oracle: counted by hand, over all samples together.
TEST(Transcribe, RatesAreErrorsInPercentOfTheLabelsOfTheReferences) {
  TextSettings settings;
  settings.level = TextLevel::kCharacter;
  const std::vector<std::int64_t> rows{0, 1};
  const std::vector<std::string> texts{"ab cd", "a"};
  const FittedText fitted = fit_text(texts, rows, settings, {});
  TranscriptLabels labels(fitted.pipeline.settings(), fitted.pipeline.vocabulary().tokens());
  EXPECT_EQ(labels.classes(), 6);  // a, b, c, d, the blank between words, and the blank of CTC
  const std::vector<Labelling> references{labels.encode("ab cd"), labels.encode("A"), labels.encode("ax")};
  EXPECT_EQ(labels.text(references[0]), "ab cd");
  EXPECT_EQ(references[2][1], kUnknownLabel);
  const std::vector<Labelling> predicted{labels.encode("ab c d"), labels.encode("a"), labels.encode("a")};
  const Metrics metrics = score_transcripts(labels, predicted, references);
  EXPECT_EQ(metrics.front().first, "cer");
  EXPECT_DOUBLE_EQ(value_of(metrics, "cer"), 100 * 2 / 8.0);
  EXPECT_DOUBLE_EQ(value_of(metrics, "wer"), 100 * 3 / 4.0);
  EXPECT_DOUBLE_EQ(value_of(metrics, "accuracy"), 1 / 3.0);

  settings.level = TextLevel::kWhitespace;
  const FittedText by_word = fit_text(texts, rows, settings, {});
  TranscriptLabels words(by_word.pipeline.settings(), by_word.pipeline.vocabulary().tokens());
  const std::vector<Labelling> word_references{words.encode("ab cd"), words.encode("a a")};
  EXPECT_EQ(words.text(word_references[0]), "ab cd");
  const Metrics word_metrics =
      score_transcripts(words, std::vector<Labelling>{words.encode("cd"), words.encode("a a")}, word_references);
  ASSERT_EQ(word_metrics.size(), 2);
  EXPECT_DOUBLE_EQ(value_of(word_metrics, "wer"), 25);
  EXPECT_DOUBLE_EQ(value_of(word_metrics, "accuracy"), 0.5);
}

// Oracle: the frames by hand; the last one fills up the last step.
TEST(Transcribe, StackedFramesStandSideBySide) {
  Utterances data;
  data.frames.features = 2;
  data.samples.features = 2;
  data.samples.sequences.push_back({Tensor({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}), "", 0});
  stack_frames(data, 2);
  EXPECT_EQ(data.samples.features, 4);
  const Tensor& values = data.samples.sequences[0].values;
  ASSERT_EQ(values.shape(), (Shape{2, 4}));
  const float expected[] = {1, 2, 3, 4, 5, 6, 5, 6};
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_EQ(values[i], expected[i]) << i;
  data.frames.log_mel.sample_rate = 8000;
  EXPECT_DOUBLE_EQ(data.frames.begin(3), 0.06);
  // 10 ms are 110.25 samples: LogMel takes 110 of them, and an hour would end 8 seconds late.
  data.frames.log_mel.sample_rate = 11025;
  const LogMel log_mel(data.frames.log_mel);
  const std::int64_t window = 276, frames = log_mel.frames(11025 * 3600);
  EXPECT_EQ(frames, 1 + (11025 * 3600 - window) / 110);
  EXPECT_NEAR(data.frames.begin(frames / 2), 3600, 0.03);
}

struct TranscribeNotes final : Observer {
  void note(const std::string& line) override { all += line + "\n"; }
  std::string all;
};

// Oracle: it learns what decides, far better than the most frequent text; evaluate repeats what train said of the same
// part, the rows of predict hold the same texts, and their first n-best entry is the text itself.
TEST(Transcribe, LearnsToSpell) {
  const Spelling spelling;
  Observer quiet;
  const TrainResult result = transcribe_task().train(spelling.options(), quiet);
  EXPECT_EQ(result.samples, 15);
  EXPECT_LT(value_of(result.metrics, "cer"), 5);
  ASSERT_EQ(result.baselines.size(), 1);
  EXPECT_GT(value_of(result.baselines[0].metrics, "cer"), 50);

  const Model model = Model::load(spelling.options().output.out);
  Options options = spelling.options();
  options.data.part = "valid";
  EXPECT_EQ(transcribe_task().evaluate(model, options, quiet).metrics, result.metrics);
  options.data.part = "test";
  options.model.beam = 20;
  options.model.n_best = 3;
  const EvaluateResult scores = transcribe_task().evaluate(model, options, quiet);
  TranscriptRows sink;
  transcribe_task().predict(model, options, sink);
  EXPECT_EQ(sink.columns, (std::vector<std::string>{"text", "log_probability", "times", "n_best"}));
  ASSERT_EQ(sink.rows.size(), 15);
  ASSERT_EQ(sink.json.size(), 15);
  const Utterances data = read_utterances(options.data.data, options.data, nullptr, true);
  std::int64_t right = 0;
  for (std::size_t n = 0; n < 15; ++n) {
    right += sink.rows[n][0] == data.texts[105 + n];
    EXPECT_LT(std::stod(sink.rows[n][1]), 0);
    EXPECT_EQ(std::count(sink.rows[n][2].begin(), sink.rows[n][2].end(), ' ') + 1, std::ssize(sink.rows[n][0]));
    EXPECT_NE(sink.rows[n][3].find("{\"text\":\"" + sink.rows[n][0] + "\""), std::string::npos);
    const nlohmann::json times = nlohmann::json::parse(sink.json[n][2]), best = nlohmann::json::parse(sink.json[n][3]);
    EXPECT_EQ(times.size(), sink.rows[n][0].size());
    for (const nlohmann::json& time : times) EXPECT_TRUE(time.is_number_integer()) << time;  // a frame of a .npy
    ASSERT_LE(best.size(), 3U);
    EXPECT_EQ(best[0]["text"], sink.rows[n][0]);
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(right) / 15, value_of(scores.metrics, "accuracy"));
}

// Oracle: the same model and recordings; with so few epochs the best path and the beam disagree.
TEST(Transcribe, TrainDecodesAsEvaluateDoes) {
  const Spelling spelling;
  Options options = spelling.options();
  options.train.epochs = 1;
  options.train.lr = 0.01;
  options.data.part = "valid";
  Observer quiet;
  const TrainResult result = transcribe_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  EXPECT_EQ(transcribe_task().evaluate(model, options, quiet).metrics, result.metrics);
  options.model.beam = 1;
  EXPECT_NE(transcribe_task().evaluate(model, options, quiet).metrics, result.metrics);
}

// Oracle: the whole sequence at once. A network of one direction, saved and loaded, gives its outputs step by step, and
// the labels that it says so far are those of the best path.
TEST(Transcribe, StreamingOneDirectionEqualsTheWhole) {
  const Spelling spelling;
  Options options = spelling.options();
  options.model.bidirectional = "false";
  options.train.epochs = 12;
  Observer quiet;
  transcribe_task().train(options, quiet);
  const Model model = Model::load(options.output.out);
  Utterances data = read_utterances(options.data.data, options.data, nullptr, true);
  const std::vector<std::int64_t> chosen{0, 7};
  const StepLogits whole(model.network(), data.samples, chosen);
  for (std::size_t n = 0; n < chosen.size(); ++n) {
    const Tensor& values = data.samples.sequences[static_cast<std::size_t>(chosen[n])].values;
    const View<const float> expected = whole.of(static_cast<std::int64_t>(n));
    Stream stream(model);
    Labelling said;
    std::int64_t before = 0;
    for (std::int64_t t = 0; t < values.shape()[0]; ++t) {
      const auto logits = stream.step({values.data() + t * kFeatures, kFeatures});
      ASSERT_EQ(std::ssize(logits), kLetters + 1);
      for (std::int64_t k = 0; k <= kLetters; ++k) {
        ASSERT_NEAR(logits[static_cast<std::size_t>(k)], expected.data[t * (kLetters + 1) + k], 2e-5) << t;
      }
      const std::int64_t best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      if (best != 0 && best != before) said.push_back(static_cast<std::int32_t>(best));
      before = best;
    }
    EXPECT_EQ(said, ctc_greedy(ctc_log_probabilities(expected)));
  }
}

// Oracle: -log p of each labelling by itself, added up and divided by the number of labels.
TEST(Transcribe, TheLossIsThatOfALabel) {
  Samples samples;
  samples.features = 2;
  const std::vector<Labelling> labels{{1, 2}, {2}, {1, 1, 2}};
  for (std::uint64_t n = 0; n < 3; ++n) {
    Tensor values({static_cast<std::int64_t>(6 + n), 2});
    fill_normal({4, Purpose::kTest, n}, 0.0F, 1.0F, values.span());
    samples.sequences.push_back({std::move(values), "", 0});
  }
  Sequential network{Recurrent{{.cell = "gru", .input_size = 2, .hidden_size = 4}}, Linear{4, 3}};
  TextSettings settings;
  settings.level = TextLevel::kCharacter;
  const TranscriptLabels names(settings, {"<pad>", "<unk>", "<bos>", "<eos>", "a", "b"});
  TrainOptions options;
  options.batch_size = 3;
  TranscribeProblem problem(network, samples, labels, names, {.train = {0, 1, 2}, .valid = {0, 2}}, options);
  const StepLogits logits(network, samples, std::vector<std::int64_t>{0, 1, 2});
  double of[3];
  for (std::size_t n = 0; n < 3; ++n) of[n] = labelling_loss(logits.of(static_cast<std::int64_t>(n)), labels[n]);
  problem.batches_in_epoch(0);
  problem.prepare(0, 0);
  Tape<float> tape;
  EXPECT_NEAR(problem.loss(tape, 0, 0).item(), (of[0] + of[1] + of[2]) / 6, 1e-5);
  EXPECT_NEAR(problem.validate()->loss, (of[0] + of[2]) / 5, 1e-5);
  // By hand: 6 + 7 + 8 steps of two features, and 3 logits for each of 6 + 8 steps.
  EXPECT_EQ(problem.memory_needs().data_bytes, 4 * (21 * 2 + 14 * 3));
}

// Oracle: the same with a step that keeps all of its states.
TEST(Transcribe, TrainsWithinACapOfMemoryToTheSameWeights) {
  const Spelling spelling(40);
  Options options = spelling.options();
  options.data.split = "30,5,5";
  options.model.hidden_size = 64;
  options.model.layers = 2;
  options.train.batch_size = 30;
  options.train.epochs = 2;
  Observer quiet;
  const TrainResult whole = transcribe_task().train(options, quiet);
  options.train.max_memory = "37.5MB";
  TranscribeNotes notes;
  EXPECT_EQ(transcribe_task().train(options, notes).metrics, whole.metrics);
  EXPECT_NE(notes.all.find("states are kept every"), std::string::npos) << notes.all;
  options.train.max_memory = "1MB";
  expect_error(Code::kUsage, {"--max-memory 1MB", "at least"}, [&] { transcribe_task().train(options, quiet); });
}

// Oracle: the rule in the header of choose_transcript_level.
TEST(Transcribe, ChoosesWordsWhereTheyComeBack) {
  const std::vector<std::string> digits(20, "one two one"), prose{"it was the best of times", "it was the worst"};
  const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, two{0, 1};
  EXPECT_EQ(choose_transcript_level(digits, all), TextLevel::kWhitespace);
  EXPECT_EQ(choose_transcript_level(prose, two), TextLevel::kCharacter);
}

// Oracle: the contract. Each message names the line of the table and what to do.
TEST(Transcribe, NamesWhatIsWrongWithTheData) {
  const Spelling spelling(4);
  const TemporaryFolder& folder = spelling.folder;
  Observer quiet;
  const auto train_on = [&](const std::string& rows, std::int64_t stack = 1) {
    put_file(folder / "bad.tsv", "audio\ttext\n0.npy\tab\n1.npy\tb\n2.npy\tc\n" + rows);
    Options options = spelling.options();
    options.data.data = {folder / "bad.tsv"};
    options.data.split = "3,1,0";
    options.data.stack = stack;
    return [options, &quiet] { transcribe_task().train(options, quiet); };
  };
  write_npy<float>(folder / "wide.npy", Tensor({6, kFeatures + 1}).view());
  write_npy<float>(folder / "flat.npy", Tensor({6}).view());
  Tensor hole({6, kFeatures});
  hole[5] = std::nanf("");
  write_npy<float>(folder / "hole.npy", hole.view());
  write_npy<float>(folder / "short.npy", Tensor({3, kFeatures}).view());
  expect_error(Code::kIo, {"bad.tsv:5", "nothing.npy"}, train_on("nothing.npy\ta\n"));
  expect_error(Code::kData, {"bad.tsv:5", "wide.npy", "5 features, expected 4"}, train_on("wide.npy\ta\n"));
  expect_error(Code::kData, {"bad.tsv:5", "flat.npy", "[6]", "[T, C]"}, train_on("flat.npy\ta\n"));
  expect_error(Code::kData, {"bad.tsv:5", "hole.npy", "feature 1 of frame 1"}, train_on("hole.npy\ta\n"));
  expect_error(Code::kData, {"bad.tsv:5", "voice.wav", "expected features (.npy)"}, train_on("voice.wav\ta\n"));
  expect_error(Code::kData, {"bad.tsv:5", "3 labels", "at least 5 steps", "there are 3"}, train_on("short.npy\tbbb\n"));
  expect_error(Code::kData, {"bad.tsv:5", "2 labels", "there are 1", "smaller --stack"},
               train_on("short.npy\tab\n", 3));
  Options options = spelling.options();
  put_file(folder / "silent.tsv", "audio\ttext\n0.npy\t\n1.npy\t\n");
  options.data.data = {folder / "silent.tsv"};
  options.data.split = "1,1,0";
  expect_error(Code::kData, {"silent.tsv", "all texts are empty"}, [&] { transcribe_task().train(options, quiet); });
  put_file(folder / "marks.tsv", "audio\ttext\n0.npy\ta\n1.npy\ta <unk>\n2.npy\ta\n");
  options.data.data = {folder / "marks.tsv"};
  options.data.split = "2,1,0";
  options.data.level = "whitespace";
  expect_error(Code::kData, {"marks.tsv:3", "'<unk>'"}, [&] { transcribe_task().train(options, quiet); });
  expect_error(Code::kData, {"marks.tsv:3", "'<unk>'"}, [&] { transcribe_task().check(options); });
  options.data.level = "char";
  options.model.cell = "none";
  options.data.data = {folder / "all.tsv"};
  options.data.split = "3,1,0";
  expect_error(Code::kUsage, {"--cell none"}, [&] { transcribe_task().train(options, quiet); });
}

// Oracle: the contract. A label that only the validation part has is told, counts as an error and leaves no loss.
TEST(Transcribe, LabelsUnseenInTrainingCountAsErrors) {
  const Spelling spelling(6);
  put_file(spelling.folder / "train.tsv", "audio\ttext\n0.npy\ta\n1.npy\ta\n2.npy\ta\n");
  put_file(spelling.folder / "valid.tsv", "audio\ttext\n3.npy\tz\n4.npy\tz\n5.npy\ta\n");
  Options options = spelling.options();
  options.data.data = {spelling.folder / "train.tsv"};
  options.data.valid = {spelling.folder / "valid.tsv"};
  options.data.split.clear();
  options.train.epochs = 1;
  TranscribeNotes notes;
  const TrainResult result = transcribe_task().train(options, notes);
  EXPECT_GE(value_of(result.metrics, "cer"), 100 * 2 / 3.0);
  EXPECT_NE(notes.all.find("2 labels of the validation part are not in the training part"), std::string::npos);
  put_file(spelling.folder / "valid.tsv", "audio\ttext\n3.npy\tza\n4.npy\taz\n");
  expect_error(Code::kData, {"valid.tsv:2", "all 2 recordings of the validation part"},
               [&] { transcribe_task().train(options, notes); });
}

// Oracle: the contract. A description that does not fit is refused as one of a damaged file.
TEST(Transcribe, RefusesDescriptionsThatContradictThemselves) {
  const Spelling spelling(12);
  Options options = spelling.options();
  options.data.split = "8,2,2";
  options.train.epochs = 1;
  Observer quiet;
  transcribe_task().train(options, quiet);
  Model model = Model::load(options.output.out);
  const std::string good = model.task_data();
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string bad = good;
    const std::size_t at = bad.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    model.set_task_data(bad.replace(at, from.size(), to));
    return [&] { TranscribeInfo::from_model(model); };
  };
  expect_error(Code::kModel, {"contradicts"}, with("\"stack\":1", "\"stack\":0"));
  expect_error(Code::kModel, {"contradicts"}, with("\"features\":4", "\"features\":-4"));
  expect_error(Code::kModel, {"contradicts"}, with("\"stack\":1", "\"stack\":2"));
  expect_error(Code::kModel, {"contradicts"}, with("\"a\"", "\"a\",\"extra\""));
  expect_error(Code::kModel, {"not usable"}, with("\"frames\"", "\"frame\""));
}

}  // namespace
}  // namespace carousel
