// topology.h: how the layers of a stack are joined: two directions made one, a way past a layer, states to begin with.
//
// Beside the functions on a tape stands one for a few rows at a time, for streams and what computes as they do.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autograd/ops/merge_halves.h"
#include "base/aligned.h"
#include "carousel/layers.h"
#include "cells/cell.h"
#include "layers/sequence_layout.h"

namespace carousel {

enum class Connection { kNone, kResidual, kHighway };

// Throw Error{kUsage} that lists the known ones.
Merge parse_merge(const std::string& name);
Connection parse_connection(const std::string& name);

// W, the width of what a layer gives to the next one, and of what it reads.
std::int64_t layer_output_size(const RecurrentOptions& options) noexcept;
std::int64_t layer_input_size(const RecurrentOptions& options, std::int64_t layer);
// A way leads past the layer: the options have a connection and the layer reads as much as it gives.
bool is_connected(const RecurrentOptions& options, std::int64_t layer);

// Throws Error{kUsage} naming what does not fit: a merge of one direction, a connection past no layer, tied layers that
// cannot share weights.
void check_topology(const RecurrentOptions& options);

// The end of the names of one layer's and direction's weights, as scan_suffix(): those of layer 0 if layers are tied.
std::string weight_suffix(const RecurrentOptions& options, std::int64_t layer, int direction,
                          std::int64_t transition = 0);

// "initial_c_l1_reverse".
std::string initial_state_name(const RecurrentOptions& options, std::int64_t layer, int direction, int state);
// The learned initial state, [width]; empty: none, so zero.
std::span<const float> initial_state(const Recurrent& recurrent, std::int64_t layer, int direction, int state);
// What a pass starts from that is given no state: zero, or as learned.
State start_state(const Sequential& network, std::int64_t samples);
// Not of the clock that counts a clockwork's steps.
bool learns_state(const Cell& cell, int state) noexcept;

template <class T>
struct HighwayGate {
  BasicVariable<T> weight, bias;  // [W, W], [W]
};

// What goes on from a layer that read x and gave f, both [rows, W]: f, x + f, or with g = sigmoid(weight x + bias)
// g f + (1 - g) x. Where their widths differ no way leads past the layer: f.
template <class T>
BasicVariable<T> connect(Connection connection, const HighwayGate<T>& gate, BasicVariable<T> x, BasicVariable<T> f);

// x [width] once for each sample: [samples, width].
template <class T>
BasicVariable<T> repeat_row(BasicVariable<T> x, std::int64_t samples);

// [samples, W]: what pool 'last' takes of a stack. `final`: the last h of each direction of the top layer, [samples,
// P]. They are merged; with a connection it is the output after the last valid step instead, of the backward direction
// after step 0, and zero for a sample without a step. Empty if that step does not exist: two merged directions,
// connected.
Variable last_outputs(const RecurrentOptions& options, const SequenceLayout& layout, Variable output,
                      std::span<const Variable> final);

// The way past one layer, a few rows at a time. Owns its weights, packed.
class StreamConnection {
 public:
  StreamConnection(const Recurrent& recurrent, std::int64_t layer);

  explicit operator bool() const noexcept { return connected_; }

  // y [rows, W] from x [rows, W] and f[r] [W], as connect(). y may be x, and its rows those of f. gate: [rows, W] to
  // work in. A row gets the same bits alone and beside any others.
  void apply(std::int64_t rows, const float* x, const float* const* f, float* y, float* gate) const noexcept;

 private:
  using Floats = std::vector<float, AlignedAllocator<float>>;
  bool connected_;
  std::int64_t width_;
  Floats weight_, bias_;  // of the gate; empty: residual
};

}  // namespace carousel
