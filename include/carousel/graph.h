// graph.h: a computation put together by hand, for networks that no list of layers describes.
//
//   carousel::Graph graph;
//   carousel::Variable h = graph.run(encoder, graph.input(pixels));    // feed-forward layers: rows [N, C] -> [N, O]
//   std::vector<carousel::Variable> state;                             // empty: zero
//   for (int t = 0; t < steps; ++t) out = graph.step(recurrent, h, state);  // gradients flow through the states
//   carousel::backward(carousel::mean(carousel::row_sums(...)));       // operations.h
//   adam.step();
//   graph.reset();                                                     // the memory serves the next computation
//
// A Graph owns the tape: everything computed from its variables until reset(). Layers and parameters are the caller's
// and must live until then; a network may run any number of times in one graph. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "carousel/module.h"
#include "carousel/recurrent.h"

namespace carousel {

class Graph {
 public:
  explicit Graph(std::uint64_t seed = 1);  // of normal() and of dropout
  Graph(Graph&&) noexcept;
  Graph& operator=(Graph&&) noexcept;
  ~Graph();

  Variable input(const Tensor& values);  // copies; takes no gradient
  // The value itself, for a parameter that is in no layer; its gradient is added to by backward().
  Variable parameter(Parameter& parameter);
  // Standard normal numbers: those of call k since the graph was made follow from (seed, k) alone.
  Variable normal(const Shape& shape);

  // Runs layers, a Sequential or a single one: rows [N, C] -> [N, O], or sequences [T, N, C], of these lengths if they
  // differ -> [T, N, O], zeros behind their ends, or [N, O] behind a Pool. Throws Error{kUsage} naming what does not
  // fit.
  Variable run(Module& layers, const Variable& x, std::span<const std::int32_t> lengths = {});

  // One step of a recurrent layer of one direction: x [N, C] -> [N, P]. `state` holds the states of the cell, layer by
  // layer (h of the lowest layer, its c, h of the next ...), [N, width] each, and becomes those after the step; empty:
  // those that the layer begins a sequence with. Dropout draws its masks anew at every step. Throws Error{kUsage}
  // naming what does not fit.
  Variable step(Recurrent& layer, const Variable& x, std::vector<Variable>& state);

  // Off, nothing is kept for backward() and dropout is off, as in Sequential::predict(). At first it is on.
  void set_recording(bool recording);
  void reset();  // ends all variables of this graph

 private:
  struct Pass;
  std::unique_ptr<Pass> pass_;
};

}  // namespace carousel
