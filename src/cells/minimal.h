// minimal.h: minGRU and minLSTM (Feng et al. 2024): gates that do not see h, so training needs no product in the loop.
//
//   minGRU   gates z, n (rows of W [2H, C], bias_ih [2H])       z = sigmoid(a)        h' = (1 - z) h + z n
//   minLSTM  gates f, i, n (rows of W [3H, C], bias_ih [3H])    f, i = sigmoid(a)     h' = (f h + i n) / (f + i)
//            plain: h' = f h + i n
//   a = W x + b_ih     n = a, or positive: n = g(a) with g(v) = v + 0.5 for v >= 0, sigmoid(v) below     state h [H]
//
// The initial state enters as it is (some code takes g of it).
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <bool kPositive>
struct Candidate {
  // g(v) = max(v, 0) + sigmoid(min(v, 0))
  template <class M, class V>
  static V of(V a) {
    return kPositive ? M::relu(a) + M::sigmoid(M::constant(0) - M::relu(M::constant(0) - a)) : a;
  }
  // dg/dv from g: 1 above 1/2, else g (1 - g)
  template <class M, class V>
  static V slope(V g) {
    const V one = M::constant(1), low = g * (one - g);
    return kPositive ? low + M::where_positive(g - M::constant(0.5f), one - low) : one;
  }
};

template <bool kPositive>
struct MinGruBase : CellDefaults {
  static constexpr std::array<std::string_view, 2> kGates{"z", "n"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
  static constexpr unsigned kWriteGates = 1u << 0;  // z
  static constexpr int kInputGates = 2;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.gate[1] = Candidate<kPositive>::template of<M, V>(v.a[1]);
    v.next[0] = v.previous[0] + v.gate[0] * (v.gate[1] - v.previous[0]);
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), z = v.gate[0], n = v.gate[1], dh = v.dnext[0];
    v.da[0] = dh * (n - v.previous[0]) * z * (one - z);
    v.da[1] = dh * z * Candidate<kPositive>::template slope<M, V>(n);
    v.dprevious[0] = dh * (one - z);
  }
};

template <bool kPositive, bool kNormalize>
struct MinLstmBase : CellDefaults {
  static constexpr std::array<std::string_view, 3> kGates{"f", "i", "n"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
  static constexpr unsigned kForgetGates = 1u << 0;                       // f
  static constexpr unsigned kKeepGates = 1u << 0, kWriteGates = 1u << 1;  // f, i
  static constexpr int kInputGates = 3;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.gate[1] = M::sigmoid(v.a[1]);
    v.gate[2] = Candidate<kPositive>::template of<M, V>(v.a[2]);
    const V sum = v.gate[0] * v.previous[0] + v.gate[1] * v.gate[2];
    v.next[0] = kNormalize ? sum / (v.gate[0] + v.gate[1]) : sum;
  }

  // With s = f + i:  d(f h + i n)/s by f: i (h - n) / s^2, by i: f (n - h) / s^2
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), f = v.gate[0], i = v.gate[1], n = v.gate[2], h = v.previous[0];
    const V share = kNormalize ? v.dnext[0] / (f + i) : v.dnext[0];
    const V step = kNormalize ? share / (f + i) : share;
    v.da[0] = step * (kNormalize ? i * (h - n) : h) * f * (one - f);
    v.da[1] = step * (kNormalize ? f * (n - h) : n) * i * (one - i);
    v.da[2] = share * i * Candidate<kPositive>::template slope<M, V>(n);
    v.dprevious[0] = share * f;
  }
};

struct MinGru : MinGruBase<false> {
  static constexpr std::string_view kName = "min_gru";
  static constexpr std::string_view kSummary = "minimal GRU without recurrent product (Feng et al. 2024)";
  static constexpr std::string_view kEquations = "z = sigmoid(W x + b_ih)   n = W x + b_ih   h' = (1 - z) h + z n";
};

struct MinGruPositive : MinGruBase<true> {
  static constexpr std::string_view kName = "min_gru_positive";
  static constexpr std::string_view kSummary = "min_gru with a positive candidate, as for scans in log space";
  static constexpr std::string_view kEquations =
      "z = sigmoid(W x + b_ih)   n = g(W x + b_ih)   h' = (1 - z) h + z n\n"
      "g(v) = v + 0.5 for v >= 0, sigmoid(v) below";
};

struct MinLstm : MinLstmBase<false, true> {
  static constexpr std::string_view kName = "min_lstm";
  static constexpr std::string_view kSummary = "minimal LSTM without recurrent product (Feng et al. 2024)";
  static constexpr std::string_view kEquations =
      "f, i = sigmoid(W x + b_ih)   n = W x + b_ih   h' = (f h + i n) / (f + i)";
};

struct MinLstmPositive : MinLstmBase<true, true> {
  static constexpr std::string_view kName = "min_lstm_positive";
  static constexpr std::string_view kSummary = "min_lstm with a positive candidate, as for scans in log space";
  static constexpr std::string_view kEquations =
      "f, i = sigmoid(W x + b_ih)   n = g(W x + b_ih)   h' = (f h + i n) / (f + i)\n"
      "g(v) = v + 0.5 for v >= 0, sigmoid(v) below";
};

struct MinLstmPlain : MinLstmBase<false, false> {
  static constexpr std::string_view kName = "min_lstm_plain";
  static constexpr std::string_view kSummary = "min_lstm whose gates do not share 1 between them";
  static constexpr std::string_view kEquations = "f, i = sigmoid(W x + b_ih)   n = W x + b_ih   h' = f h + i n";
};
