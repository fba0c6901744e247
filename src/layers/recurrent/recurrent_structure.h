// recurrent_structure.h: what follows from the options of a Recurrent layer: which recurrent weights count, and unit
// weights that are set and not trained.
#pragma once

#include "base/random.h"
#include "carousel/layers.h"
#include "cells/cell.h"
#include "cells/stream_layer.h"
#include "layers/scan/zoneout.h"

namespace carousel {

// Of the description of a Recurrent layer. Throws Error{kModel} for a setting that is missing or of the wrong kind.
RecurrentOptions recurrent_options(const LayerDescription& description);

// Of each layer and direction.
CellSizes cell_sizes(const RecurrentOptions& options);

// 1 where an element of weight_hh [K H, Q] counts, 0 where it is zero for good: clockwork modules read themselves and
// slower ones; heads read themselves. Empty if all count. Throws Error{kUsage} naming the option that does not fit.
Tensor make_recurrent_mask(const RecurrentOptions& options);

OutputLayer output_layer(const RecurrentOptions& options);

// As inference has it: training draws.
Zoneout mean_zoneout(const RecurrentOptions& options);

// The period of every unit, [H], as the clockwork cell wants it.
void set_fixed_unit_weights(const RecurrentOptions& options, Tensor& weight_ph);

// The gates' part of a fresh bias that is zero elsewhere, [rows of all gates]: 1 for forget gates, or as
// Recurrent::initialize() says with `chrono`.
void initialize_gate_biases(const RecurrentOptions& options, const Cell& cell, const RandomKey& key, Tensor& bias);

// Fresh unit weights [U H]: uniform in +-1 for the recurrent weights of independent units (Li et al. 2018), 1 for
// gains, else 0, as peepholes that are not there.
void initialize_unit_weights(const Cell& cell, const RandomKey& key, Tensor& weight_ph);

// "_l0", "_l1_reverse", "_l0_t1" ...: the end of the names of the parameters of one layer and direction and, with
// transitions, of one cell of its step.
std::string scan_suffix(std::int64_t layer, int direction, std::int64_t transition = 0);

// The weights of cell `cell` of a layer (direction d has the cells from d transitions on) packed for steps of up to
// `rows` sequences.
StreamLayer make_stream_layer(const Recurrent& recurrent, std::int64_t layer, std::int64_t cell, WeightFormat format,
                              int rows);

// The weight_hh that scan_suffix() names with what does not count set to zero; empty if the cell has none.
Tensor masked_recurrent_weight(const Recurrent& recurrent, std::int64_t layer, int direction,
                               std::int64_t transition = 0);

}  // namespace carousel
