// mlstm.h: LSTM whose memory is a matrix (xLSTM: Beck et al. 2024): a key stores a value, a query reads it.
//
//   gates q, k, v, o, i, f (rows of W [4H + 2 heads, C] and bias_ih in this order): H rows each, i and f one a head
//   states h [H], C [heads, d, d], n [heads, d], m [heads] for heads of d = H / heads units; h is only given out
//
//   q, v = W x + b     k = W x / sqrt(d) + b     o = sigmoid(W x + b)     a_i, a_f = W x + b     by head:
//   m' = max(lf + m, a_i)     i = exp(a_i - m')     f = exp(lf + m - m')     lf = log sigmoid(a_f), or a_f: mlstm_exp
//   C' = f C + i v k^T     n' = f n + i k     h' = o C' q / max(|n' q|, exp(-m'))
//
// C and n are the stabilised ones: times exp(m) they are those without m. A fresh sequence has C, n and m = 0.
// All gates come from x: there is no weight_hh. Steps are in matrix_step.h, sequences in layers/scan/matrix_scan.h.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct MlstmBase : CellDefaults {
  static constexpr std::array<std::string_view, 6> kGates{"q", "k", "v", "o", "i", "f"};
  static constexpr std::array<std::string_view, 4> kStates{"h", "C", "n", "m"};
  static constexpr unsigned kForgetGates = 1u << 5;  // f
  static constexpr int kInputGates = 6;
};

struct Mlstm : MlstmBase {
  static constexpr std::string_view kName = "mlstm";
  static constexpr std::string_view kSummary = "LSTM with a matrix memory, all gates from x (Beck et al. 2024)";
  static constexpr std::string_view kEquations =
      "q, v = W x + b_ih   k = W x / sqrt(d) + b_ih   o = sigmoid(W x + b_ih)   a_i, a_f = W x + b_ih   by head:\n"
      "m' = max(log sigmoid(a_f) + m, a_i)   i = exp(a_i - m')   f = exp(log sigmoid(a_f) + m - m')\n"
      "C' = f C + i v k^T   n' = f n + i k   h' = o C' q / max(|n' q|, exp(-m'))";
  static constexpr unsigned kKeepGates = kForgetGates;
  static constexpr MatrixMemory kMatrixMemory = MatrixMemory::kSigmoidForget;
};

struct MlstmExp : MlstmBase {
  static constexpr std::string_view kName = "mlstm_exp";
  static constexpr std::string_view kSummary = "mlstm with exponential forget gate";
  static constexpr std::string_view kEquations =
      "q, v = W x + b_ih   k = W x / sqrt(d) + b_ih   o = sigmoid(W x + b_ih)   a_i, a_f = W x + b_ih   by head:\n"
      "m' = max(a_f + m, a_i)   i = exp(a_i - m')   f = exp(a_f + m - m')\n"
      "C' = f C + i v k^T   n' = f n + i k   h' = o C' q / max(|n' q|, exp(-m'))";
  static constexpr MatrixMemory kMatrixMemory = MatrixMemory::kExponentialForget;
};
