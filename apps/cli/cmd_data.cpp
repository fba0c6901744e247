#include <fmt/format.h>

#include "base/fail.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "option_arguments.h"
#include "tasks/data_files.h"
#include "tasks/task.h"

namespace carousel::cli {
namespace {

void print_report(const DataReport& report, const std::string& task, Console& console) {
  if (console.json()) {
    auto facts = nlohmann::ordered_json::object();
    for (const auto& [name, value] : report.facts) facts[name] = value;
    console.out_json({{"schema", 1}, {"task", task}, {"facts", facts}, {"problems", report.problems}});
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : report.facts) rows.push_back({one_line(name), one_line(value)});
  console.out(text_table(rows, false));
  for (const std::string& problem : report.problems) {
    console.out(fmt::format("{} {}\n", console.paint(Style::kYellow, "problem:"), one_line(problem)));
  }
  if (report.problems.empty()) console.out("no problems found\n");
}

int run_data(const CommandLine& line, Console& console) {
  const std::string task = line.text("TASK");
  const Config config = config_of(line);
  check_options_fit_task(config.options, task);
  require_data(config.options.data, "the files to check");
  set_threads(static_cast<int>(config.options.train.threads));
  const DataReport report = find_task(task).check(config.options);
  print_report(report, task, console);
  return report.problems.empty() ? 0 : exit_status(Code::kData);
}

std::vector<Argument> data_arguments() {
  std::vector<Argument> all = {{.name = "ACTION", .help = "what to do", .allowed = {"check"}, .required = true},
                               task_argument(true)};
  for (Argument& argument : option_arguments(kCheck)) all.push_back(std::move(argument));
  return all;
}

}  // namespace

const Verb kDataVerb{
    .name = "data",
    .purpose = "Look inside",
    .usage = "check TASK --data FILE [options]",
    .summary = "shows what would be read: columns, types, lengths, balance, problems with line numbers",
    .examples = {"data check classify --data reviews.tsv --text-column review",
                 "data check forecast --data sunspots.csv", "data check regress --data house.csv --json"},
    .arguments = data_arguments,
    .run = run_data};

}  // namespace carousel::cli
