// lstm_fgr.h: LSTM whose gates see the gates of the step before: full gate recurrence (Hochreiter & Schmidhuber 1997 in
// their first version; the variant FGR of Greff et al. 2017).
//
//   gates i, f, g, o (rows of W [4H, C], R [4H, P + 3H] and both biases [4H])     states h [P], c, i, f, o [H]
//   unit weights weight_ph i, f, o [3H]: p
//
//   As lstm_peephole, but the product of R takes h, i, f and o of the step before, side by side; the block of g sees h
//   alone (layers/recurrent/recurrent_structure.h).
//
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct LstmFullGateRecurrence : CellDefaults {
  static constexpr std::string_view kName = "lstm_fgr";
  static constexpr std::string_view kSummary = "lstm_peephole with recurrent gates (Greff et al. 2017: FGR)";
  static constexpr std::string_view kEquations =
      "i, f = sigmoid(W x + b_ih + R (h, i, f, o) + b_hh + p c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = f c + i g   o = sigmoid(W x + b_ih + R (h, i, f, o) + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "g", "o"};
  static constexpr std::array<std::string_view, 5> kStates{"h", "c", "i", "f", "o"};
  static constexpr std::array<std::string_view, 3> kUnitWeights{"i", "f", "o"};
  static constexpr std::array<int, 4> kRecurrentStates{0, 2, 3, 4};
  static constexpr bool kCandidateSeesH = true;
  static constexpr unsigned kForgetGates = 1u << 1;                       // f
  static constexpr unsigned kKeepGates = 1u << 1, kWriteGates = 1u << 0;  // f, i
  static constexpr int kExtras = 2;                                       // c', tanh(c')
  static constexpr bool kProjection = true;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    const V c = v.previous[1];
    v.gate[0] = M::sigmoid(v.a[0] + v.unit[0] * c);
    v.gate[1] = M::sigmoid(v.a[1] + v.unit[1] * c);
    v.gate[2] = M::tanh(v.a[2]);
    v.next[1] = v.gate[1] * c + v.gate[0] * v.gate[2];
    v.gate[3] = M::sigmoid(v.a[3] + v.unit[2] * v.next[1]);
    v.extra[0] = v.next[1];
    v.extra[1] = M::tanh(v.next[1]);
    v.next[0] = v.gate[3] * v.extra[1];
    v.next[2] = v.gate[0];
    v.next[3] = v.gate[1];
    v.next[4] = v.gate[3];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V zero = M::constant(0), one = M::constant(1), c = v.previous[1];
    const V i = v.gate[0], f = v.gate[1], g = v.gate[2], o = v.gate[3], s = v.extra[1];
    v.da[3] = (v.dnext[0] * s + v.dnext[4]) * o * (one - o);
    const V dc = v.dnext[1] + v.dnext[0] * o * (one - s * s) + v.da[3] * v.unit[2];
    v.da[0] = (dc * g + v.dnext[2]) * i * (one - i);
    v.da[1] = (dc * c + v.dnext[3]) * f * (one - f);
    v.da[2] = dc * i * (one - g * g);
    v.dunit[0] = v.da[0] * c;
    v.dunit[1] = v.da[1] * c;
    v.dunit[2] = v.da[3] * v.extra[0];
    v.dprevious[0] = zero;
    v.dprevious[1] = dc * f + v.da[0] * v.unit[0] + v.da[1] * v.unit[1];
    v.dprevious[2] = zero;
    v.dprevious[3] = zero;
    v.dprevious[4] = zero;
  }
};
