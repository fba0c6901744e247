// recurrent.h: the recurrent layer: a stack of cells in one or both directions.
//
//   carousel::Recurrent layer{{.cell = "gru", .input_size = 16, .hidden_size = 64, .layers = 2}};
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carousel/module.h"

namespace carousel {

namespace detail {
class LowPrecisionStack;  // src/layers/recurrent/low_precision.h
}  // namespace detail

struct RecurrentOptions {
  std::string cell = "lstm";     // see `carousel cells`
  std::int64_t input_size = 0;   // C
  std::int64_t hidden_size = 0;  // H
  std::int64_t proj_size = 0;    // P: output projected to fewer units (LSTMs, jordan); 0: none
  std::int64_t layers = 1;       // L
  bool bidirectional = false;    // output [T, N, 2 H], the forward direction first
  bool bias = true;
  double dropout = 0;                      // between layers, element-wise
  double recurrent_dropout = 0;            // on h in the recurrent product, one mask per sequence
  std::string output_activation = "none";  // jordan: of its output layer: none, tanh, sigmoid, softmax
  double decay = 0;                        // jordan: of the context that keeps outputs, 0 <= decay < 1
  std::string periods = {};  // clockwork: of its modules, ascending; empty: "1,2,4,8"; modules share the units
  std::int64_t heads = 1;    // slstm, mlstm: groups of units that see, or remember, their own group only
  // Of two directions, after every layer: "concat" [T, N, 2 P], or "sum", "mean", "product" [T, N, P].
  std::string merge = "concat";
  // Past every layer: "none"; "residual": y = x + f(x) (He et al. 2016); "highway": y = g f(x) + (1 - g) x with
  // g = sigmoid(W x + b) (Srivastava et al. 2015). The lowest layer has one if its input is as wide as its output.
  std::string connection = "none";
  bool learned_initial_state = false;  // one for all sequences, trained, where no State is given; else zero
  bool tied = false;                   // all layers share the weights of the lowest one, which must read as much
  // Probability that a unit keeps its h, or its other states, of the step before (Krueger et al. 2017). Training draws;
  // inference takes the mean of both.
  double zoneout = 0, zoneout_memory = 0;
  // Cells per step, each with weights of its own: the first one reads x, the state passes through all (deep
  // transition, Pascanu et al. 2014).
  std::int64_t transitions = 1;
  // Chrono initialisation (Tallec & Ollivier 2018) for memories of up to this many steps, at least 3: units forget over
  // 2 to `chrono` steps, uniformly drawn, see initialize(). 0: none. For cells with a sigmoid that forgets.
  std::int64_t chrono = 0;
};

// A stack of recurrent layers: [T, N, C] -> [T, N, D P] or [T, N, P]. Parameters carry PyTorch's names and gate order.
class Recurrent : public Module {
 public:
  explicit Recurrent(RecurrentOptions options);  // throws Error{kUsage} naming the option that does not fit
  std::vector<Parameter*> parameters() override;
  // weight_ih: Xavier uniform; weight_hh: orthogonal per gate; biases 0, the forget gate's 1, the highway's -2. With
  // `chrono`, for each unit one u from U(1, chrono - 1), times `transitions`, and biases log u of the gate that keeps
  // and -log u of the one that writes: with nothing else in the sum a step forgets 1 / (1 + u).
  void initialize(std::uint64_t seed) override;
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;

  const RecurrentOptions& options() const noexcept { return options_; }
  int directions() const noexcept { return options_.bidirectional ? 2 : 1; }
  std::int64_t output_size() const noexcept;  // D P, or P of merged directions
  int state_count() const;                    // 1 (h) or more (h, c)
  Shape state_shape(int state, std::int64_t samples) const;
  // "weight_hh_l0", "bias_ih_l1_reverse" ...; null if there is none of this name.
  const Parameter* parameter(const std::string& name) const;
  // 1 where an element of weight_hh counts, 0 where it is zero for good; empty if all count.
  const Tensor& recurrent_mask() const noexcept { return recurrent_mask_; }
  // Of a cell whose lowest layer reads more than x: makes both from x, as forward() does (src/layers/scan/scan.h).
  void enter(detail::Flow& flow, Variable& lower);
  // Inference from now on uses the weights as they are now, in "bf16" or "int8" (as StreamOptions::dtype), or again as
  // they are with "f32". Training is not affected. Throws Error{kUsage} for another dtype.
  void set_inference_dtype(const std::string& dtype);

 private:
  void add_scan(std::int64_t layer, int direction);
  void finish(detail::Flow& flow, std::span<const Variable> final, int states) const;
  RecurrentOptions options_;
  std::vector<std::unique_ptr<Parameter>> entry_;       // weight_in, bias_in of a cell with `entry`
  std::vector<std::unique_ptr<Parameter>> parameters_;  // per layer and direction; null where there is none
  std::vector<std::unique_ptr<Parameter>> initial_;     // per layer, direction and state, if learned
  std::vector<std::unique_ptr<Parameter>> highway_;     // per layer: weight and bias of the gate
  Tensor recurrent_mask_;
  std::shared_ptr<detail::LowPrecisionStack> low_precision_;  // null: f32
};

}  // namespace carousel
