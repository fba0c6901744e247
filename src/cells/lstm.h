// lstm.h: long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).
//
//   gates i, f, g, o (rows of W [4H, C], R [4H, P] and both biases [4H] in this order)     states h [P], c [H]
//
//   i, f, o = sigmoid(a)    g = tanh(a)     a = W x + b_ih + R h + b_hh
//   c' = f c + i g          h' = o tanh(c') or, with projection, h' = W_hr (o tanh(c')), W_hr [P, H]
//
// Source: PyTorch nn.LSTM. This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct Lstm : CellDefaults {
  static constexpr std::string_view kName = "lstm";
  static constexpr std::string_view kSummary = "long short-term memory with forget gate (Gers et al. 2000)";
  static constexpr std::string_view kEquations =
      "i, f, o = sigmoid(W x + b_ih + R h + b_hh)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = f c + i g   h' = o tanh(c')   (with projection: h' = W_hr (o tanh(c')))";
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "g", "o"};
  static constexpr std::array<std::string_view, 2> kStates{"h", "c"};
  static constexpr unsigned kForgetGates = 1u << 1;                       // f
  static constexpr unsigned kKeepGates = 1u << 1, kWriteGates = 1u << 0;  // f, i
  static constexpr int kExtras = 1;                                       // tanh(c')
  static constexpr bool kProjection = true;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.gate[1] = M::sigmoid(v.a[1]);
    v.gate[2] = M::tanh(v.a[2]);
    v.gate[3] = M::sigmoid(v.a[3]);
    v.next[1] = v.gate[1] * v.previous[1] + v.gate[0] * v.gate[2];
    v.extra[0] = M::tanh(v.next[1]);
    v.next[0] = v.gate[3] * v.extra[0];
  }

  // dc = dc' + dh' o (1 - tanh(c')^2);   sigmoid' = s (1 - s), tanh' = 1 - t^2
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1);
    const V i = v.gate[0], f = v.gate[1], g = v.gate[2], o = v.gate[3], tanh_c = v.extra[0];
    const V dc = v.dnext[1] + v.dnext[0] * o * (one - tanh_c * tanh_c);
    v.da[0] = dc * g * i * (one - i);
    v.da[1] = dc * v.previous[1] * f * (one - f);
    v.da[2] = dc * i * (one - g * g);
    v.da[3] = v.dnext[0] * tanh_c * o * (one - o);
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dc * f;
  }
};
