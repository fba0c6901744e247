#include "base/fail.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "option_arguments.h"
#include "output_file.h"
#include "row_writer.h"
#include "tasks/data_files.h"
#include "tasks/task.h"
#include "tasks/training_run.h"

namespace carousel::cli {
namespace {

int run_predict(const CommandLine& line, Console& console) {
  const Config config = config_of(line);
  require_data(config.options.data, "the files to predict for");
  const std::string output = line.text("--output", "-");
  if (output != "-") check_output_file("--output", output, config.options.output.force);
  const std::string& alignments = config.options.output.alignments;
  if (!alignments.empty()) check_output_file("--alignments", alignments, config.options.output.force);
  const std::string& state = config.options.output.state;
  if (!state.empty() && !config.options.data.update) check_output_file("--state", state, config.options.output.force);
  const Model model = Model::load(line.text("MODEL"));
  set_inference_dtype(model.network(), config.options.model.dtype);
  const Task& task = find_task(model.task());
  check_options_fit_task(config.options, model.task());
  set_threads(static_cast<int>(config.options.train.threads));
  if (config.options.train.strict_kernels) require_fast_plan(plan_inference(model, config.options));

  std::string collected;
  const auto write = [&](std::string_view text) {
    if (output == "-") {
      console.out(text);
    } else {
      collected += text;
    }
  };
  RowWriter writer(console.json() ? RowFormat::kJsonLines : RowFormat::kCsv, write,
                   [&](std::string_view note) { console.note(note); });
  task.predict(model, config.options, writer);
  if (output != "-") write_file_atomically(output, collected);
  return 0;
}

std::vector<Argument> predict_arguments() {
  std::vector<Argument> all = {{.name = "MODEL", .help = "model file that train wrote", .required = true}};
  for (Argument& argument : option_arguments(kPredict)) all.push_back(std::move(argument));
  all.push_back({.name = "--output",
                 .value = "FILE",
                 .help = "file to write instead of standard output; - is standard output",
                 .group = "Output"});
  return all;
}

}  // namespace

const Verb kPredictVerb{.name = "predict",
                        .purpose = "Train and use models",
                        .usage = "MODEL --data FILE [options]",
                        .summary = "gives one result per input row, as CSV or JSON lines",
                        .examples = {"predict reviews.safetensors --data new.tsv",
                                     "predict weather.safetensors --data weather.csv --output forecast.csv",
                                     "predict reviews.safetensors --data - --format lines --json"},
                        .arguments = predict_arguments,
                        .run = run_predict};

}  // namespace carousel::cli
