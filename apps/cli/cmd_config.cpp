#include <fmt/format.h>

#include "base/fail.h"
#include "base/json.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "option_arguments.h"
#include "options_page.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;

Json config_json(const Config& config) {
  Json object = {{"schema", 1}};
  if (!config.task.empty()) object["task"] = config.task;
  for (const Option& option : option_table()) {
    if (!config.task.empty() && !option.applies_to(config.task)) continue;
    const std::vector<std::string> values = option_values(config.options, option);
    const bool is_auto = option.automatic && values == std::vector<std::string>{"auto"};
    const std::string type = option.type();
    Json value = is_auto || type == "text" ? Json(values.at(0)) : Json(values);
    if (!is_auto && type != "text" && type != "list") value = Json::parse(values.at(0));  // a number, true or false
    const auto given = config.options.given.find(option.key);
    object["options"][std::string(option.key)] = {
        {"value", value}, {"from", given == config.options.given.end() ? "default" : given->second}};
  }
  return object;
}

int show(const CommandLine& line, Console& console) {
  Config config = config_of(line);
  if (!config.task.empty()) check_options_fit_task(config.options, config.task);
  if (console.json()) {
    console.out_json(config_json(config));
  } else {
    console.out(config_to_toml(config, {.origins = true}));
  }
  return 0;
}

int check(const std::string& file, Console& console) {
  const std::vector<std::string> problems = check_config_file(file);
  if (console.json()) {
    console.out_json({{"schema", 1}, {"file", file}, {"problems", problems}});
    return problems.empty() ? 0 : exit_status(Code::kUsage);
  }
  for (const std::string& problem : problems) console.out(one_line(problem) + "\n");
  console.flush();
  if (!problems.empty()) fail(Code::kUsage, "{}: {} problem(s) found", file, problems.size());
  console.out(fmt::format("{}: no problems found\n", file));
  return 0;
}

int run_config(const CommandLine& given, Console& console) {
  CommandLine line = given;
  const std::string action = line.text("ACTION");
  if (line.has("FILE") && line.has("--config")) fail(Code::kUsage, "FILE and --config are both given, expected one");
  if (line.has("FILE")) line.set("--config", {line.text("FILE")});
  if (action == "show") return show(line, console);
  if (action == "check") {
    if (!line.has("--config")) fail(Code::kUsage, "FILE is missing (usage: carousel config check FILE)");
    return check(line.text("--config"), console);
  }
  if (console.json()) {
    console.out_json(config_json(Config()));
  } else {
    console.out(options_page());
  }
  return 0;
}

std::vector<Argument> config_arguments() {
  std::vector<Argument> all = {
      {.name = "ACTION", .help = "what to do", .allowed = {"show", "check", "docs"}, .required = true},
      {.name = "FILE", .help = "TOML file with options, as with --config"}};
  for (Argument& argument : option_arguments(kEveryVerb)) all.push_back(std::move(argument));
  return all;
}

}  // namespace

const Verb kConfigVerb{
    .name = "config",
    .purpose = "Set up",
    .usage = "show|check|docs [FILE] [options]",
    .summary = "shows the resolved configuration, checks a file, or prints the page of all options",
    .examples = {"config show run.toml --lr 0.01", "config check run.toml", "config show --set model.cell=gru --json"},
    .arguments = config_arguments,
    .run = run_config};

}  // namespace carousel::cli
