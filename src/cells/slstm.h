// slstm.h: LSTM with exponential gates and a normaliser (xLSTM: Beck et al. 2024).
//
//   gates i, f, z, o (rows of W [4H, C], R [4H, H] and both biases [4H] in this order)     states h, c, n, m [H]
//   With heads R is zero between units of different heads (layers/recurrent/recurrent_structure.h).
//
//   a = W x + b_ih + R h + b_hh     lf = log sigmoid(a_f), or a_f itself: slstm_exp
//   m' = max(lf + m, a_i), or a_i where n = 0     i = exp(a_i - m')     f = exp(lf + m - m')
//   c' = f c + i tanh(a_z)     n' = f n + i     h' = sigmoid(a_o) c' / n'
//
// c and n are the stabilised ones: times exp(m) they are those without m. n starts at 0: a fresh sequence.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <bool kExponentialForget>
struct SlstmBase : CellDefaults {
  static constexpr std::array<std::string_view, 4> kGates{"i", "f", "z", "o"};
  static constexpr std::array<std::string_view, 4> kStates{"h", "c", "n", "m"};
  static constexpr bool kHeads = true;
  static constexpr unsigned kForgetGates = 1u << 1;  // f
  static constexpr unsigned kKeepGates = kExponentialForget ? 0 : kForgetGates;
  static constexpr int kExtras = 4;  // c', n', d lf / d a_f, and 1 where m' is lf + m

  template <class M, class V>
  static void step(CellForward<V>& v) {
    const V zero = M::constant(0), one = M::constant(1), f = v.a[1];
    V log_forget = f;
    v.extra[2] = one;
    if constexpr (!kExponentialForget) {  // log sigmoid(f) = min(f, 0) - log(1 + exp(-|f|))
      const V low = zero - M::relu(zero - f);
      log_forget = low - M::log(one + M::exp(low - M::relu(f)));
      v.extra[2] = M::sigmoid(zero - f);
    }
    const V ahead = log_forget + v.previous[3] - v.a[0];
    v.extra[3] = M::where_positive(v.previous[2], M::where_positive(ahead, one));
    v.next[3] = v.a[0] + M::where_positive(v.previous[2], M::relu(ahead));
    v.gate[0] = M::exp(v.a[0] - v.next[3]);
    v.gate[1] = M::where_positive(v.previous[2], M::exp(log_forget + v.previous[3] - v.next[3]));
    v.gate[2] = M::tanh(v.a[2]);
    v.gate[3] = M::sigmoid(v.a[3]);
    v.next[1] = v.gate[1] * v.previous[1] + v.gate[0] * v.gate[2];
    v.next[2] = v.gate[1] * v.previous[2] + v.gate[0];
    v.extra[0] = v.next[1];
    v.extra[1] = v.next[2];
    v.next[0] = v.gate[3] * (v.next[1] / v.next[2]);
  }

  // With k = 1 where m' = lf + m, else 0:  di/da_i = k i, di/dlf = di/dm = -k i, df/dlf = df/dm = (1 - k) f,
  // df/da_i = -(1 - k) f.
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), i = v.gate[0], f = v.gate[1], z = v.gate[2], o = v.gate[3];
    const V c = v.extra[0], n = v.extra[1], k = v.extra[3], dh = v.dnext[0];
    const V ratio = c / n, share = dh * o / n;
    const V dc = v.dnext[1] + share, dn = v.dnext[2] - share * ratio;
    const V di = dc * z + dn, df = dc * v.previous[1] + dn * v.previous[2];
    const V toward = k * i * di - (one - k) * f * df;  // of a_i - (lf + m)
    const V dm = k * v.dnext[3] - toward;
    v.da[0] = toward + (one - k) * v.dnext[3];
    v.da[1] = M::where_positive(v.previous[2], dm) * v.extra[2];
    v.da[2] = dc * i * (one - z * z);
    v.da[3] = dh * ratio * o * (one - o);
    v.dprevious[0] = M::constant(0);
    v.dprevious[1] = dc * f;
    v.dprevious[2] = dn * f;
    v.dprevious[3] = M::where_positive(v.previous[2], dm);
  }
};

struct Slstm : SlstmBase<false> {
  static constexpr std::string_view kName = "slstm";
  static constexpr std::string_view kSummary = "LSTM with exponential input gate and normaliser (Beck et al. 2024)";
  static constexpr std::string_view kEquations =
      "a = W x + b_ih + R h + b_hh   m' = max(log sigmoid(a_f) + m, a_i)   i = exp(a_i - m')\n"
      "f = exp(log sigmoid(a_f) + m - m')   c' = f c + i tanh(a_z)   n' = f n + i   h' = sigmoid(a_o) c' / n'";
};

struct SlstmExp : SlstmBase<true> {
  static constexpr std::string_view kName = "slstm_exp";
  static constexpr std::string_view kSummary = "slstm with exponential forget gate";
  static constexpr std::string_view kEquations =
      "a = W x + b_ih + R h + b_hh   m' = max(a_f + m, a_i)   i = exp(a_i - m')   f = exp(a_f + m - m')\n"
      "c' = f c + i tanh(a_z)   n' = f n + i   h' = sigmoid(a_o) c' / n'";
};
