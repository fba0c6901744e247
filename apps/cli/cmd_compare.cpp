#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "command_line.h"
#include "commands.h"
#include "comparison_output.h"
#include "console.h"
#include "data/number.h"
#include "option_arguments.h"
#include "progress.h"
#include "signals.h"
#include "tasks/compare/cell_search.h"
#include "tasks/compare/comparison_run.h"
#include "tasks/data_files.h"

namespace carousel::cli {
namespace {

// Options of `train` that a comparison sets itself, and what to write instead.
constexpr std::pair<std::string_view, std::string_view> kOwnOptions[] = {
    {"model.model", "--cells A,cnn,tfidf says which models are compared"},
    {"model.cell", "--cells A,B says which cells are compared"},
    {"data.folds", "give --split or --valid-fraction"},
    {"train.checkpoint_every", "a comparison that was stopped goes on from the trainings that were finished"},
    {"output.out", "the best model of each cell is in the folder of the comparison"},
    {"output.report", "report.html is in the folder of the comparison"},
    {"output.plots", "report.html is in the folder of the comparison"},
    {"output.force", "a comparison goes on where it stopped; choose another --run-dir for a new one"}};

std::vector<std::string> parse_cells(const std::string& text) {
  std::vector<std::string> cells;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    cells.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return cells;
}

// "LOW,HIGH", or the range as it is if the flag was not given. A range that is drawn from by its logarithm has no 0.
SearchRange parse_range(const CommandLine& line, const std::string& flag, const SearchRange& usual, double most) {
  if (!line.has(flag)) return usual;
  const std::string text = line.text(flag);
  const std::size_t comma = text.find(',');
  const auto low = to_number(text.substr(0, comma));
  const auto high = comma == std::string::npos ? low : to_number(text.substr(comma + 1));
  const bool zero = usual.low == 0;
  if (!low || !high || !((zero ? *low >= 0 : *low > 0) && *low <= *high && *high <= most)) {
    fail(Code::kUsage, "{} is '{}', expected LOW,HIGH with 0 {} LOW <= HIGH <= {}", flag, text, zero ? "<=" : "<",
         most);
  }
  return {*low, *high};
}

double parse_seconds(const CommandLine& line) {
  if (!line.has("--seconds")) return 0;
  const auto seconds = to_number(line.text("--seconds"));
  if (!seconds || !(*seconds > 0)) {
    fail(Code::kUsage, "--seconds is '{}', expected a number above 0", line.text("--seconds"));
  }
  return *seconds;
}

void check_searched(const CommandLine& line, const Options& options, std::string_view key, std::string_view flag) {
  const auto given = options.given.find(key);
  if (given == options.given.end() || !line.has(flag)) return;
  fail(Code::kUsage, "{} and {} are both given; the first fixes what the second would draw", given->second, flag);
}

// Noise on the inputs: fixed by --input-noise, none for texts.
SearchRange noise_range(const CommandLine& line, const ComparisonPlan& plan) {
  constexpr double kMostNoise = 100;
  const double fixed = plan.options.train.input_noise;
  check_searched(line, plan.options, "train.input_noise", "--input-noise-range");
  if (plan.options.is_given("train.input_noise")) return {fixed, fixed};
  const SearchRange range = parse_range(line, "--input-noise-range", plan.input_noise, kMostNoise);
  if (takes_input_noise(plan.task, plan.options.data)) return range;
  if (line.has("--input-noise-range")) fail(Code::kUsage, "--input-noise-range: for numbers, these data are texts");
  return {0, 0};
}

// The cells of --cells, then those that --search draws.
void choose_cells(const CommandLine& line, ComparisonPlan& plan) {
  if (line.has("--cells")) plan.cells = parse_cells(line.text("--cells"));
  plan.drawn = line.integer("--search", 1, kMostDrawnCells, 0);
  if (plan.cells.empty() && plan.drawn == 0)
    fail(Code::kUsage, "--cells is missing: the cells to compare; or --search N");
  for (std::string& cell : draw_cells(static_cast<std::uint64_t>(plan.options.train.seed), plan.drawn)) {
    plan.cells.push_back(std::move(cell));
  }
}

ComparisonPlan plan_of(const CommandLine& line) {
  Config config = config_of(line);
  ComparisonPlan plan;
  plan.task = line.text("TASK");
  if (!config.task.empty() && config.task != plan.task) {
    fail(Code::kUsage, "TASK is {}, but {} is written for {}", plan.task, line.text("--config"), config.task);
  }
  plan.options = std::move(config.options);
  plan.test = std::exchange(plan.options.data.test, {});  // of evaluate; for every task here, for forecasts alone there
  plan.options.given.erase("data.test");
  check_options_fit_task(plan.options, plan.task);
  for (const auto& [key, instead] : kOwnOptions) {
    const auto given = plan.options.given.find(key);
    if (given != plan.options.given.end()) fail(Code::kUsage, "{}: not for compare, {}", given->second, instead);
  }
  require_data(plan.options.data, "the files to learn from");
  constexpr double kMostUnits = 65536;
  constexpr std::int64_t kMostTrials = 100000;
  choose_cells(line, plan);
  plan.trials = line.integer("--trials", 1, kMostTrials, plan.trials);
  plan.seconds = parse_seconds(line);
  plan.lr = parse_range(line, "--lr-range", plan.lr, 100);
  plan.hidden_size = parse_range(line, "--hidden-size-range", plan.hidden_size, kMostUnits);
  for (const double size : {plan.hidden_size.low, plan.hidden_size.high}) {
    if (size != std::floor(size)) fail(Code::kUsage, "--hidden-size-range: {} is not a whole number", size);
  }
  check_searched(line, plan.options, "train.lr", "--lr-range");
  check_searched(line, plan.options, "model.hidden_size", "--hidden-size-range");
  plan.input_noise = noise_range(line, plan);
  plan.run_dir = plan.options.output.run_dir;
  if (plan.run_dir.empty()) {
    const auto now = fmt::localtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
    plan.run_dir = fmt::format("runs/compare-{}-{:%Y%m%d-%H%M%S}", plan.task, now);
  }
  return plan;
}

// One line on standard error for every training that has ended.
class TrialLines final : public ComparisonObserver {
 public:
  explicit TrialLines(const Console& console) : console_(console) {}
  void note(const std::string& line) override { console_.note(line); }
  void trial_ended(const Trial& trial, std::int64_t done, std::int64_t total) override {
    const std::string result = trial.failure.empty()
                                   ? fmt::format("{} {:.4g}", trial.metrics.front().first, trial.metrics.front().second)
                                   : "diverged";
    console_.note(fmt::format("{} of {}: {} {}: {} with lr {:.3g}, hidden_size {}, input_noise {:.2g}, {} epochs in {}",
                              done, total, trial.cell, trial.settings.trial, result, trial.settings.lr,
                              trial.settings.hidden_size, trial.settings.input_noise, trial.epochs,
                              clock_text(trial.seconds)));
  }
  bool stop_requested() override { return stop_signal() != 0; }

 private:
  const Console& console_;
};

void write_tables(const ComparisonPlan& plan, const Comparison& comparison) {
  write_file_atomically(plan.run_dir + "/cells.md", comparison_markdown(plan, comparison));
  write_file_atomically(plan.run_dir + "/cells.csv", csv_text(cell_number_rows(comparison)));
  write_file_atomically(plan.run_dir + "/trials.csv", csv_text(trial_rows(comparison)));
  write_file_atomically(plan.run_dir + "/report.html", comparison_page(plan, comparison));
}

int run_compare(const CommandLine& line, Console& console) {
  const ComparisonPlan plan = plan_of(line);
  set_threads(static_cast<int>(plan.options.train.threads));
  catch_stop_signals();
  TrialLines observer(console);
  std::vector<Trial> trials = run_comparison(plan, observer);
  if (trials.empty()) {
    console.warning(
        fmt::format("stopped; the trainings that had ended are kept in {}, and the same command with "
                    "--run-dir {} goes on from there",
                    plan.run_dir, plan.run_dir));
    return 128 + stop_signal();
  }
  const Comparison comparison = finish_comparison(plan, std::move(trials));
  write_tables(plan, comparison);
  if (console.json()) {
    console.out_json(comparison_json(plan, comparison));
  } else {
    console.out(comparison_text(comparison));
    console.out(fmt::format("Folder with report.html, cells.md, cells.csv, trials.csv and the best models: {}\n",
                            plan.run_dir));
  }
  return 0;
}

std::vector<Argument> compare_arguments() {
  constexpr auto kGroup = "Comparison";
  std::vector<Argument> all = {
      task_argument(true),
      {.name = "--cells",
       .value = "A,B",
       .help =
           "cells to compare (carousel cells lists them; none: feed-forward; expr: and equations); of classify also "
           "cnn and tfidf, see --model of train",
       .group = kGroup},
      {.name = "--search",
       .value = "N",
       .help = "draw N new cells from a grammar of gates and activations, too, by --seed",
       .group = kGroup},
      {.name = "--trials",
       .value = "N",
       .help = "trainings of each cell, each with settings of its own [default 10]",
       .group = kGroup},
      {.name = "--seconds",
       .value = "X",
       .help = "stop each training after this time, beside --epochs; its best epoch counts [default: no limit]",
       .group = kGroup},
      {.name = "--lr-range",
       .value = "LOW,HIGH",
       .help = "draw the learning rate log-uniformly from here, unless --lr fixes it [default 0.0001,0.03]",
       .group = kGroup},
      {.name = "--hidden-size-range",
       .value = "LOW,HIGH",
       .help = "the same for the hidden size, unless --hidden-size fixes it [default 16,128]",
       .group = kGroup},
      {.name = "--input-noise-range",
       .value = "LOW,HIGH",
       .help =
           "draw the deviation of noise on the inputs uniformly from here, unless --input-noise fixes it; texts have "
           "none [default 0,1]",
       .group = kGroup},
      {.name = "--test",
       .value = "FILE",
       .help = "score the best model of each cell once on this file; with --split on its third part",
       .group = kGroup,
       .many = true}};
  for (Argument& argument : option_arguments(kTrain)) {
    const auto is_own = [&](const auto& own) { return find_option(own.first)->flag() == argument.name; };
    if (std::none_of(std::begin(kOwnOptions), std::end(kOwnOptions), is_own)) all.push_back(std::move(argument));
  }
  return all;
}

}  // namespace

const Verb kCompareVerb{
    .name = "compare",
    .purpose = "Train and use models",
    .usage = "TASK --cells A,B [--search N] --data FILE [options]",
    .summary = "trains the same task with several cells and prints which is better, and how sure that is",
    .examples = {"compare forecast --cells lstm,gru,rnn --data sunspots.csv --horizon 12 --trials 10 --epochs 10",
                 "compare classify --cells lstm,gru --data reviews.tsv --split 0.7,0.1,0.2 --run-dir runs/reviews",
                 "compare classify --cells lstm --search 20 --data train.ts --trials 3 --run-dir runs/search",
                 "compare classify --cells lstm,gru --data train.ts --test test.ts --hidden-size 64 --seconds 60"},
    .arguments = compare_arguments,
    .run = run_compare};

}  // namespace carousel::cli
