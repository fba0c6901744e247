// lstm_variants.h: the LSTM with parts added or left out, the eight variants of Greff et al. 2017 among them.
//
//   gates: those of i, f, g, o that the cell has, in this order; G of them (rows of W [G H, C], R [G H, P], biases)
//   unit weights weight_ph: the peepholes of i, f, o that are there, in this order [U H]     states h [P], c [H]
//
//   i, f = sigmoid(a + p c)     g = tanh(a)     c' = f c + i g     o = sigmoid(a + p c')     h' = o tanh(c')
//   with a = W x + b_ih + R h + b_hh. A gate that is left out counts as 1; coupled gates: f = 1 - i.
//
// Sources: peepholes Gers & Schmidhuber 2000 (the output with tanh, as Graves, TensorFlow and ONNX have it); the
// variants Greff et al. 2017, all of which have peepholes there; coupled gates as ONNX's input_forget.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

// What a variant has: a sum of these.
inline constexpr unsigned kInput = 1, kForget = 2, kOutput = 4, kCoupled = 8, kPeephole = 16, kInputTanh = 32,
                          kOutputTanh = 64;
inline constexpr unsigned kWholeLstm = kInput | kForget | kOutput | kPeephole | kInputTanh | kOutputTanh;

template <unsigned kParts>
struct LstmVariant : CellDefaults {
  static constexpr bool has(unsigned part) { return (kParts & part) != 0; }
  static constexpr int kI = 0, kF = has(kInput) ? 1 : 0, kG = kF + (has(kForget) ? 1 : 0), kO = kG + 1;
  // Peepholes.
  static constexpr int kPi = 0, kPf = kF, kPo = kG;
  static constexpr std::array<std::string_view, 2> kStates{"h", "c"};
  static constexpr unsigned kForgetGates = has(kForget) ? 1u << kF : 0;  // f
  static constexpr unsigned kKeepGates = kForgetGates;
  static constexpr unsigned kWriteGates = has(kInput) && (has(kForget) || has(kCoupled)) ? 1u << kI : 0;  // i
  static constexpr int kExtras = 2;  // c', tanh(c')
  static constexpr bool kProjection = true;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    const V c = v.previous[1];
    const auto gate = [&](int k, int peephole, V state) {
      return M::sigmoid(has(kPeephole) ? v.a[k] + v.unit[peephole] * state : v.a[k]);
    };
    v.gate[kG] = has(kInputTanh) ? M::tanh(v.a[kG]) : v.a[kG];
    V added = v.gate[kG], kept = c;
    if constexpr (has(kInput)) {
      v.gate[kI] = gate(kI, kPi, c);
      added = v.gate[kI] * added;
    }
    if constexpr (has(kForget)) {
      v.gate[kF] = gate(kF, kPf, c);
      kept = v.gate[kF] * c;
    } else if constexpr (has(kCoupled)) {
      kept = (M::constant(1) - v.gate[kI]) * c;
    }
    v.next[1] = kept + added;
    v.extra[0] = v.next[1];
    v.extra[1] = has(kOutputTanh) ? M::tanh(v.next[1]) : v.next[1];
    v.next[0] = v.extra[1];
    if constexpr (has(kOutput)) {
      v.gate[kO] = gate(kO, kPo, v.next[1]);
      v.next[0] = v.gate[kO] * v.extra[1];
    }
  }

  // dc' = dc' + dh' o (1 - tanh(c')^2) + da_o p_o, then as in lstm.h; dp = da c, that of o with c'.
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), c = v.previous[1], g = v.gate[kG], s = v.extra[1], dh = v.dnext[0];
    V ds = dh, dc = v.dnext[1];
    if constexpr (has(kOutput)) {
      const V o = v.gate[kO];
      ds = dh * o;
      v.da[kO] = dh * s * o * (one - o);
      if constexpr (has(kPeephole)) {
        v.dunit[kPo] = v.da[kO] * v.extra[0];
        dc = dc + v.da[kO] * v.unit[kPo];
      }
    }
    dc = dc + (has(kOutputTanh) ? ds * (one - s * s) : ds);
    V dg = dc, dprevious = dc;
    if constexpr (has(kInput)) {
      const V i = v.gate[kI];
      dg = dc * i;
      v.da[kI] = dc * (has(kCoupled) ? g - c : g) * i * (one - i);
      if constexpr (has(kCoupled)) dprevious = dc * (one - i);
    }
    if constexpr (has(kForget)) {
      const V f = v.gate[kF];
      v.da[kF] = dc * c * f * (one - f);
      dprevious = dc * f;
    }
    if constexpr (has(kPeephole) && has(kInput)) {
      v.dunit[kPi] = v.da[kI] * c;
      dprevious = dprevious + v.da[kI] * v.unit[kPi];
    }
    if constexpr (has(kPeephole) && has(kForget)) {
      v.dunit[kPf] = v.da[kF] * c;
      dprevious = dprevious + v.da[kF] * v.unit[kPf];
    }
    v.da[kG] = has(kInputTanh) ? dg * (one - g * g) : dg;
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dprevious;
  }
};

struct LstmPeephole : LstmVariant<kWholeLstm> {
  static constexpr std::string_view kName = "lstm_peephole";
  static constexpr std::string_view kSummary = "LSTM whose gates see the cell state (Gers & Schmidhuber 2000)";
  static constexpr std::string_view kEquations =
      "i, f = sigmoid(W x + b_ih + R h + b_hh + p c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = f c + i g   o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "g", "o"};
  static constexpr std::array<std::string_view, 3> kUnitWeights{"i", "f", "o"};
};

struct LstmNoInputGate : LstmVariant<kWholeLstm - kInput> {
  static constexpr std::string_view kName = "lstm_nig";
  static constexpr std::string_view kSummary = "lstm_peephole without input gate (Greff et al. 2017: NIG)";
  static constexpr std::string_view kEquations =
      "f = sigmoid(W x + b_ih + R h + b_hh + p_f c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = f c + g   o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 3> kGates{"f", "g", "o"};
  static constexpr std::array<std::string_view, 2> kUnitWeights{"f", "o"};
};

struct LstmNoForgetGate : LstmVariant<kWholeLstm - kForget> {
  static constexpr std::string_view kName = "lstm_nfg";
  static constexpr std::string_view kSummary = "lstm_peephole without forget gate (Greff et al. 2017: NFG)";
  static constexpr std::string_view kEquations =
      "i = sigmoid(W x + b_ih + R h + b_hh + p_i c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = c + i g   o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 3> kGates{"i", "g", "o"};
  static constexpr std::array<std::string_view, 2> kUnitWeights{"i", "o"};
};

struct LstmNoOutputGate : LstmVariant<kWholeLstm - kOutput> {
  static constexpr std::string_view kName = "lstm_nog";
  static constexpr std::string_view kSummary = "lstm_peephole without output gate (Greff et al. 2017: NOG)";
  static constexpr std::string_view kEquations =
      "i, f = sigmoid(W x + b_ih + R h + b_hh + p c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = f c + i g   h' = tanh(c')";
  static constexpr std::array<std::string_view, 3> kGates{"i", "f", "g"};
  static constexpr std::array<std::string_view, 2> kUnitWeights{"i", "f"};
};

struct LstmNoInputActivation : LstmVariant<kWholeLstm - kInputTanh> {
  static constexpr std::string_view kName = "lstm_niaf";
  static constexpr std::string_view kSummary = "lstm_peephole without input activation (Greff et al. 2017: NIAF)";
  static constexpr std::string_view kEquations =
      "i, f = sigmoid(W x + b_ih + R h + b_hh + p c)   g = W x + b_ih + R h + b_hh\n"
      "c' = f c + i g   o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "g", "o"};
  static constexpr std::array<std::string_view, 3> kUnitWeights{"i", "f", "o"};
};

struct LstmNoOutputActivation : LstmVariant<kWholeLstm - kOutputTanh> {
  static constexpr std::string_view kName = "lstm_noaf";
  static constexpr std::string_view kSummary = "lstm_peephole without output activation (Greff et al. 2017: NOAF)";
  static constexpr std::string_view kEquations =
      "i, f = sigmoid(W x + b_ih + R h + b_hh + p c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = f c + i g   o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o c'";
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "g", "o"};
  static constexpr std::array<std::string_view, 3> kUnitWeights{"i", "f", "o"};
};

struct Cifg : LstmVariant<kWholeLstm - kForget - kPeephole + kCoupled> {
  static constexpr std::string_view kName = "cifg";
  static constexpr std::string_view kSummary = "LSTM with coupled input and forget gates (Greff et al. 2017)";
  static constexpr std::string_view kEquations =
      "i, o = sigmoid(W x + b_ih + R h + b_hh)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = (1 - i) c + i g   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 3> kGates{"i", "g", "o"};
};

struct CifgPeephole : LstmVariant<kWholeLstm - kForget + kCoupled> {
  static constexpr std::string_view kName = "cifg_peephole";
  static constexpr std::string_view kSummary = "coupled gates and peepholes (Greff et al. 2017: CIFG)";
  static constexpr std::string_view kEquations =
      "i = sigmoid(W x + b_ih + R h + b_hh + p_i c)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = (1 - i) c + i g   o = sigmoid(W x + b_ih + R h + b_hh + p_o c')   h' = o tanh(c')";
  static constexpr std::array<std::string_view, 3> kGates{"i", "g", "o"};
  static constexpr std::array<std::string_view, 2> kUnitWeights{"i", "o"};
};
