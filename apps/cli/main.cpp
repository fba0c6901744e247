// carousel: the program. Finds the verb (the table of verbs is commands.cpp) and says what an error means to the shell.
#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "base/fail.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "help.h"
#include "signals.h"
#include "tasks/options.h"

namespace carousel::cli {
namespace {

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const Verb* verb : all_verbs()) {
    if (verb->name == name) return *verb;
    names.emplace_back(verb->name);
  }
  const std::string hint = did_you_mean(name, names);
  fail(Code::kUsage, "unknown {} '{}'{}", name.starts_with("-") ? "option" : "command", name,
       hint.empty() ? " (carousel --help lists the commands)" : hint);
}

int run(const std::vector<std::string>& words, Console& console) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    console.out(words.size() > 1 && words[0] == "help" ? help_text(find_verb(words[1])) : overview_text());
    return 0;
  }
  const Verb& verb = words[0] == "--version" ? kVersionVerb : find_verb(words[0]);
  const CommandLine line = parse_command_line(verb, {words.begin() + 1, words.end()});
  console.configure(line);
  if (line.is_on("--help")) {
    console.out(help_text(verb, line.text("TASK")));
    return 0;
  }
  return verb.run(line, console);
}

const char* code_name(Code code) {
  switch (code) {
    case Code::kInternal:
      return "internal";
    case Code::kUsage:
      return "usage";
    case Code::kData:
      return "data";
    case Code::kModel:
      return "model";
    case Code::kDiverged:
      return "diverged";
    case Code::kIo:
      return "io";
    case Code::kBound:
      return "bound";
  }
  return "internal";
}

int run_and_report(const std::vector<std::string>& words) {
  Console console;
  if (std::find(words.begin(), words.end(), "--json") != words.end()) console.expect_json();
  try {
    const int status = run(words, console);
    console.flush();
    return status;
  } catch (const Error& error) {
    console.error(code_name(error.code()), error.what());
    return exit_status(error.code());
  } catch (const BrokenPipe&) {
    return BrokenPipe::kExitStatus;
  } catch (const std::bad_alloc&) {
    console.error("memory", "out of memory; a smaller --batch-size or --hidden-size needs less");
    return 1;
  } catch (const std::exception& error) {
    console.error("internal", fmt::format("internal error: {}", error.what()));
    return 1;
  }
}

}  // namespace
}  // namespace carousel::cli

int main(int argc, char** argv) {
  carousel::cli::ignore_write_signals();
  return carousel::cli::run_and_report({argv + std::min(argc, 1), argv + argc});
}
