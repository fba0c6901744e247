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

#ifdef CAROUSEL_INFERENCE_ONLY
inline constexpr bool kTraining = false;  // the cells have no backward steps
#else
inline constexpr bool kTraining = true;
#endif

inline constexpr int kMaxGates = 8, kMaxStates = 5, kMaxExtras = 4, kMaxUnitWeights = 10;

// Of a normalised cell, for each row: W x, R h and a state.
inline constexpr int kNormalisedRows = 3;

struct CellProgram;  // cell_program.h

// One step for `rows` samples of `hidden_size` H units. Blocks of gates lie side by side in a row: [rows, G H].
template <class T>
struct StepForward {
  std::int64_t rows = 0, hidden_size = 0;
  T* a = nullptr;                   // [rows, G H], dense: in: W x (+ R h unless split_gates), out if saving: the gates
  const T* q = nullptr;             // [rows, G H], dense: R h, only with split_gates
  const T* bias_a = nullptr;        // [G H] added to a; null: none
  const T* bias_q = nullptr;        // [G H] added to q; null: none
  const T* unit_weights = nullptr;  // [U, H], only if the cell has some
  T* inner = nullptr;               // [rows, H] dense: out of step_inner, in of step; only with inner_gates
  T* normal = nullptr;              // [rows, N H], dense, out: only of a normalised cell, N its normal_count(); and ...
  T* scale = nullptr;               // ... [rows, kNormalisedRows], out: 1 / deviation of each
  bool save = false;                // keep gates, extras and previous states for step_backward
  T* extra[kMaxExtras] = {};        // [rows, H] each, dense, written if saving
  // States. previous and next [rows, H] each may be the same memory; a null previous counts as zero and is not saved.
  const T* previous[kMaxStates] = {};
  T* saved_previous[kMaxStates] = {};  // [rows, H] dense: where to keep a copy if saving
  T* next[kMaxStates] = {};
  T* output = nullptr;         // a second copy of the first next state; null: none
  std::int64_t ld_output = 0;  // row length of output
  const T* lower = nullptr;    // [rows, H]: the second state of the layer below after this step, only with `lower`
  T* upper = nullptr;          // a second copy of the second next state, for the layer above; null: none
  std::int64_t ld_lower = 0;   // row length of lower and upper
  const CellProgram* program = nullptr;  // Cell::program
};

// The same step backwards. With s the states: from d next to d previous, through the pointwise part only.
template <class T>
struct StepBackward {
  std::int64_t rows = 0, hidden_size = 0;
  T* a = nullptr;   // [rows, G H]: in: the gates, out: gradient of a
  T* dq = nullptr;  // [rows, G H]: out: gradient of q, only with split_gates
  const T* unit_weights = nullptr;
  T* dunit_weights = nullptr;                   // [rows, unit_gradient_count() H]: added to
  const T *normal = nullptr, *scale = nullptr;  // as step left them
  T* dgate = nullptr;         // [rows, first H]: gradient of the gates of step_inner, from step_backward to ...
  const T* dinner = nullptr;  // ... step_inner_backward, which gets this [rows, H] as well
  const T* extra[kMaxExtras] = {};
  const T* previous[kMaxStates] = {};  // null counts as zero
  T* dstate[kMaxStates] = {};          // [rows, H]: in: gradient of next, out: the direct part of that of previous
  const T* doutput = nullptr;          // [rows, H] with row length ld_output: added to the gradient of the first state
  std::int64_t ld_output = 0;
  const T* lower = nullptr;
  T* dlower = nullptr;        // [rows, H]: added to; null: not wanted
  const T* dupper = nullptr;  // [rows, H]: added to the gradient of the second state
  std::int64_t ld_lower = 0;  // row length of lower, dlower and dupper
  const CellProgram* program = nullptr;
};

struct StreamStep;  // one step of a few sequences, see stream_layer.h
struct StreamTile;  // some of its rows and units
using StreamKernel = void (*)(const StreamStep&) noexcept;
using StreamFinish = void (*)(const StreamTile&) noexcept;

// The mathematics of a cell on rows of a batch. They run on the calling thread, allocate nothing, check nothing.
template <class T>
struct CellSteps {
  using Forward = void (*)(const StepForward<T>&) noexcept;
  using Backward = void (*)(const StepBackward<T>&) noexcept;
  Forward step = nullptr;
  Backward step_backward = nullptr;  // null in a library for inference only
  // Before step, and after step_backward; null unless the cell has inner gates.
  Forward step_inner = nullptr;
  Backward step_inner_backward = nullptr;
};

// Which blocks of the recurrent weights there are: all; only those from a module to itself and faster ones; from a head
// to itself; or all but those from other states than h to gate g (layers/recurrent/recurrent_structure.h).
enum class RecurrentBlocks { kAll, kSlowerModules, kHeads, kCandidateSeesH };

// A cell whose memory is a matrix for each of `heads` groups of d = H / heads units (mlstm.h), and what its forget gate
// is a function of. It has no pointwise steps: a sequence is computed by layers/matrix_scan, a step by matrix_step.h.
enum class MatrixMemory { kNone, kSigmoidForget, kExponentialForget };

// Of one layer and direction: H, P (the width of the output, H without a projection) and heads.
struct CellSizes {
  std::int64_t hidden_size = 0, output_size = 0, heads = 1;
};

// The gates of a cell stand in this order, each group may be empty:
//   first gates   a = W x + R h, or with split_gates W x and R h apart
//   inner gates   a = W x + R v, where step_inner makes v from the first gates and h (a reset before the product)
//   input gates   a = W x
struct Cell {
  std::string_view name, summary, equations;
  std::span<const std::string_view> gates;         // in the order of the rows of the weights
  std::span<const std::string_view> states;        // the first is the output h
  std::span<const std::string_view> unit_weights;  // one number a unit each: peepholes and the like
  std::span<const int> recurrent_states;           // whose values, side by side, are the h of the recurrent product
  int extras = 0;  // values per unit that step keeps for step_backward beside gates and states
  int inner_gates = 0, input_gates = 0;
  unsigned forget_gates = 0;  // bit k: gate k is one, whose bias starts at 1
  // Sigmoids, gate k at bit k: the share of the memory that is kept, f of c' = f c + i g; what enters it, i, in a cell
  // that keeps another share or the rest, 1 - i. Neither: nothing is forgotten, or not by way of a sigmoid.
  unsigned keep_gates = 0, write_gates = 0;
  bool split_gates = false;         // W x and R h must stay apart until the pointwise part
  bool projection = false;          // the output may be projected to fewer units (proj_size)
  bool fixed_unit_weights = false;  // they are set, not trained
  RecurrentBlocks blocks = RecurrentBlocks::kAll;
  bool lower = false;             // reads the second state of the layer below
  bool output_layer = false;      // always projected, by way of an OutputLayer; all states are as wide as the output
  bool entry = false;             // a linear layer makes the first two states for the lowest layer to read
  std::string_view lowest_layer;  // the cell of the lowest layer, if it is another one
  MatrixMemory matrix_memory = MatrixMemory::kNone;  // gates q, k, v, o, i, f; states h, C, n, m
  // Layer normalisation (Ba et al. 2016): W x and R h of a sample, all gates together, are each replaced by (value -
  // mean) / deviation times a gain; and so is, with a bias besides, the new value of this state for the output of the
  // step alone (0: of none). The gains and that bias are the unit weights: G of W x, G of R h, then those of the state.
  bool normalised = false;
  int normalised_state = 0;

  int gate_count() const noexcept { return static_cast<int>(gates.size()); }
  int state_count() const noexcept { return static_cast<int>(states.size()); }
  int unit_weight_count() const noexcept { return static_cast<int>(unit_weights.size()); }
  int first_gates() const noexcept { return gate_count() - inner_gates - input_gates; }
  int recurrent_gates() const noexcept { return gate_count() - input_gates; }  // rows of weight_hh, in blocks of H

  // Numbers of a unit that are kept of what is normalised: W x, R h and the state.
  int normal_count() const noexcept { return normalised ? 2 * gate_count() + (normalised_state > 0 ? 1 : 0) : 0; }
  // Numbers of a unit whose gradients a step adds up: unit weights, and of a normalised cell bias_ih and bias_hh, which
  // are not added to the products themselves.
  int unit_gradient_count() const noexcept {
    return (fixed_unit_weights ? 0 : unit_weight_count()) + (normalised ? 2 * gate_count() : 0);
  }
  bool has_matrix() const noexcept { return matrix_memory != MatrixMemory::kNone; }

  // The first row of a gate in weight_ih and bias_ih: blocks of H, of a matrix memory's i and f of one row a head. With
  // gate = gate_count(), the number of rows.
  std::int64_t first_row(int gate, std::int64_t hidden_size, std::int64_t heads) const noexcept {
    if (!has_matrix() || gate <= 4) return gate * hidden_size;
    return 4 * hidden_size + (gate - 4) * heads;
  }
  // Numbers of a state: P of the output, and of all states where there is an output layer; of a matrix memory
  // C [heads, d, d] and m [heads]; else H.
  std::int64_t state_width(int state, const CellSizes& sizes) const noexcept {
    if (state == 0 || output_layer) return sizes.output_size;
    if (has_matrix() && state == 1) return sizes.hidden_size * (sizes.hidden_size / sizes.heads);
    return has_matrix() && state == 3 ? sizes.heads : sizes.hidden_size;
  }
  // Q, of what enters the recurrent product: all recurrent states side by side.
  std::int64_t recurrent_size(const CellSizes& sizes) const noexcept {
    std::int64_t size = 0;
    for (const int state : recurrent_states) size += state_width(state, sizes);
    return size;
  }
  // h itself enters the recurrent product: no copy need be made of it.
  bool only_h() const noexcept { return recurrent_states.size() == 1 && recurrent_states[0] == 0; }

  template <class T>
  const CellSteps<T>& steps() const noexcept;

  CellSteps<float> float_steps;                // SIMD
  CellSteps<double> double_steps;              // the reference
  StreamFinish stream_finish = nullptr;        // of a stream's step: from the products to the states
  StreamFinish stream_finish_inner = nullptr;  // before it, null unless there are inner gates
  const CellProgram* program = nullptr;        // of a cell given as an expression: what its steps run; else null
};

template <>
inline const CellSteps<float>& Cell::steps() const noexcept {
  return float_steps;
}
template <>
inline const CellSteps<double>& Cell::steps() const noexcept {
  return double_steps;
}

// Every cell, in the order of cells.def.
std::span<const Cell> all_cells();

// The cell of layer `layer` in a stack of this one.
const Cell& cell_of_layer(const Cell& cell, std::int64_t layer);

// The cell of this name: one of all_cells(), or "expr:" and a program (cell_program.h), whose cell lives as long as the
// process. Throws Error{kUsage} that lists the known ones, or says what is wrong with the program.
const Cell& find_cell(std::string_view name);

}  // namespace carousel
