// cell_texts.h: the sources that an exported header carries, as text. The build makes them (CMakeLists.txt here).
#pragma once

#include <string_view>

namespace carousel {

struct CellText {
  std::string_view name, type, text;  // "lstm", "Lstm", the text of cells/lstm.h
};

// Throws Error{kUsage} for a cell that cells.def does not have.
const CellText& cell_text(std::string_view name);
std::string_view values_text();   // cells/values-inl.h
std::string_view runtime_text();  // formats/exported_runtime.h

}  // namespace carousel
