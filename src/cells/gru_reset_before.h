// gru_reset_before.h: gated recurrent unit as in its paper, the reset before the product (Cho et al. 2014).
//
//   gates r, z, n (rows of W [3H, C], R [3H, H] and both biases [3H] in this order)     state h [H]
//
//   r, z = sigmoid(W x + b_ih + R h + b_hh)     n = tanh(W_n x + b_in + R_n (r h) + b_hn)     h' = (1 - z) n + z h
//
// Source: ONNX GRU with linear_before_reset = 0, Keras GRU with reset_after = False.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct GruResetBefore : CellDefaults {
  static constexpr std::string_view kName = "gru_reset_before";
  static constexpr std::string_view kSummary = "gated recurrent unit, reset before the product (Cho et al. 2014)";
  static constexpr std::string_view kEquations =
      "r, z = sigmoid(W x + b_ih + R h + b_hh)   n = tanh(W_n x + b_in + R_n (r h) + b_hn)\n"
      "h' = (1 - z) n + z h";
  static constexpr std::array<std::string_view, 3> kGates{"r", "z", "n"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
  static constexpr unsigned kKeepGates = 1u << 1;  // z
  static constexpr int kInnerGates = 1;            // n, whose product takes r h

  template <class M, class V>
  static void step_inner(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.gate[1] = M::sigmoid(v.a[1]);
    v.inner = v.gate[0] * v.previous[0];
  }

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[2] = M::tanh(v.a[2]);
    v.next[0] = v.gate[2] + v.gate[1] * (v.previous[0] - v.gate[2]);
  }

  // da[0], da[1]: of r and z themselves; what comes through r h follows in step_inner_backward.
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), z = v.gate[1], n = v.gate[2], dh = v.dnext[0];
    v.da[2] = dh * (one - z) * (one - n * n);
    v.da[0] = M::constant(0);
    v.da[1] = dh * (v.previous[0] - n);
    v.dprevious[0] = dh * z;
  }

  template <class M, class V>
  static void step_inner_backward(CellBackward<V>& v) {
    const V one = M::constant(1), r = v.gate[0], z = v.gate[1];
    v.da[0] = (v.da[0] + v.dinner * v.previous[0]) * r * (one - r);
    v.da[1] = v.da[1] * z * (one - z);
    v.dprevious[0] = v.dprevious[0] + v.dinner * r;
  }
};
