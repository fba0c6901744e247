// cell_program.h: the pointwise part of a cell as a value: a text such as
//
//   g0=sigmoid; g1=tanh; c=g0*c+(1-g0)*g1; h=tanh(c)
//
// read into a list of operations that expression.h runs forwards and backwards. A cell with this program is called
// "expr:" and its text, everywhere where a cell has a name.
//
// Statements, in the order in which they are computed:
//   gK=ACTIVATION            gate K = 0, 1, 2, 3 in this order: ACTIVATION(x + r), x = W_K x + b_ih, r = R_K h + b_hh
//   gK=ACTIVATION(x+F*r)     the same with a product F of gates, states and sums in brackets: a reset gate
//   c=SUM, h=SUM             the next state; once each, c only if there is one. Until then h and c are the previous
//   ones
// with ACTIVATION one of sigmoid, tanh, relu, identity; SUM of products of gates, states, numbers such as 1, brackets
// and sigmoid(SUM), tanh(SUM), relu(SUM), with + - *. Blanks do not matter.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace carousel {

inline constexpr std::string_view kExpressionPrefix = "expr:";

struct CellProgram {
  enum class Kind : std::uint8_t { kGate, kNumber, kAdd, kSubtract, kMultiply, kSigmoid, kTanh, kRelu, kIdentity };
  // Writes register 2 + its place in the list; registers 0 and 1 are the previous h and c.
  struct Operation {
    Kind kind = Kind::kNumber;
    Kind activation = Kind::kIdentity;  // of a gate: from kSigmoid on
    int a = -1, b = -1;                 // operands; of a gate its number, and the factor of r, -1: none
    float number = 0;
  };
  static constexpr int kMaxGates = 4, kMaxOperations = 40, kMaxRegisters = kMaxOperations + 2;

  std::vector<Operation> operations;
  int gates = 0, states = 1;  // states: h, or h and c
  bool split = false;         // some gate has a factor
  unsigned forget_gates = 0;  // bit k: gate k is a sigmoid that multiplies the previous c
  int next[2] = {-1, -1};     // registers of the next h and c
};

// Throws Error{kUsage} with the place in the text, counted from 1, what was expected and what stands there.
CellProgram parse_cell_program(std::string_view text);

}  // namespace carousel
