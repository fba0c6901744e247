// mgu.h: minimal gated unit (Zhou et al. 2016): one gate that forgets and resets.
//
//   gates f, n (rows of W [2H, C], R [2H, H] and both biases [2H] in this order)     state h [H]
//
//   f = sigmoid(W x + b_ih + R h + b_hh)     n = tanh(W_n x + b_in + R_n (f h) + b_hn)     h' = (1 - f) h + f n
//
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct Mgu : CellDefaults {
  static constexpr std::string_view kName = "mgu";
  static constexpr std::string_view kSummary = "minimal gated unit (Zhou et al. 2016)";
  static constexpr std::string_view kEquations =
      "f = sigmoid(W x + b_ih + R h + b_hh)   n = tanh(W_n x + b_in + R_n (f h) + b_hn)\n"
      "h' = (1 - f) h + f n";
  static constexpr std::array<std::string_view, 2> kGates{"f", "n"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
  static constexpr unsigned kWriteGates = 1u << 0;  // f
  static constexpr int kInnerGates = 1;             // n, whose product takes f h

  template <class M, class V>
  static void step_inner(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.inner = v.gate[0] * v.previous[0];
  }

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[1] = M::tanh(v.a[1]);
    v.next[0] = v.previous[0] + v.gate[0] * (v.gate[1] - v.previous[0]);
  }

  // da[0]: of f itself; what comes through f h follows in step_inner_backward.
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), f = v.gate[0], n = v.gate[1], dh = v.dnext[0];
    v.da[1] = dh * f * (one - n * n);
    v.da[0] = dh * (n - v.previous[0]);
    v.dprevious[0] = dh * (one - f);
  }

  template <class M, class V>
  static void step_inner_backward(CellBackward<V>& v) {
    const V one = M::constant(1), f = v.gate[0];
    v.da[0] = (v.da[0] + v.dinner * v.previous[0]) * f * (one - f);
    v.dprevious[0] = v.dprevious[0] + v.dinner * f;
  }
};
