#include <algorithm>

#include "base/fail.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "option_arguments.h"
#include "output_file.h"
#include "picture_files.h"
#include "progress.h"
#include "report.h"
#include "tasks/data_files.h"
#include "tasks/task.h"
#include "tasks/training_run.h"

namespace carousel::cli {
namespace {

std::vector<Bound> bounds(const CommandLine& line, const std::string& flag) {
  std::vector<Bound> list;
  for (const std::string& text : line.texts(flag)) list.push_back(parse_bound(flag, text));
  return list;
}

// Throws Error{kUsage} if evaluation does this for other tasks only.
void require_task(std::string_view flag, std::string_view what, const std::vector<std::string_view>& tasks,
                  std::string_view task) {
  if (std::find(tasks.begin(), tasks.end(), task) != tasks.end()) return;
  fail(Code::kUsage, "{}: evaluate {} for {}, this model is for '{}'; leave it out", flag, what, fmt::join(tasks, ", "),
       task);
}

int run_evaluate(const CommandLine& line, Console& console) {
  const std::vector<Bound> minima = bounds(line, "--min"), maxima = bounds(line, "--max");
  const Config config = config_of(line);
  require_data(config.options.data, "the files to score on");
  const Model model = Model::load(line.text("MODEL"));
  const Task& task = find_task(model.task());
  check_options_fit_task(config.options, model.task());
  const OutputOptions& output = config.options.output;
  if (!output.report.empty()) {
    require_task("--report", "writes a page", {"classify", "forecast", "impute", "regress", "tag", "lm"}, task.name());
    check_output_file("--report", output.report, output.force);
  }
  if (!output.plots.empty()) {
    require_task("--plots", "draws pictures", {"classify", "forecast", "impute", "regress"}, task.name());
    check_plots_folder(output.plots, output.force);
  }
  set_inference_dtype(model.network(), config.options.model.dtype);
  set_threads(static_cast<int>(config.options.train.threads));

  if (config.options.train.strict_kernels) require_fast_plan(plan_inference(model, config.options));

  Progress progress(terminal_settings(console.quiet(), console.verbose()));
  const EvaluateResult result = task.evaluate(model, config.options, progress);
  if (console.json()) {
    console.out_json(to_json(result));
  } else {
    console.out(surprise_text(result.tokens, console) + result_text(result, console));
  }
  if (!output.plots.empty()) console.note(pictures_text(output.plots));
  console.flush();
  check_bounds(result.metrics, minima, maxima);
  return 0;
}

std::vector<Argument> evaluate_arguments() {
  std::vector<Argument> all = {{.name = "MODEL", .help = "model file that train wrote", .required = true}};
  for (Argument& argument : option_arguments(kEvaluate)) all.push_back(std::move(argument));
  all.push_back({.name = "--min",
                 .value = "METRIC=X",
                 .help = "exit with status 6 if the metric is lower, as in accuracy=0.9",
                 .group = "Bounds",
                 .repeat = true});
  all.push_back({.name = "--max",
                 .value = "METRIC=X",
                 .help = "exit with status 6 if the metric is higher, as in mae=5",
                 .group = "Bounds",
                 .repeat = true});
  return all;
}

}  // namespace

const Verb kEvaluateVerb{
    .name = "evaluate",
    .purpose = "Train and use models",
    .usage = "MODEL --data FILE [options]",
    .summary = "scores a model on labelled data, beside the baselines of its task",
    .examples = {"evaluate reviews.safetensors --data test.tsv --min accuracy=0.9",
                 "evaluate weather.safetensors --data weather.csv --part test --backtest --stride 24",
                 "evaluate m4.safetensors --data train.csv --test test.csv --layout rows --json"},
    .arguments = evaluate_arguments,
    .run = run_evaluate};

}  // namespace carousel::cli
