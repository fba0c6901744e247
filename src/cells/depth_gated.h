// depth_gated.h: depth-gated LSTM (Yao et al. 2015): the cell state of the layer below flows in through a gate.
//
//   gates i, f, g, o, d (rows of W [5H, C] and bias_ih [5H]; the first four those of R [4H, P] and bias_hh [4H])
//   unit weights weight_ph: the peepholes i, f, o if there are any, then of gate d those of c and of the lower c
//   states h [P], c [H]     l: c' of the layer below. The lowest layer is an LSTM without gate d.
//
//   i, f, o, g as in lstm, or lstm_peephole     d = sigmoid(W x + b_ih + p_c c + p_l l)
//   c' = d l + f c + i g     h' = o tanh(c')
//
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <bool kPeephole>
struct DepthGatedBase : CellDefaults {
  static constexpr std::array<std::string_view, 5> kGates{"i", "f", "g", "o", "d"};
  static constexpr std::array<std::string_view, 2> kStates{"h", "c"};
  static constexpr int kInputGates = 1;
  static constexpr bool kLower = true;
  static constexpr unsigned kForgetGates = 1u << 1;                       // f
  static constexpr unsigned kKeepGates = 1u << 1, kWriteGates = 1u << 0;  // f, i
  static constexpr int kExtras = 2;                                       // c', tanh(c')
  static constexpr int kOfC = kPeephole ? 3 : 0, kOfLower = kOfC + 1;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    const V c = v.previous[1];
    v.gate[0] = M::sigmoid(kPeephole ? v.a[0] + v.unit[0] * c : v.a[0]);
    v.gate[1] = M::sigmoid(kPeephole ? v.a[1] + v.unit[1] * c : v.a[1]);
    v.gate[2] = M::tanh(v.a[2]);
    v.gate[4] = M::sigmoid(v.a[4] + v.unit[kOfC] * c + v.unit[kOfLower] * v.lower);
    v.next[1] = v.gate[4] * v.lower + v.gate[1] * c + v.gate[0] * v.gate[2];
    v.gate[3] = M::sigmoid(kPeephole ? v.a[3] + v.unit[2] * v.next[1] : v.a[3]);
    v.extra[0] = v.next[1];
    v.extra[1] = M::tanh(v.next[1]);
    v.next[0] = v.gate[3] * v.extra[1];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), c = v.previous[1];
    const V i = v.gate[0], f = v.gate[1], g = v.gate[2], o = v.gate[3], d = v.gate[4], s = v.extra[1];
    v.da[3] = v.dnext[0] * s * o * (one - o);
    V dc = v.dnext[1] + v.dnext[0] * o * (one - s * s);
    if constexpr (kPeephole) dc = dc + v.da[3] * v.unit[2];
    v.da[0] = dc * g * i * (one - i);
    v.da[1] = dc * c * f * (one - f);
    v.da[2] = dc * i * (one - g * g);
    v.da[4] = dc * v.lower * d * (one - d);
    v.dlower = dc * d + v.da[4] * v.unit[kOfLower];
    v.dunit[kOfC] = v.da[4] * c;
    v.dunit[kOfLower] = v.da[4] * v.lower;
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dc * f + v.da[4] * v.unit[kOfC];
    if constexpr (kPeephole) {
      v.dunit[0] = v.da[0] * c;
      v.dunit[1] = v.da[1] * c;
      v.dunit[2] = v.da[3] * v.extra[0];
      v.dprevious[1] = v.dprevious[1] + v.da[0] * v.unit[0] + v.da[1] * v.unit[1];
    }
  }
};

struct DepthGated : DepthGatedBase<false> {
  static constexpr std::string_view kName = "depth_gated";
  static constexpr std::string_view kSummary = "LSTM that lets the cell state of the layer below in (Yao et al. 2015)";
  static constexpr std::string_view kEquations =
      "i, f, o = sigmoid(W x + b_ih + R h + b_hh)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "d = sigmoid(W x + b_ih + p_c c + p_l l)   c' = d l + f c + i g   h' = o tanh(c')   (l: c' of the layer below)";
  static constexpr std::array<std::string_view, 2> kUnitWeights{"c", "l"};
  static constexpr std::string_view kLowestLayer = "lstm";
};

struct DepthGatedPeephole : DepthGatedBase<true> {
  static constexpr std::string_view kName = "depth_gated_peephole";
  static constexpr std::string_view kSummary = "depth_gated with peepholes";
  static constexpr std::string_view kEquations =
      "i, f = sigmoid(W x + b_ih + R h + b_hh + p c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "d = sigmoid(W x + b_ih + p_c c + p_l l)   c' = d l + f c + i g   (l: c' of the layer below)\n"
      "o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 5> kUnitWeights{"i", "f", "o", "c", "l"};
  static constexpr std::string_view kLowestLayer = "lstm_peephole";
};
