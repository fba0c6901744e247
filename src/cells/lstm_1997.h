// lstm_1997.h: the first long short-term memory, without forget gate (Hochreiter & Schmidhuber 1997).
//
//   gates i, g, o (rows of W [3H, C], R [3H, P] and both biases [3H] in this order)     states h [P], c [H]
//
//   i, o = sigmoid(a)     c' = c + i G(a_g)     h' = o S(c')     a = W x + b_ih + R h + b_hh
//   1997: G(v) = 4 sigmoid(v) - 2 = 2 tanh(v / 2), S(v) = 2 sigmoid(v) - 1 = tanh(v / 2);   later: both tanh
//
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <bool kHalved>
struct Lstm1997Base : CellDefaults {
  static constexpr std::array<std::string_view, 3> kGates{"i", "g", "o"};
  static constexpr std::array<std::string_view, 2> kStates{"h", "c"};
  static constexpr int kExtras = 1;  // S(c')
  static constexpr bool kProjection = true;

  template <class M, class V>
  static V squash(V x) {
    return M::tanh(kHalved ? M::constant(0.5f) * x : x);
  }

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.gate[1] = squash<M, V>(v.a[1]);
    v.gate[2] = M::sigmoid(v.a[2]);
    v.next[1] = v.previous[1] + v.gate[0] * (kHalved ? v.gate[1] + v.gate[1] : v.gate[1]);
    v.extra[0] = squash<M, V>(v.next[1]);
    v.next[0] = v.gate[2] * v.extra[0];
  }

  // d tanh(x / 2) / dx = (1 - tanh(x / 2)^2) / 2
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), half = M::constant(0.5f);
    const V i = v.gate[0], g = v.gate[1], o = v.gate[2], s = v.extra[0];
    const V slope = kHalved ? half * (one - s * s) : one - s * s;
    const V dc = v.dnext[1] + v.dnext[0] * o * slope;
    v.da[0] = dc * (kHalved ? g + g : g) * i * (one - i);
    v.da[1] = dc * i * (one - g * g);  // the factors 2 and 1/2 cancel
    v.da[2] = v.dnext[0] * s * o * (one - o);
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dc;
  }
};

struct Lstm1997 : Lstm1997Base<true> {
  static constexpr std::string_view kName = "lstm_1997";
  static constexpr std::string_view kSummary = "the first LSTM, without forget gate (Hochreiter & Schmidhuber 1997)";
  static constexpr std::string_view kEquations =
      "i, o = sigmoid(W x + b_ih + R h + b_hh)   g = tanh((W x + b_ih + R h + b_hh) / 2)\n"
      "c' = c + 2 i g   h' = o tanh(c' / 2)";
};

struct Lstm1997Tanh : Lstm1997Base<false> {
  static constexpr std::string_view kName = "lstm_1997_tanh";
  static constexpr std::string_view kSummary = "LSTM without forget gate, squashed by tanh";
  static constexpr std::string_view kEquations =
      "i, o = sigmoid(W x + b_ih + R h + b_hh)   g = tanh(W x + b_ih + R h + b_hh)\n"
      "c' = c + i g   h' = o tanh(c')";
};
