#include "help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "console.h"

namespace carousel::cli {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kHelpColumn = 30;

// `text` broken into lines of kColumns, all but the first indented to kHelpColumn.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = kHelpColumn;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column + end > kColumns && column > kHelpColumn) {
      out += "\n" + std::string(kHelpColumn, ' ');
      column = kHelpColumn;
    } else if (column > kHelpColumn) {
      out += ' ';
    }
    out += text.substr(0, end);
    column += end + 1;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string heading(const Argument& argument) {
  const std::string letter = argument.letter == 0 ? "" : fmt::format("-{}, ", argument.letter);
  std::string text = letter + argument.name;
  if (argument.is_flag() && !argument.value.empty()) text += " " + argument.value;
  if (argument.many) text += "...";
  return text;
}

bool has_meaning(const Argument& argument, std::string_view task) {
  return argument.tasks.empty() || task.empty() ||
         fmt::format(",{},", argument.tasks).find(fmt::format(",{},", task)) != std::string::npos;
}

std::string entry(const Argument& argument, bool names_tasks) {
  std::string help = argument.help;
  if (!argument.allowed.empty() && !help.ends_with("]")) {
    help += fmt::format("{}{}", help.empty() ? "" : ": ", fmt::join(argument.allowed, ", "));
  }
  if (names_tasks && !argument.tasks.empty()) {
    const bool has_facts = help.ends_with("]");
    if (has_facts) help.pop_back();
    help += fmt::format("{}for {}]", has_facts ? "; " : " [", argument.tasks);
  }
  std::string start = "  " + heading(argument);
  start = start.size() + 2 > kHelpColumn ? start + "\n" + std::string(kHelpColumn, ' ') : padded(start, kHelpColumn);
  return start + wrapped(help) + "\n";
}

}  // namespace

std::string overview_text() {
  std::string text =
      "Carousel trains, explains and runs recurrent sequence models on ordinary CPUs.\n"
      "\nUsage: carousel COMMAND [options]        carousel COMMAND --help shows examples\n";
  std::string_view purpose;
  for (const Verb* verb : all_verbs()) {
    if (verb->purpose != purpose) text += fmt::format("\n{}:\n", verb->purpose);
    purpose = verb->purpose;
    text += fmt::format("  {:<12}{}\n", verb->name, verb->summary);
  }
  return text +
         "\nFirst steps:\n"
         "  carousel train forecast --data FILE.csv --out model.safetensors\n"
         "  carousel evaluate model.safetensors --data FILE.csv\n"
         "  carousel predict model.safetensors --data FILE.csv\n"
         "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 bad model or data, 4 training diverged,\n"
         "5 input/output failed, 6 a stated bound was not met, 130/143 stopped by a signal.\n";
}

std::string help_text(const Verb& verb, std::string_view task) {
  std::string text = "Examples:\n";
  for (const std::string_view example : verb.examples) text += fmt::format("  carousel {}\n", example);
  text += fmt::format("\nUsage: carousel {} {}\n\nThis command {}.\n", verb.name, verb.usage, verb.summary);
  std::vector<Argument> arguments = every_argument(verb);
  const bool has_task = std::any_of(arguments.begin(), arguments.end(), [](const auto& a) { return a.name == "TASK"; });
  if (has_task && task.empty()) text += fmt::format("carousel {} TASK --help: the options of one task.\n", verb.name);
  std::erase_if(arguments, [&](const Argument& argument) { return !has_meaning(argument, task); });
  std::vector<std::string> groups;
  for (const Argument& argument : arguments) {
    const std::string group = argument.is_flag() ? argument.group : "Arguments";
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  for (const std::string& group : groups) {
    text += fmt::format("\n{}:\n", group);
    for (const Argument& argument : arguments) {
      if ((argument.is_flag() ? argument.group : "Arguments") == group) text += entry(argument, task.empty());
    }
  }
  return text;
}

}  // namespace carousel::cli
