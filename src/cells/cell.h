// cell.h: what the rest of the house knows about a recurrent cell.
//
// A cell is one step, (x_t, state) -> state'. Its file (lstm.h, gru.h ...) holds the pointwise mathematics; this is
// the description made from it, and the two functions that run that mathematics over rows of a batch. The time loop,
// the matrix products and the memory belong to layers/scan.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace carousel {

inline constexpr int kMaxGates = 8, kMaxStates = 4, kMaxExtras = 4;

// One step for `rows` samples of `hidden_size` H units. Blocks of gates lie side by side in a row: [rows, G H].
template <class T>
struct StepForward {
  std::int64_t rows = 0, hidden_size = 0;
  T* a = nullptr;             // [rows, G H], dense: in: W x (+ R h unless split_gates), out if saving: the gates
  const T* q = nullptr;       // [rows, G H], dense: R h, only with split_gates
  const T* bias_a = nullptr;  // [G H] added to a; null: none
  const T* bias_q = nullptr;  // [G H] added to q; null: none
  bool save = false;          // keep gates, extras and previous states for step_backward
  T* extra[kMaxExtras] = {};  // [rows, H] each, dense, written if saving
  // States. previous and next [rows, H] each may be the same memory; a null previous counts as zero and is not saved.
  const T* previous[kMaxStates] = {};
  T* saved_previous[kMaxStates] = {};  // [rows, H] dense: where to keep a copy if saving
  T* next[kMaxStates] = {};
  T* output = nullptr;         // a second copy of the first next state; null: none
  std::int64_t ld_output = 0;  // row length of output
};

// The same step backwards. With s the states: from d next to d previous, through the pointwise part only.
template <class T>
struct StepBackward {
  std::int64_t rows = 0, hidden_size = 0;
  T* a = nullptr;   // [rows, G H]: in: the gates, out: gradient of a
  T* dq = nullptr;  // [rows, G H]: out: gradient of q, only with split_gates
  const T* extra[kMaxExtras] = {};
  const T* previous[kMaxStates] = {};  // null counts as zero
  T* dstate[kMaxStates] = {};          // [rows, H]: in: gradient of next, out: the direct part of that of previous
  const T* doutput = nullptr;          // [rows, H] with row length ld_output: added to the gradient of the first state
  std::int64_t ld_output = 0;
};

struct StreamStep;  // one step of one sequence, see stream_layer.h
using StreamKernel = void (*)(const StreamStep&) noexcept;

struct Cell {
  std::string_view name, summary, equations;
  std::span<const std::string_view> gates;   // in the order of the rows of the weights
  std::span<const std::string_view> states;  // the first is the output h
  int extras = 0;            // values per unit that step keeps for step_backward beside gates and states
  bool split_gates = false;  // W x and R h must stay apart until the pointwise part
  bool projection = false;   // the output may be projected to fewer units (proj_size)

  int gate_count() const noexcept { return static_cast<int>(gates.size()); }
  int state_count() const noexcept { return static_cast<int>(states.size()); }

  // Run on the calling thread, allocate nothing, check nothing.
  template <class T>
  void step(const StepForward<T>& step) const noexcept;
  template <class T>
  void step_backward(const StepBackward<T>& step) const noexcept;

  void (*step_float)(const StepForward<float>&) noexcept = nullptr;
  void (*step_backward_float)(const StepBackward<float>&) noexcept = nullptr;
  void (*step_double)(const StepForward<double>&) noexcept = nullptr;
  void (*step_backward_double)(const StepBackward<double>&) noexcept = nullptr;
  StreamKernel stream_step[3] = {};  // in the order of WeightFormat
};

template <>
inline void Cell::step(const StepForward<float>& step) const noexcept {
  step_float(step);
}
template <>
inline void Cell::step(const StepForward<double>& step) const noexcept {
  step_double(step);
}
template <>
inline void Cell::step_backward(const StepBackward<float>& step) const noexcept {
  step_backward_float(step);
}
template <>
inline void Cell::step_backward(const StepBackward<double>& step) const noexcept {
  step_backward_double(step);
}

// Every cell, in the order of cells.def.
std::span<const Cell> all_cells();

// The cell of this name. Throws Error{kUsage} that lists the known ones.
const Cell& find_cell(std::string_view name);

}  // namespace carousel
