// indrnn.h: independently recurrent unit (Li et al. 2018): each unit sees its own past only.
//
//   gate h (rows of W [H, C] and bias_ih [H])     unit weight weight_ph [H]: u     state h [H]
//
//   h' = act(W x + b_ih + u h)      act: relu, or tanh
//
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct IndependentUnit : CellDefaults {
  static constexpr std::array<std::string_view, 1> kGates{"h"};
  static constexpr std::array<std::string_view, 1> kStates{"h"};
  static constexpr std::array<std::string_view, 1> kUnitWeights{"h"};
  static constexpr int kInputGates = 1;

  template <class V>
  static void pass_back(CellBackward<V>& v) {
    v.dunit[0] = v.da[0] * v.previous[0];
    v.dprevious[0] = v.da[0] * v.unit[0];
  }
};

struct IndRnn : IndependentUnit {
  static constexpr std::string_view kName = "indrnn";
  static constexpr std::string_view kSummary = "independently recurrent unit, relu (Li et al. 2018)";
  static constexpr std::string_view kEquations = "h' = max(0, W x + b_ih + u h)";

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::relu(v.a[0] + v.unit[0] * v.previous[0]);
    v.next[0] = v.gate[0];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.da[0] = M::where_positive(v.gate[0], v.dnext[0]);
    pass_back(v);
  }
};

struct IndRnnTanh : IndependentUnit {
  static constexpr std::string_view kName = "indrnn_tanh";
  static constexpr std::string_view kSummary = "independently recurrent unit, tanh";
  static constexpr std::string_view kEquations = "h' = tanh(W x + b_ih + u h)";

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::tanh(v.a[0] + v.unit[0] * v.previous[0]);
    v.next[0] = v.gate[0];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    v.da[0] = v.dnext[0] * (M::constant(1) - v.gate[0] * v.gate[0]);
    pass_back(v);
  }
};
