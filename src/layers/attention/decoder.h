// decoder.h: recurrent decoders that look back at the states of an encoder.
//
// Two orders, told apart by weight_c. h_t are the first states of the cell, m the memory (attention_memory.h):
//
//   the state before the step looks (Bahdanau et al. 2014)      c_t = attend(h_{t-1}, m)
//                                                               h_t = cell([x_t ; c_t], h_{t-1})      y_t = h_t
//
//   the state after the step looks (Luong et al. 2015)          h_t = cell([x_t ; y_{t-1}], h_{t-1})  y_0 = feed
//                                                               c_t = attend(h_t, m)
//                                                               y_t = tanh(W_c [c_t ; h_t])           W_c [O, E + H]
//
// without input feeding x_t alone goes into the cell. With score.coverage the weights of all steps before count. Each
// step of the cell is a scan over one step, all with the same weights. Sequences may end at different times: the batch
// shrinks with them.
#pragma once

#include "layers/attention/attention_memory.h"
#include "layers/scan/scan.h"

namespace carousel {

template <class T>
struct DecoderInput {
  const Cell* cell = nullptr;
  const SequenceLayout* layout = nullptr;  // of x; borrowed until the tape's reset()
  BasicVariable<T> x;                      // [rows, I], packed
  PaddedMemory<T> memory;
  // Instead of it, made before: as sample_rows() gives them. REQUIRES: x is one step.
  MemoryRows<T> memory_rows = {};
  BasicVariable<T> coverage = {};  // before the first step, flat as the weights of `memory_rows`; empty: 0
  ScanWeights<T> weights;          // of the cell; initial states [N, H], empty: zero
  AttentionScore<T> score;
  BasicVariable<T> weight_c;  // empty: the state before the step looks
  bool input_feeding = false;
  BasicVariable<T> feed;     // y_0 [N, O]; empty: zero
  bool wants_final = false;  // whether to compute DecoderOutput::final
};

template <class T>
struct DecoderOutput {
  BasicVariable<T> output;  // [rows, H or O], packed
  // Of each step, for the samples that are still running, sorted as the rows of the layout.
  std::span<const Attended<T>> steps;
  MemoryRows<T> memory;
  BasicVariable<T> coverage;  // after the last step, of the samples that ran so far; empty: the score has none
  // After the last step of each sample: the states of the cell [N, H], then with input feeding y [N, O].
  BasicVariable<T> final[kMaxStates + 1];
};

// Throws Error{kUsage} naming what does not fit.
template <class T>
DecoderOutput<T> decode(const DecoderInput<T>& input);

// The attention weights as [T, N, S], S of input.memory, 0 behind the ends of x and of the memory.
template <class T>
BasicTensor<T> decoder_alignments(const DecoderInput<T>& input, const DecoderOutput<T>& output);

}  // namespace carousel
