#include <fmt/format.h>

#include "base/json.h"
#include "commands.h"
#include "console.h"
#include "version.h"

namespace carousel::cli {
namespace {

int run_version(const CommandLine&, Console& console) {
  if (console.json()) {
    console.out_json({{"schema", 1}, {"name", "carousel"}, {"version", kVersion}});
  } else {
    console.out(fmt::format("carousel {}\n", kVersion));
  }
  return 0;
}

}  // namespace

const Verb kVersionVerb{.name = "version",
                        .purpose = "Set up",
                        .usage = "",
                        .summary = "prints the version of the program",
                        .examples = {"version", "version --json"},
                        .arguments = [] { return std::vector<Argument>(); },
                        .run = run_version};

}  // namespace carousel::cli
