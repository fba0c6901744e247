// rnn.h: the plain recurrent unit (Elman 1990).    gate h    state h    W [H, C]  R [H, H]
//
//   h' = act(W x + b_ih + R h + b_hh)      act: tanh, relu, sigmoid or none
//
// Source: PyTorch nn.RNN (without activation: the linear case of Elman's network).
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct PlainUnit : CellDefaults {
  static constexpr std::array<std::string_view, 1> kGates{"h"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
};

struct RnnTanh : PlainUnit {
  static constexpr std::string_view kName = "rnn";
  static constexpr std::string_view kSummary = "plain recurrent unit, tanh (Elman 1990)";
  static constexpr std::string_view kEquations = "h' = tanh(W x + b_ih + R h + b_hh)";

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::tanh(v.a[0]);
    v.next[0] = v.gate[0];
  }

  // d tanh(a) / da = 1 - tanh(a)^2
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.da[0] = v.dnext[0] * (M::constant(1) - v.gate[0] * v.gate[0]);
    v.dprevious[0] = M::constant(0);
  }
};

struct RnnRelu : PlainUnit {
  static constexpr std::string_view kName = "rnn_relu";
  static constexpr std::string_view kSummary = "plain recurrent unit, relu";
  static constexpr std::string_view kEquations = "h' = max(0, W x + b_ih + R h + b_hh)";

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::relu(v.a[0]);
    v.next[0] = v.gate[0];
  }

  // d relu(a) / da = 1 where relu(a) > 0, else 0
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.da[0] = M::where_positive(v.gate[0], v.dnext[0]);
    v.dprevious[0] = M::constant(0);
  }
};

struct RnnSigmoid : PlainUnit {
  static constexpr std::string_view kName = "rnn_sigmoid";
  static constexpr std::string_view kSummary = "plain recurrent unit, sigmoid";
  static constexpr std::string_view kEquations = "h' = sigmoid(W x + b_ih + R h + b_hh)";

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::sigmoid(v.a[0]);
    v.next[0] = v.gate[0];
  }

  // d sigmoid(a) / da = sigmoid(a) (1 - sigmoid(a))
  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.da[0] = v.dnext[0] * v.gate[0] * (M::constant(1) - v.gate[0]);
    v.dprevious[0] = M::constant(0);
  }
};

struct RnnLinear : PlainUnit {
  static constexpr std::string_view kName = "rnn_linear";
  static constexpr std::string_view kSummary = "plain recurrent unit without activation";
  static constexpr std::string_view kEquations = "h' = W x + b_ih + R h + b_hh";

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = v.a[0];
    v.next[0] = v.gate[0];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.da[0] = v.dnext[0];
    v.dprevious[0] = M::constant(0);
  }
};
