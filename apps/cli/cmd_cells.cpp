#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/fail.h"
#include "base/json.h"
#include "cell_facts.h"
#include "cells_page.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"

namespace carousel::cli {
namespace {

constexpr std::int64_t kLargestCellSize = 65536;

// --cell NAME, or all of them.
std::span<const Cell> chosen_cells(const CommandLine& line) {
  if (!line.has("--cell")) return all_cells();
  return {&find_cell(line.text("--cell")), 1};
}

std::string cells_text(std::span<const Cell> cells, std::int64_t input_size, std::int64_t hidden_size) {
  std::vector<std::vector<std::string>> rows{{"cell", "gates", "states", "unit weights", "parameters", "what it is"}};
  std::string equations;
  for (const Cell& cell : cells) {
    const std::string units = fmt::format("{}", fmt::join(cell.unit_weights, " "));
    rows.push_back({std::string(cell.name), fmt::format("{}", fmt::join(cell.gates, " ")),
                    fmt::format("{}", fmt::join(cell.states, " ")), units.empty() ? "-" : units,
                    fmt::format("{}", parameter_formula(cell).count(input_size, hidden_size)),
                    std::string(cell.summary)});
    equations += "\n" + cell_text(cell);
  }
  return text_table(rows, false) +
         fmt::format("Parameters of one layer in one direction with input size C = {} and hidden size H = {}.\n",
                     input_size, hidden_size) +
         equations;
}

nlohmann::ordered_json cell_json(const Cell& cell, std::int64_t input_size, std::int64_t hidden_size) {
  const ParameterFormula formula = parameter_formula(cell);
  return {{"name", cell.name},
          {"gates", cell.gates},
          {"recurrent_gates", recurrent_gates(cell)},
          {"inner_gates", inner_gates(cell)},
          {"input_gates", input_gates(cell)},
          {"states", cell.states},
          {"recurrent_states", recurrent_states(cell)},
          {"unit_weights", cell.unit_weights},
          {"unit_weights_trained", !cell.unit_weights.empty() && !cell.fixed_unit_weights},
          {"projection", cell.projection},
          {"periods", default_periods(cell)},
          {"heads", has_heads(cell)},
          {"lower", cell.lower},
          {"entry", cell.entry},
          {"lowest_layer", cell.lowest_layer},
          {"summary", cell.summary},
          {"equations", cell.equations},
          {"parameters", formula.count(input_size, hidden_size)},
          {"parameter_formula", formula.text()}};
}

nlohmann::ordered_json cells_json(std::span<const Cell> cells, std::int64_t input_size, std::int64_t hidden_size) {
  auto list = nlohmann::ordered_json::array();
  for (const Cell& cell : cells) list.push_back(cell_json(cell, input_size, hidden_size));
  return {{"schema", 1}, {"input_size", input_size}, {"hidden_size", hidden_size}, {"cells", list}};
}

int run_cells(const CommandLine& line, Console& console) {
  const std::int64_t input_size = line.integer("--input-size", 1, kLargestCellSize, 128);
  const std::int64_t hidden_size = line.integer("--hidden-size", 1, kLargestCellSize, 128);
  if (line.has("--markdown") && console.json())
    fail(Code::kUsage, "--markdown and --json are both given, expected one");
  if (line.has("--markdown") && line.has("--cell"))
    fail(Code::kUsage, "--markdown and --cell are both given; the page is about all cells");
  const std::span<const Cell> cells = chosen_cells(line);
  if (console.json()) {
    console.out_json(cells_json(cells, input_size, hidden_size));
  } else if (line.has("--markdown")) {
    console.out(cells_page(input_size, hidden_size));
  } else {
    console.out(cells_text(cells, input_size, hidden_size));
  }
  return 0;
}

std::vector<Argument> cells_arguments() {
  return {
      {.name = "--cell", .value = "NAME", .help = "only this one; expr: and equations are a cell, too"},
      {.name = "--input-size", .value = "C", .help = "input size to count parameters for [default 128]"},
      {.name = "--hidden-size", .value = "H", .help = "hidden size to count parameters for [default 128]"},
      {.name = "--markdown", .help = "print the page docs/cells.md: equations, counterparts elsewhere, when to use"}};
}

}  // namespace

const Verb kCellsVerb{.name = "cells",
                      .purpose = "Look inside",
                      .usage = "[options]",
                      .summary = "lists the recurrent cells: gates, states, parameters, equations",
                      .examples = {"cells", "cells --input-size 12 --hidden-size 64", "cells --json",
                                   "cells --cell \"expr:g0=sigmoid; g1=tanh; h=g0*h+(1-g0)*g1\""},
                      .arguments = cells_arguments,
                      .run = run_cells};

}  // namespace carousel::cli
