// decoder_network.h: decoders that look back at an encoder, and what stands between the two.
#pragma once

#include "carousel/layers.h"
#include "tasks/options.h"

namespace carousel {

// The cell that options.cell and options.activation name.
std::string cell_name(const ModelOptions& options);

// Adds the layers of a decoder ("auto" already replaced) that reads rows of `input_size` and looks at states of
// `memory_size`: the one with attention (with options.attention "none" a recurrent one), residual recurrent layers up
// to options.layers, dropout. What comes out are rows of options.hidden_size. `scaled` is for the scores that can be
// (AttentionDecoderOptions). Throws Error{kUsage} for a cell that a decoder cannot step.
void add_decoder(Sequential& network, const ModelOptions& options, std::int64_t input_size, std::int64_t memory_size,
                 bool scaled);

// An encoder whose rows are `memory_size` wide and a decoder, joined: the layers "encoder", "bridge" and "decoder". The
// bridge gives the states that the decoder starts with, side by side: tanh(W p + b) of the one row p that `pool`
// (Pool) makes of the encoder's.
Sequential join_decoder(Sequential encoder, std::int64_t memory_size, const std::string& pool, Sequential decoder);

}  // namespace carousel
