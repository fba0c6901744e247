// cell_notes.h: what docs/cells.md says about the cells that no declaration holds: papers, counterparts elsewhere, when
// to use which. One text for each header under src/cells.
#pragma once

#include <span>
#include <string_view>

namespace carousel::cli {

struct CellNotes {
  std::string_view header;  // as in cells.def: "lstm_variants"
  std::string_view title;
  std::string_view text;  // Markdown
};

std::span<const CellNotes> cell_notes();
std::string_view cells_introduction();

}  // namespace carousel::cli
