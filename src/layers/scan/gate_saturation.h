// gate_saturation.h: how many values of sigmoid gates stand near an end of their range, where no gradient passes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "autograd/tape.h"
#include "cells/cell.h"

namespace carousel {

inline constexpr double kClosedGate = 0.05, kOpenGate = 0.95;  // below and above these a gate is saturated

// Bit k: gate k is sigmoid(a) wherever nothing else enters it. Found out by trying, so that no cell need declare it; 0
// for a cell with a matrix memory.
unsigned sigmoid_gates(const Cell& cell);

// Share of the values of all sigmoid gates, at all valid steps, that are saturated: of every scan on the tape of
// `output` that came before it, and direction, in the order in which they ran: "l0", "l0_reverse", "l1" ... Those of a
// cell without such gates are left out. REQUIRES: a recording tape, before its backward pass, no checkpoints.
std::vector<std::pair<std::string, double>> gate_saturation(const Variable& output);

}  // namespace carousel
