#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.h"
#include "carousel/layers.h"
#include "cells/cell.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"

namespace carousel::cli {
namespace {

constexpr std::int64_t kLargestCellSize = 65536;

// One layer, one direction, no projection.
std::int64_t parameters(const Cell& cell, std::int64_t input_size, std::int64_t hidden_size) {
  std::int64_t count = 0;
  Recurrent layer({.cell = std::string(cell.name), .input_size = input_size, .hidden_size = hidden_size});
  for (const Parameter* parameter : layer.parameters()) count += parameter->value.elements();
  return count;
}

std::string cells_text(std::int64_t input_size, std::int64_t hidden_size) {
  std::vector<std::vector<std::string>> rows{{"cell", "gates", "states", "parameters", "what it is"}};
  std::string equations;
  for (const Cell& cell : all_cells()) {
    rows.push_back({std::string(cell.name), fmt::format("{}", fmt::join(cell.gates, " ")),
                    fmt::format("{}", fmt::join(cell.states, " ")),
                    fmt::format("{}", parameters(cell, input_size, hidden_size)), std::string(cell.summary)});
    equations += fmt::format("\n{}\n", cell.name);
    for (std::string_view rest = cell.equations; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      equations += fmt::format("  {}\n", rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return text_table(rows, false) +
         fmt::format("Parameters of one layer in one direction with input size C = {} and hidden size H = {}.\n",
                     input_size, hidden_size) +
         equations;
}

nlohmann::ordered_json cells_json(std::int64_t input_size, std::int64_t hidden_size) {
  auto list = nlohmann::ordered_json::array();
  for (const Cell& cell : all_cells()) {
    list.push_back({{"name", cell.name},
                    {"gates", cell.gates},
                    {"states", cell.states},
                    {"projection", cell.projection},
                    {"summary", cell.summary},
                    {"equations", cell.equations},
                    {"parameters", parameters(cell, input_size, hidden_size)}});
  }
  return {{"schema", 1}, {"input_size", input_size}, {"hidden_size", hidden_size}, {"cells", list}};
}

int run_cells(const CommandLine& line, Console& console) {
  const std::int64_t input_size = line.integer("--input-size", 1, kLargestCellSize, 128);
  const std::int64_t hidden_size = line.integer("--hidden-size", 1, kLargestCellSize, 128);
  if (console.json()) {
    console.out_json(cells_json(input_size, hidden_size));
  } else {
    console.out(cells_text(input_size, hidden_size));
  }
  return 0;
}

std::vector<Argument> cells_arguments() {
  return {{.name = "--input-size", .value = "C", .help = "input size to count parameters for [default 128]"},
          {.name = "--hidden-size", .value = "H", .help = "hidden size to count parameters for [default 128]"}};
}

}  // namespace

const Verb kCellsVerb{.name = "cells",
                      .purpose = "Look inside",
                      .usage = "[options]",
                      .summary = "lists the recurrent cells: gates, states, parameters, equations",
                      .examples = {"cells", "cells --input-size 12 --hidden-size 64", "cells --json"},
                      .arguments = cells_arguments,
                      .run = run_cells};

}  // namespace carousel::cli
