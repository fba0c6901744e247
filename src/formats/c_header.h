// c_header.h: a trained network as one C++17 header without dependencies, sizes fixed when it is compiled: for
// microcontrollers and plug-ins.
//
// The header defines `class Model` in a namespace of the caller's choice: step(x, y) feeds one input [kInputSize], or,
// of a network that begins with an embedding, step(token, y) one id below kVocabularySize, or with tables "word" and
// "shape" step(word, shape, y) an id for each, below kWordCount and kShapeCount; and writes what the network
// gives for the sequence so far [kOutputSize]; reset() goes back to the start. It allocates
// nothing and owns its state; the weights are constants of the program. The numbers are those of a Stream, to rounding.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

struct CHeaderOptions {
  std::string name = "model";  // of the namespace; an identifier
  std::string dtype = "f32";   // of recurrent weights: "f32" or "int8"
  // What a step looks up, by the name of its id, in lower case: the rows [size] found in these tables [count, size],
  // side by side, are the input of the network. Borrowed.
  std::vector<std::pair<std::string, const Tensor*>> tables = {};
};

// Throws Error{kUsage} for a layer that cannot run step by step or that no header holds, another dtype, a bad name, or
// int8 with more than kMostInt8Inputs (cells/stream_layer.h); Error{kModel} for layers that do not fit each other, or
// weights that are not finite.
std::string to_c_header(Sequential& network, const CHeaderOptions& options);

}  // namespace carousel
