#include "progress.h"

#include <gtest/gtest.h>

namespace carousel::cli {
namespace {

// A clock set by hand and a recorded standard error.
struct Recorder {
  double now = 100;
  bool stop = false;
  std::vector<std::string> written;

  ProgressSettings settings(bool terminal, bool quiet = false) {
    ProgressSettings settings;
    settings.quiet = quiet;
    settings.terminal = terminal;
    settings.columns = 60;
    settings.seconds = [this] { return now; };
    settings.write = [this](const std::string& text) { written.push_back(text); };
    settings.stop_requested = [this] { return stop; };
    return settings;
  }
};

// 1,000 steps of 10 ms: 2 epochs of 500.
void train(Progress& progress, Recorder& recorder) {
  for (int k = 0; k < 1000; ++k) {
    recorder.now += 0.01;
    progress.step({.epoch = k / 500 + 1, .epochs = 2, .step = k % 500 + 1, .steps_in_epoch = 500, .loss = 0.5});
    if (k % 500 == 499) {
      progress.epoch(
          {.epoch = k / 500 + 1, .epochs = 2, .step = k + 1, .metric = "mae", .metric_value = 2.5, .best = k < 500});
    }
  }
  progress.finish();
}

// Oracle: 10 s at no more than 10 drawings a second; the width of the terminal; the last drawing is wiped out.
TEST(Progress, DrawsOneLineAtMostTenTimesASecondAndClearsIt) {
  Recorder recorder;
  Progress progress(recorder.settings(true));
  train(progress, recorder);
  int drawings = 0;
  for (const std::string& text : recorder.written) {
    if (text.find("steps/s") == std::string::npos) continue;
    ++drawings;
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_LE(text.find("\x1b[K") - 1, 59U);
  }
  EXPECT_LE(drawings, 101);
  EXPECT_GE(drawings, 85);
  ASSERT_GE(recorder.written.size(), 2U);
  EXPECT_EQ(recorder.written.end()[-2], "\r\x1b[K");
  EXPECT_EQ(recorder.written.back(), "2 epochs, 1000 steps in 0:10; best: epoch 1, mae 2.5\n");
}

// Oracle: one line for each full 10 s, and the rate and time left by hand: 100 steps/s, 1,000 steps in all.
TEST(Progress, WritesPlainLinesWhereNothingCanBeRedrawn) {
  Recorder recorder;
  Progress progress(recorder.settings(false));
  for (int k = 1; k <= 2500; ++k) {
    recorder.now += 0.01;
    progress.step({.epoch = 1, .epochs = 1, .step = k, .steps_in_epoch = 3000, .loss = 0.25});
  }
  progress.finish();
  ASSERT_EQ(recorder.written.size(), 3U);
  EXPECT_EQ(recorder.written[0].substr(0, 47), "epoch 1/1 step 1000/3000 100.0 steps/s left 0:2");
  EXPECT_NE(recorder.written[0].find(" loss 0.25\n"), std::string::npos);
  for (const std::string& text : recorder.written) EXPECT_EQ(text.find_first_of("\r\x1b"), std::string::npos);
}

// Oracle: the rule of --quiet.
TEST(Progress, QuietWritesNothingButWarnings) {
  Recorder recorder;
  Progress progress(recorder.settings(true, true));
  progress.note("picked");
  train(progress, recorder);
  EXPECT_TRUE(recorder.written.empty());
  progress.warning("disk\nfull");
  EXPECT_EQ(recorder.written, std::vector<std::string>{"warning: disk full\n"});
}

// Oracle: by hand. What a process before this one did is no work of this one.
TEST(Progress, SummaryOfAResumedTrainingCountsWhatWasDoneSince) {
  Recorder recorder;
  Progress progress(recorder.settings(false));
  progress.epoch({.epoch = 1, .epochs = 3, .metric = "mae", .metric_value = 3, .best = true});
  progress.step({.epoch = 2, .epochs = 3, .step = 9, .steps_in_epoch = 9});
  progress.epoch({.epoch = 2, .epochs = 3, .metric = "mae", .metric_value = 4});
  recorder.now += 7;
  progress.finish();
  EXPECT_EQ(recorder.written, std::vector<std::string>{"1 epoch, 1 step in 0:07; best: epoch 1, mae 3\n"});
}

// Oracle: a note must not land behind a drawn line, and may not carry control characters.
TEST(Progress, NotesGetALineOfTheirOwn) {
  Recorder recorder;
  Progress progress(recorder.settings(true));
  progress.step({.epoch = 1, .epochs = 1, .step = 1, .steps_in_epoch = 9});
  progress.note("a\x1b[2Jb");
  ASSERT_EQ(recorder.written.size(), 3U);
  EXPECT_EQ(recorder.written[1], "\r\x1b[K");
  EXPECT_EQ(recorder.written[2], "a\\x1B[2Jb\n");
  recorder.now += 1;
  progress.step({.epoch = 1, .epochs = 1, .step = 2, .steps_in_epoch = 9});
  progress.warning("late");
  ASSERT_EQ(recorder.written.size(), 6U);
  EXPECT_EQ(recorder.written[4], "\r\x1b[K");
  EXPECT_EQ(recorder.written[5], "warning: late\n");
}

// Oracle: the request of the signal, said once.
TEST(Progress, AnnouncesARequestToStopOnce) {
  Recorder recorder;
  Progress progress(recorder.settings(false));
  EXPECT_FALSE(progress.stop_requested());
  recorder.stop = true;
  EXPECT_TRUE(progress.stop_requested());
  EXPECT_TRUE(progress.stop_requested());
  EXPECT_EQ(recorder.written.size(), 1U);
}

// Oracle: by hand.
TEST(ClockText, RoundsToWholeSeconds) {
  EXPECT_EQ(clock_text(0), "0:00");
  EXPECT_EQ(clock_text(59.6), "1:00");
  EXPECT_EQ(clock_text(7384.2), "2:03:04");
}

}  // namespace
}  // namespace carousel::cli
