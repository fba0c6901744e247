#include "verb.h"

namespace carousel::cli {

std::vector<Argument> every_argument(const Verb& verb) {
  constexpr auto kGroup = "Every command";
  std::vector<Argument> arguments = verb.arguments();
  arguments.push_back({.name = "--json", .help = "print JSON, with \"schema\": 1", .group = kGroup});
  arguments.push_back(
      {.name = "--quiet", .help = "print results, warnings and errors only", .group = kGroup, .letter = 'q'});
  arguments.push_back({.name = "--verbose", .help = "print more about what is done", .group = kGroup, .letter = 'v'});
  arguments.push_back(
      {.name = "--color", .value = "WHEN", .help = "colours", .allowed = {"auto", "always", "never"}, .group = kGroup});
  arguments.push_back({.name = "--help", .help = "show examples and options", .group = kGroup, .letter = 'h'});
  return arguments;
}

}  // namespace carousel::cli
