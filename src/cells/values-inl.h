// values-inl.h: what a cell's mathematics sees: one value per gate, state and extra, of any lane type V; and what a
// cell declares where it is like most.
//
// Included inside a namespace, once per instruction set: no include guard. Exported headers carry this text.

template <class V>
struct CellForward {
  V a[kMaxGates], q[kMaxGates], previous[kMaxStates], unit[kMaxUnitWeights], lower, normal;  // in
  V gate[kMaxGates], extra[kMaxExtras], next[kMaxStates], inner;                             // out
};
template <class V>
struct CellBackward {
  V gate[kMaxGates], extra[kMaxExtras], previous[kMaxStates], dnext[kMaxStates], unit[kMaxUnitWeights], lower;  // in
  V dinner;                                                                                                     // in
  V da[kMaxGates], dq[kMaxGates], dprevious[kMaxStates], dunit[kMaxUnitWeights], dlower, dnormal;               // out
};

struct CellDefaults {
  static constexpr int kExtras = 0;
  static constexpr unsigned kForgetGates = 0;  // bit k: gate k forgets, so its bias starts at 1
  // Sigmoids, gate k at bit k: the share of the memory that is kept; what enters it, in a cell that keeps another share
  // or the rest.
  static constexpr unsigned kKeepGates = 0, kWriteGates = 0;
  static constexpr bool kSplitGates = false;
  static constexpr bool kProjection = false;
  static constexpr int kInputGates = 0, kInnerGates = 0;
  static constexpr std::array<std::string_view, 0> kUnitWeights{};
  static constexpr bool kFixedUnitWeights = false;
  static constexpr bool kLower = false;
  static constexpr bool kEntry = false, kOutputLayer = false;
  static constexpr std::string_view kLowestLayer = "";
  static constexpr bool kModules = false, kHeads = false, kCandidateSeesH = false;
  static constexpr std::array<int, 1> kRecurrentStates{0};
  static constexpr bool kNormalised = false;
  static constexpr int kNormalisedState = 0;
};
