// cell_search.h: new cells for a comparison, drawn from a small grammar of gates and activations (the idea of
// Jozefowicz et al. 2015), as expressions (cells/cell_program.h).
//
//   memory M    h itself, or c
//   gates       f, i, o, r = sigmoid      candidate n = ACTIVATION(x + r) or, reset, ACTIVATION(x + F r) with F = r,
//               another gate g or 1 - g     ACTIVATION: tanh (half of the draws), relu, identity, sigmoid
//   M' is       f M + i n,  f M + (1 - f) n,  f M + n,  M + i n  or  i n      where M is h, sometimes tanh of that
//   h' is       s(c'),  o s(c')  or  o s(c') + (1 - o) h, where M is c      s: tanh (half), identity, relu
//
// About 900 cells, the LSTM, the one with coupled gates and the GRU among them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

inline constexpr std::int64_t kMostDrawnCells = 500;

// Names of `count` different cells, a pure function of the seed; fewer are the first ones of more. Throws Error{kUsage}
// for more than kMostDrawnCells: the grammar ends.
std::vector<std::string> draw_cells(std::uint64_t seed, std::int64_t count);

}  // namespace carousel
