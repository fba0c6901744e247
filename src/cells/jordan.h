// jordan.h: network of Jordan (1986): what is stored is the output, in a context that may decay slowly.
//
//   gate h (rows of W [H, C], R [H, P] and both biases [H])     states y (the output), s (the context) [P]
//
//   u = act(W x + b_ih + R s + b_hh)     y' = g(W_hr u + b_hr)     s' = decay s + y'     act: tanh or sigmoid
//
// The output layer (W_hr [P, H], b_hr [P], g: none, tanh, sigmoid or softmax) belongs to the scan (layers/scan/scan.h).
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <bool kTanh>
struct JordanBase : CellDefaults {
  static constexpr std::array<std::string_view, 1> kGates{"h"};
  static constexpr std::array<std::string_view, 2> kStates{"y", "s"};
  static constexpr std::array<int, 1> kRecurrentStates{1};
  static constexpr bool kProjection = true, kOutputLayer = true;

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = kTanh ? M::tanh(v.a[0]) : M::sigmoid(v.a[0]);
    v.next[0] = v.gate[0];
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), u = v.gate[0];
    v.da[0] = v.dnext[0] * (kTanh ? one - u * u : u * (one - u));
    v.dprevious[0] = M::constant(0);
  }
};

struct Jordan : JordanBase<true> {
  static constexpr std::string_view kName = "jordan";
  static constexpr std::string_view kSummary = "network that stores its output (Jordan 1986)";
  static constexpr std::string_view kEquations =
      "u = tanh(W x + b_ih + R s + b_hh)   y' = g(W_hr u + b_hr)   s' = decay s + y'";
};

struct JordanSigmoid : JordanBase<false> {
  static constexpr std::string_view kName = "jordan_sigmoid";
  static constexpr std::string_view kSummary = "jordan with a sigmoid in the hidden layer";
  static constexpr std::string_view kEquations =
      "u = sigmoid(W x + b_ih + R s + b_hh)   y' = g(W_hr u + b_hr)   s' = decay s + y'";
};
