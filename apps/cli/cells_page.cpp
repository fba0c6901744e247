#include "cells_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cell_facts.h"
#include "cell_notes.h"

namespace carousel::cli {
namespace {

// The header of each cell, in the order of all_cells().
#define CAROUSEL_CELL(header, Struct) #header,
constexpr std::string_view kHeaders[] = {
#include "cells/cells.def"
};
#undef CAROUSEL_CELL

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += fmt::format("  {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

template <class List>
std::string joined(const List& names) {
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, " "));
}

std::string table(const std::vector<const Cell*>& cells, std::int64_t input_size, std::int64_t hidden_size) {
  std::string text = fmt::format("| cell | gates | states | `weight_ph` | parameters | C = {}, H = {} | what it is |\n",
                                 input_size, hidden_size);
  text += "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Cell* cell : cells) {
    const ParameterFormula formula = parameter_formula(*cell);
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", cell->name, joined(cell->gates),
                        joined(cell->states), joined(cell->fixed_unit_weights ? Names() : cell->unit_weights),
                        formula.text(), formula.count(input_size, hidden_size), cell->summary);
  }
  return text;
}

// A cell without notes is headed by the name of its header.
CellNotes notes_of(std::string_view header) {
  const auto notes = cell_notes();
  const auto found =
      std::find_if(notes.begin(), notes.end(), [&](const CellNotes& note) { return note.header == header; });
  return found == notes.end() ? CellNotes{header, header, ""} : *found;
}

}  // namespace

std::string cell_text(const Cell& cell) {
  std::string text = fmt::format("{}\n{}", cell.name, indented(cell.equations));
  for (const std::string& fact : special_facts(cell)) text += indented(fact);
  return text;
}

std::string cells_page(std::int64_t input_size, std::int64_t hidden_size) {
  std::string text(cells_introduction());
  std::vector<std::string_view> done;
  for (const std::string_view header : kHeaders) {
    if (std::find(done.begin(), done.end(), header) != done.end()) continue;
    done.push_back(header);
    std::vector<const Cell*> cells;
    std::string equations;
    for (std::size_t k = 0; k < std::size(kHeaders); ++k) {
      if (kHeaders[k] != header) continue;
      cells.push_back(&all_cells()[k]);
      equations += (equations.empty() ? "" : "\n") + cell_text(*cells.back());
    }
    const CellNotes notes = notes_of(header);
    text +=
        fmt::format("\n\n## {}\n\n{}\n```text\n{}```", notes.title, table(cells, input_size, hidden_size), equations);
    if (!notes.text.empty()) text += fmt::format("\n\n{}", notes.text);
  }
  return text + "\n";
}

}  // namespace carousel::cli
