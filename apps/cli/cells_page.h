// cells_page.h: docs/cells.md, made from the declarations of the cells and the notes on them.
#pragma once

#include <cstdint>
#include <string>

#include "cells/cell.h"

namespace carousel::cli {

// "lstm", its equations and what is not usual about it, one line each, indented below the name.
std::string cell_text(const Cell& cell);

std::string cells_page(std::int64_t input_size, std::int64_t hidden_size);

}  // namespace carousel::cli
