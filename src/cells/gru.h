// gru.h: gated recurrent unit (Cho et al. 2014), reset after the product.
//
//   gates r, z, n (rows of W [3H, C], R [3H, H] and both biases [3H] in this order)     state h [H]
//
//   r, z = sigmoid(W x + b_ih + R h + b_hh)     n = tanh(W_n x + b_in + r (R_n h + b_hn))     h' = (1 - z) n + z h
//
// gru_layer_norm: the same with LN(W x) and LN(R h) (lstm_layer_norm.h), each over all 3H numbers, as Haste has it.
//   unit weights weight_ph [6H]: gains of W x for r, z, n, gains of R h for the same
//
// Source: PyTorch nn.GRU (the paper resets before the product: another cell).
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct Gru : CellDefaults {
  static constexpr std::string_view kName = "gru";
  static constexpr std::string_view kSummary = "gated recurrent unit, reset after the product (Cho et al. 2014)";
  static constexpr std::string_view kEquations =
      "r, z = sigmoid(W x + b_ih + R h + b_hh)   n = tanh(W_n x + b_in + r (R_n h + b_hn))\n"
      "h' = (1 - z) n + z h";
  static constexpr std::array<std::string_view, 3> kGates{"r", "z", "n"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
  static constexpr unsigned kKeepGates = 1u << 1;  // z
  static constexpr int kExtras = 1;                // R_n h + b_hn
  static constexpr bool kSplitGates = true;        // the two products of gate n meet behind r

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0] + v.q[0]);
    v.gate[1] = M::sigmoid(v.a[1] + v.q[1]);
    v.extra[0] = v.q[2];
    v.gate[2] = M::tanh(v.a[2] + v.gate[0] * v.q[2]);
    v.next[0] = v.gate[2] + v.gate[1] * (v.previous[0] - v.gate[2]);
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1);
    const V r = v.gate[0], z = v.gate[1], n = v.gate[2], dh = v.dnext[0];
    v.da[2] = dh * (one - z) * (one - n * n);
    v.dq[2] = v.da[2] * r;
    v.da[0] = v.da[2] * v.extra[0] * r * (one - r);
    v.dq[0] = v.da[0];
    v.da[1] = dh * (v.previous[0] - n) * z * (one - z);
    v.dq[1] = v.da[1];
    v.dprevious[0] = dh * z;
  }
};

struct GruLayerNorm : Gru {
  static constexpr std::string_view kName = "gru_layer_norm";
  static constexpr std::string_view kSummary = "gru with layer normalisation (Ba et al. 2016)";
  static constexpr std::string_view kEquations =
      "r, z = sigmoid(LN(W x) + b_ih + LN(R h) + b_hh)   n = tanh(LN(W x)_n + b_in + r (LN(R h)_n + b_hn))\n"
      "h' = (1 - z) n + z h   LN(v) = gain (v - mean) / sqrt(variance + 1e-5)";
  static constexpr std::array<std::string_view, 6> kUnitWeights{"gain_xr", "gain_xz", "gain_xn",
                                                                "gain_hr", "gain_hz", "gain_hn"};
  static constexpr bool kNormalised = true;
};
