// stream_layer.h: one recurrent layer at batch 1: its weights packed for it, and one step.
//
// At batch 1 a step reads every weight once and does little else, so the weights lie in memory in the order in which a
// step wants them: for each vector of L units one panel [biases, scales, C + P inputs two by two, G gates, L units].
// A step walks a panel with the sums of its G gates in registers, finishes the cell there, and goes on to the next.
//
// Formats of the weights (everything else stays float):
//   f32    as they are
//   bf16   rounded to 8 bits of mantissa, half the memory: to nearest, ties to even
//   int8   w = scale q, q in [-127, 127], a scale per gate and unit, apart for W and R: a quarter of the memory. Inputs
//          x and h are rounded to integers of at most 1023 times a scale that each step takes from its largest |x|,
//          |h|; products and sums are exact in int32.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/aligned.h"
#include "cells/cell.h"

namespace carousel {

enum class WeightFormat { kF32, kBf16, kInt8 };
inline constexpr std::string_view kWeightFormats[] = {"f32", "bf16", "int8"};

// Throws Error{kUsage} that lists the known ones.
WeightFormat parse_weight_format(std::string_view name);

// One row of weights in int8: w[k] is about scale q[k], q in [-127, 127]; the scale is that of the largest |w|.
// Returns the scale, 0 for a row of zeros.
float quantise_row(std::span<const float> w, std::int8_t* q) noexcept;

// The weights of one layer as the model keeps them; borrowed.
struct StreamLayerWeights {
  const Cell* cell = nullptr;
  std::int64_t input_size = 0, recurrent_size = 0, hidden_size = 0;  // C, P (the width of h), H
  const float* weight_ih = nullptr;                                  // [G H, C]
  const float* weight_hh = nullptr;                                  // [G H, P]
  const float* bias_ih = nullptr;                                    // [G H]; null: none
  const float* bias_hh = nullptr;
};

// One step as the kernels see it. Vectors that are written end at a multiple of the vector length, see padded_units().
struct StreamStep {
  std::int64_t input_pairs = 0, recurrent_pairs = 0, panels = 0, panel_bytes = 0;
  const void* x = nullptr;             // input_pairs pairs of float, or of int16 for int8
  const void* h = nullptr;             // recurrent_pairs pairs
  float x_scale = 1, h_scale = 1;      // int8 only
  const std::byte* weights = nullptr;  // panels of panel_bytes
  const float* previous[kMaxStates] = {};
  float* next[kMaxStates] = {};
};

class StreamLayer {
 public:
  // Throws Error{kUsage} for int8 with more than 16000 inputs, whose sums could leave int32.
  StreamLayer(const StreamLayerWeights& weights, WeightFormat format);

  // The length to give every state vector, so that whole vectors may be written: H rounded up.
  std::int64_t padded_units() const noexcept { return panels_ * lanes_; }
  std::int64_t weight_bytes() const noexcept { return std::ssize(weights_); }

  // One step. x [C], h [P]: what feeds back (the first previous state, or with projection the projected output).
  // previous and next: [padded_units()] each; a next state may be its previous one, but not next[0] = h.
  void step(const float* x, const float* h, const float* const* previous, float* const* next) noexcept;

 private:
  void pack(const StreamLayerWeights& weights);

  const Cell* cell_;
  WeightFormat format_;
  std::int64_t lanes_, input_size_, recurrent_size_, input_pairs_, recurrent_pairs_, panels_, panel_bytes_ = 0;
  std::vector<std::byte, AlignedAllocator<std::byte>> weights_;
  std::vector<float, AlignedAllocator<float>> x_, h_;  // zero beyond C, P
  std::vector<std::int16_t, AlignedAllocator<std::int16_t>> x_int_, h_int_;
};

}  // namespace carousel
