// grid_lstm.h: Grid LSTM of two dimensions, time and depth (Kalchbrenner et al. 2015): one LSTM along each.
//
//   gates ti, tf, tg, to along time, di, df, dg, do along depth (rows of W [8H, H], R [8H, H], both biases [8H])
//   states h, m along depth, which go to the layer above; h_time, m_time [H], which go to the next step
//   x: h of the layer below; l: m of the layer below. A linear layer makes both for the lowest layer.
//
//   a = W x + b_ih + R h_time + b_hh     i, f, o = sigmoid(a)     g = tanh(a)
//   m_time' = tf m_time + ti tg     h_time' = tanh(to m_time'), or to tanh(m_time'): standard
//   m' = df l + di dg               h' = tanh(do m'), or do tanh(m')
//   priority: the product of R for the depth gates takes h_time'
//
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <bool kPriority, bool kStandard>
struct GridLstmBase : CellDefaults {
  static constexpr std::array<std::string_view, 8> kGates{"ti", "tf", "tg", "to", "di", "df", "dg", "do"};
  static constexpr std::array<std::string_view, 4> kStates{"h", "m", "h_time", "m_time"};
  static constexpr std::array<int, 1> kRecurrentStates{2};
  static constexpr int kInnerGates = kPriority ? 4 : 0;
  static constexpr bool kLower = true, kEntry = true;
  static constexpr unsigned kForgetGates = 1u << 1 | 1u << 5;             // tf, df
  static constexpr unsigned kKeepGates = 1u << 1, kWriteGates = 1u << 0;  // tf, ti
  static constexpr int kExtras = 4;                                       // per dimension: m', tanh(o m') or tanh(m')

  // One LSTM whose four gates begin at kFirst, from memory m.
  template <int kFirst, class M, class V>
  static void step_one(CellForward<V>& v, V m, V& squashed, V& next_h, V& next_m) {
    v.gate[kFirst] = M::sigmoid(v.a[kFirst]);
    v.gate[kFirst + 1] = M::sigmoid(v.a[kFirst + 1]);
    v.gate[kFirst + 2] = M::tanh(v.a[kFirst + 2]);
    v.gate[kFirst + 3] = M::sigmoid(v.a[kFirst + 3]);
    next_m = v.gate[kFirst + 1] * m + v.gate[kFirst] * v.gate[kFirst + 2];
    squashed = M::tanh(kStandard ? next_m : v.gate[kFirst + 3] * next_m);
    next_h = kStandard ? v.gate[kFirst + 3] * squashed : squashed;
  }

  // da of the four gates; returns the gradient of m.
  template <int kFirst, class M, class V>
  static V back_one(CellBackward<V>& v, V m, V next_m, V squashed, V dh, V dm) {
    const V one = M::constant(1), slope = one - squashed * squashed;
    const V i = v.gate[kFirst], f = v.gate[kFirst + 1], g = v.gate[kFirst + 2], o = v.gate[kFirst + 3];
    const V d = dm + dh * o * slope;
    v.da[kFirst] = d * g * i * (one - i);
    v.da[kFirst + 1] = d * m * f * (one - f);
    v.da[kFirst + 2] = d * i * (one - g * g);
    v.da[kFirst + 3] = dh * (kStandard ? squashed : slope * next_m) * o * (one - o);
    return d * f;
  }

  template <class M, class V>
  static void step_inner(CellForward<V>& v) {
    V squashed, next_m;
    step_one<0, M>(v, v.previous[3], squashed, v.inner, next_m);
  }

  template <class M, class V>
  static void step(CellForward<V>& v) {
    if constexpr (kPriority) {  // the time gates are finished
      v.next[3] = v.gate[1] * v.previous[3] + v.gate[0] * v.gate[2];
      v.extra[1] = M::tanh(kStandard ? v.next[3] : v.gate[3] * v.next[3]);
      v.next[2] = kStandard ? v.gate[3] * v.extra[1] : v.extra[1];
    } else {
      step_one<0, M>(v, v.previous[3], v.extra[1], v.next[2], v.next[3]);
    }
    v.extra[0] = v.next[3];
    step_one<4, M>(v, v.lower, v.extra[3], v.next[0], v.next[1]);
    v.extra[2] = v.next[1];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.dlower = back_one<4, M>(v, v.lower, v.extra[2], v.extra[3], v.dnext[0], v.dnext[1]);
    v.dprevious[0] = v.dprevious[1] = v.dprevious[2] = M::constant(0);
    if constexpr (kPriority) {  // goes on in step_inner_backward, when the gradient of h_time' is whole
      for (int k = 0; k < 4; ++k) v.da[k] = M::constant(0);
      v.dprevious[2] = v.dnext[2];
      v.dprevious[3] = v.dnext[3];
    } else {
      v.dprevious[3] = back_one<0, M>(v, v.previous[3], v.extra[0], v.extra[1], v.dnext[2], v.dnext[3]);
    }
  }

  template <class M, class V>
  static void step_inner_backward(CellBackward<V>& v) {
    const V next_m = v.gate[1] * v.previous[3] + v.gate[0] * v.gate[2];
    const V squashed = M::tanh(kStandard ? next_m : v.gate[3] * next_m);
    const V dh = v.dprevious[2] + v.dinner;
    v.dprevious[3] = back_one<0, M>(v, v.previous[3], next_m, squashed, dh, v.dprevious[3]);
    v.dprevious[2] = M::constant(0);
  }
};

struct GridLstm : GridLstmBase<false, false> {
  static constexpr std::string_view kName = "grid_lstm";
  static constexpr std::string_view kSummary = "LSTMs along time and depth (Kalchbrenner et al. 2015)";
  static constexpr std::string_view kEquations =
      "a = W x + b_ih + R h_time + b_hh   i, f, o = sigmoid(a)   g = tanh(a)   (x, l: h and m of the layer below)\n"
      "m_time' = tf m_time + ti tg   h_time' = tanh(to m_time')   m' = df l + di dg   h' = tanh(do m')";
};

struct GridLstmPriority : GridLstmBase<true, false> {
  static constexpr std::string_view kName = "grid_lstm_priority";
  static constexpr std::string_view kSummary = "grid_lstm whose depth sees the new h_time";
  static constexpr std::string_view kEquations = "as grid_lstm, with R h_time' in the gates di, df, dg, do";
};

struct GridLstmStandard : GridLstmBase<false, true> {
  static constexpr std::string_view kName = "grid_lstm_standard";
  static constexpr std::string_view kSummary = "grid_lstm with the usual output o tanh(m)";
  static constexpr std::string_view kEquations = "as grid_lstm, with h_time' = to tanh(m_time') and h' = do tanh(m')";
};

struct GridLstmPriorityStandard : GridLstmBase<true, true> {
  static constexpr std::string_view kName = "grid_lstm_priority_standard";
  static constexpr std::string_view kSummary = "grid_lstm_standard whose depth sees the new h_time";
  static constexpr std::string_view kEquations = "as grid_lstm_standard, with R h_time' in the gates di, df, dg, do";
};
