// values-inl.h: what a cell's mathematics sees: one value per gate, state and extra, of any lane type V.
//
// Included inside a namespace, once per instruction set: no include guard. Exported headers carry this text.

template <class V>
struct CellForward {
  V a[kMaxGates], q[kMaxGates], previous[kMaxStates];      // in
  V gate[kMaxGates], extra[kMaxExtras], next[kMaxStates];  // out
};
template <class V>
struct CellBackward {
  V gate[kMaxGates], extra[kMaxExtras], previous[kMaxStates], dnext[kMaxStates];  // in
  V da[kMaxGates], dq[kMaxGates], dprevious[kMaxStates];                          // out
};
