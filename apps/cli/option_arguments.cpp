#include "option_arguments.h"

#include <fmt/format.h>

#include "command_line.h"
#include "tasks/task.h"

namespace carousel::cli {
namespace {

std::string value_name(const Option& option) {
  if (option.is_switch()) return {};
  const std::string_view section = option.section(), name = option.name();
  if (option.type() == "integer") return "N";
  if (option.type() == "number") return "X";
  if (name == "run_dir") return "DIR";
  if (name.ends_with("column") || name == "target") return "NAME";
  const bool is_one_file = name == "labels" || name == "lm" || name == "subwords" || name == "vectors";
  const bool is_file = section == "output" || is_one_file || (option.is_list() && !option.commas);
  return is_file ? "FILE" : "TEXT";
}

std::string help_of(const Option& option) {
  std::string facts;
  const auto add = [&](const std::string& fact) { facts += (facts.empty() ? "" : "; ") + fact; };
  const Options defaults;
  const std::vector<std::string> values = option_values(defaults, option);
  if (!option.values().empty()) add(option.values());
  if (!option.is_switch() && !values.empty() && !values[0].empty()) add("default " + values[0]);
  return std::string(option.help) + (facts.empty() ? "" : " [" + facts + "]");
}

std::string group_of(const Option& option) {
  if (option.section() == "data") return "Data";
  if (option.section() == "model") return "Model";
  return option.section() == "train" ? "Training" : "Output";
}

}  // namespace

std::vector<Argument> option_arguments(unsigned verbs) {
  std::vector<Argument> arguments;
  for (const Option& option : option_table()) {
    if ((option.verbs & verbs) == 0) continue;
    Argument argument{.name = option.flag(), .value = value_name(option), .help = help_of(option)};
    argument.group = group_of(option);
    argument.tasks = option.tasks;
    argument.many = option.is_list() && !option.commas;
    argument.repeat = option.is_list();
    // Values are checked by assign(), which knows "auto"; here they are for help and completion only.
    if (!option.is_switch() && !option.automatic) argument.allowed.assign(option.allowed.begin(), option.allowed.end());
    if (!option.is_switch() && option.automatic && !option.allowed.empty()) {
      argument.allowed.assign(option.allowed.begin(), option.allowed.end());
      argument.allowed.emplace_back("auto");
    }
    arguments.push_back(std::move(argument));
  }
  arguments.push_back(
      {.name = "--config", .value = "FILE", .help = "TOML file with options", .group = "Configuration"});
  arguments.push_back({.name = "--set",
                       .value = "KEY=VALUE",
                       .help = "one option by its key, as in train.lr=0.01",
                       .group = "Configuration",
                       .repeat = true});
  return arguments;
}

Config config_of(const CommandLine& line) {
  ConfigSources sources;
  sources.file = line.text("--config");
  sources.set = line.texts("--set");
  for (const Option& option : option_table()) {
    const std::string flag = option.flag();
    if (!line.has(flag)) continue;
    std::vector<std::string> values = line.texts(flag);
    if (option.is_switch()) values = {values.back()};
    sources.settings.push_back({&option, std::move(values), flag});
  }
  return load_config(sources);
}

Argument task_argument(bool required) {
  Argument argument{.name = "TASK", .help = "what is to be learned", .required = required};
  for (const Task* task : all_tasks()) argument.allowed.emplace_back(task->name());
  return argument;
}

}  // namespace carousel::cli
