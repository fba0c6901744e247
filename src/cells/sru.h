// sru.h: simple recurrent unit (Lei et al. 2018): gates see the cell state unit by unit, and h has a road past it.
//
//   gates u, f, r, s (rows of W [4H, C] and bias_ih [4H] in this order)     unit weights weight_ph f, r [2H]: p
//   states h, c [H]; h is only given out
//
//   u = W x + b_ih     f, r = sigmoid(W x + b_ih + p c)     s = W x + b_ih
//   c' = f c + (1 - f) u     h' = r c' + (1 - r) s
//
// s stands for x itself, which has H numbers in the paper; like its own code for C != H, a product of x here.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct Sru : CellDefaults {
  static constexpr std::string_view kName = "sru";
  static constexpr std::string_view kSummary = "simple recurrent unit (Lei et al. 2018)";
  static constexpr std::string_view kEquations =
      "u, s = W x + b_ih   f, r = sigmoid(W x + b_ih + p c)\n"
      "c' = f c + (1 - f) u   h' = r c' + (1 - r) s";
  static constexpr std::array<std::string_view, 4> kGates{"u", "f", "r", "s"};
  static constexpr std::array<std::string_view, 2> kStates{"h", "c"};
  static constexpr std::array<std::string_view, 2> kUnitWeights{"f", "r"};
  static constexpr int kInputGates = 4;
  static constexpr unsigned kForgetGates = 1u << 1, kKeepGates = kForgetGates;  // f
  static constexpr int kExtras = 1;                                             // c'

  template <class M, class V>
  static void step(CellForward<V>& v) {
    const V c = v.previous[1];
    v.gate[0] = v.a[0];
    v.gate[1] = M::sigmoid(v.a[1] + v.unit[0] * c);
    v.gate[2] = M::sigmoid(v.a[2] + v.unit[1] * c);
    v.gate[3] = v.a[3];
    v.next[1] = v.gate[0] + v.gate[1] * (c - v.gate[0]);
    v.extra[0] = v.next[1];
    v.next[0] = v.gate[3] + v.gate[2] * (v.next[1] - v.gate[3]);
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), c = v.previous[1];
    const V u = v.gate[0], f = v.gate[1], r = v.gate[2], s = v.gate[3], dh = v.dnext[0];
    const V dc = v.dnext[1] + dh * r;
    v.da[0] = dc * (one - f);
    v.da[1] = dc * (c - u) * f * (one - f);
    v.da[2] = dh * (v.extra[0] - s) * r * (one - r);
    v.da[3] = dh * (one - r);
    v.dunit[0] = v.da[1] * c;
    v.dunit[1] = v.da[2] * c;
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dc * f + v.da[1] * v.unit[0] + v.da[2] * v.unit[1];
  }
};
