// verb.h: what the program knows about one verb. Parsing, help, shell completion and the verb table are all driven by
// it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carousel::cli {

class CommandLine;
class Console;

// A flag ("--lr") or a positional ("MODEL") of a verb.
struct Argument {
  std::string name;
  std::string value = {};  // what stands for the value in the help: "N", "FILE"; empty: a switch
  std::string help = {};
  std::vector<std::string> allowed = {};  // the only values; empty: any
  std::string group = "Options";          // heading in the help
  bool required = false;
  bool many = false;       // takes several values, and may be given several times
  bool repeat = false;     // takes one value, and may be given several times
  char letter = 0;         // short form: 'q' for -q
  std::string tasks = {};  // the tasks it has a meaning for, "classify,tag"; empty: all

  bool is_flag() const { return name.starts_with("--"); }
  bool is_switch() const { return is_flag() && value.empty(); }
};

struct Verb {
  std::string_view name;
  std::string_view purpose;  // heading in the overview
  std::string_view usage;    // what follows the name: "MODEL --data FILE"
  std::string_view summary;
  std::vector<std::string_view> examples;
  std::vector<Argument> (*arguments)();
  int (*run)(const CommandLine&, Console&);  // returns the exit status
};

// Every verb, in the order of the overview (commands.cpp).
std::span<const Verb* const> all_verbs();

// The arguments of the verb, then those that every verb has (--json, --quiet, --verbose, --color, --help).
std::vector<Argument> every_argument(const Verb& verb);

}  // namespace carousel::cli
