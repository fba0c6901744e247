// lstm_layer_norm.h: LSTM with layer normalisation (Ba et al. 2016, eq. 20 to 22).
//
//   gates i, f, g, o (rows of W [4H, C], R [4H, P] and both biases [4H] in this order)     states h [P], c [H]
//   unit weights weight_ph [10H]: gains of W x for i, f, g, o, gains of R h for the same, gain and bias of c'
//
//   a = LN(W x) + b_ih + LN(R h) + b_hh     i, f, o = sigmoid(a)     g = tanh(a)
//   c' = f c + i g     h' = o tanh(LN(c')) or, with projection, h' = W_hr (o tanh(LN(c')))
//   LN(v) = gain (v - mean) / sqrt(variance + 1e-5), for c' + bias. The statistics are those of all 4H numbers of W x,
//   of all 4H of R h, of the H of c'. What goes on to the next step is c' itself.
//
// Sources: the authors' own code and Haste normalise 4H numbers together, as here; TensorFlow's LayerNormBasicLSTMCell
// takes each gate by itself, after both products are added up, and carries on LN(c').
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct LstmLayerNorm : CellDefaults {
  static constexpr std::string_view kName = "lstm_layer_norm";
  static constexpr std::string_view kSummary = "LSTM with layer normalisation (Ba et al. 2016)";
  static constexpr std::string_view kEquations =
      "a = LN(W x) + b_ih + LN(R h) + b_hh   i, f, o = sigmoid(a)   g = tanh(a)\n"
      "c' = f c + i g   h' = o tanh(LN(c'))   LN(v) = gain (v - mean) / sqrt(variance + 1e-5) (+ bias: of c')";
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "g", "o"};
  static constexpr std::array<std::string_view, 2> kStates{"h", "c"};
  static constexpr std::array<std::string_view, 10> kUnitWeights{"gain_xi", "gain_xf", "gain_xg", "gain_xo", "gain_hi",
                                                                 "gain_hf", "gain_hg", "gain_ho", "gain_c",  "bias_c"};
  static constexpr unsigned kForgetGates = 1u << 1;                       // f
  static constexpr unsigned kKeepGates = 1u << 1, kWriteGates = 1u << 0;  // f, i
  static constexpr int kExtras = 1;                                       // tanh(LN(c'))
  static constexpr bool kSplitGates = true, kProjection = true;
  static constexpr bool kNormalised = true;
  static constexpr int kNormalisedState = 1;  // c

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0] + v.q[0]);
    v.gate[1] = M::sigmoid(v.a[1] + v.q[1]);
    v.gate[2] = M::tanh(v.a[2] + v.q[2]);
    v.gate[3] = M::sigmoid(v.a[3] + v.q[3]);
    v.next[1] = v.gate[1] * v.previous[1] + v.gate[0] * v.gate[2];
  }

  template <class M, class V>
  static void step_output(CellForward<V>& v) {
    v.extra[0] = M::tanh(v.normal);
    v.next[0] = v.gate[3] * v.extra[0];
  }

  template <class M, class V>
  static void step_output_backward(CellBackward<V>& v) {
    v.dnormal = v.dnext[0] * v.gate[3] * (M::constant(1) - v.extra[0] * v.extra[0]);
  }

  // As in lstm.h; what comes to c' by way of LN is in dnext[1] already.
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1);
    const V i = v.gate[0], f = v.gate[1], g = v.gate[2], o = v.gate[3], dc = v.dnext[1];
    v.da[0] = dc * g * i * (one - i);
    v.da[1] = dc * v.previous[1] * f * (one - f);
    v.da[2] = dc * i * (one - g * g);
    v.da[3] = v.dnext[0] * v.extra[0] * o * (one - o);
    for (int k = 0; k < 4; ++k) v.dq[k] = v.da[k];
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dc * f;
  }
};
