// clockwork.h: clockwork unit (Koutnik et al. 2014): modules that step every so often and else keep their value.
//
//   gate h (rows of W [H, C], R [H, H] and both biases [H])     states h [H], clock [H]
//   unit weight period [H], not trained: the period of the module that the unit belongs to
//
//   n = tanh(W x + b_ih + R h + b_hh)     h' = n where clock = 0, else h     clock' = (clock + 1) mod period
//
// A module reads itself and slower ones: the other blocks of R are zero (layers/recurrent/recurrent_structure.h). A new
// sequence starts with clock 0, so that all modules step; a stream carries the clock as it carries h.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

struct Clockwork : CellDefaults {
  static constexpr std::string_view kName = "clockwork";
  static constexpr std::string_view kSummary = "clockwork unit: modules with periods (Koutnik et al. 2014)";
  static constexpr std::string_view kEquations =
      "n = tanh(W x + b_ih + R h + b_hh), R without the blocks from faster modules\n"
      "h' = n where clock = 0, else h   clock' = (clock + 1) mod period";
  static constexpr std::array<std::string_view, 1> kGates{"h"};
  static constexpr std::array<std::string_view, 2> kStates{"h", "clock"};
  static constexpr std::array<std::string_view, 1> kUnitWeights{"period"};
  static constexpr bool kFixedUnitWeights = true;
  static constexpr bool kModules = true;

  // 1 where the unit steps. The clock counts whole numbers.
  template <class M, class V>
  static V active(V clock) {
    return M::where_positive(M::constant(0.5f) - clock, M::constant(1));
  }

  template <class M, class V>
  static void step(CellForward<V>& v) {
    v.gate[0] = M::tanh(v.a[0]);
    v.next[0] = v.previous[0] + active<M, V>(v.previous[1]) * (v.gate[0] - v.previous[0]);
    const V later = v.previous[1] + M::constant(1);
    v.next[1] = M::where_positive(v.unit[0] - M::constant(0.5f) - later, later);
  }

  template <class M, class V>
  static void step_backward(CellBackward<V>& v) {
    const V one = M::constant(1), stepped = active<M, V>(v.previous[1]), later = v.previous[1] + one;
    v.da[0] = v.dnext[0] * stepped * (one - v.gate[0] * v.gate[0]);
    v.dprevious[0] = v.dnext[0] * (one - stepped);
    v.dprevious[1] = M::where_positive(v.unit[0] - M::constant(0.5f) - later, v.dnext[1]);
  }
};
