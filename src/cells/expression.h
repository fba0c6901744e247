// expression.h: a cell that runs a program (cell_program.h) in place of mathematics of its own.
//
//   gates g0 ... (rows of W [G H, C], R [G H, H] and both biases [G H] in this order)     states h, or h and c [H]
//
// Forwards every operation writes one register. Backwards the registers are computed again from the gates and the
// previous states, then the gradients go through the operations from the last to the first.
// This file is included once per instruction set (see cells/rows-inl.h): no include guard.

template <class M, class V>
inline V activate(CellProgram::Kind kind, V z) {
  switch (kind) {
    case CellProgram::Kind::kSigmoid:
      return M::sigmoid(z);
    case CellProgram::Kind::kTanh:
      return M::tanh(z);
    case CellProgram::Kind::kRelu:
      return M::relu(z);
    default:
      return z;
  }
}

// The gradient of z from that of y = activate(z), and y.
template <class M, class V>
inline V activate_backward(CellProgram::Kind kind, V y, V dy) {
  switch (kind) {
    case CellProgram::Kind::kSigmoid:
      return dy * y * (M::constant(1) - y);
    case CellProgram::Kind::kTanh:
      return dy * (M::constant(1) - y * y);
    case CellProgram::Kind::kRelu:
      return M::where_positive(y, dy);
    default:
      return dy;
  }
}

// gates: G of them; states: S; split: a gate may have a factor on its recurrent product.
template <int kGateCount, int kStateCount, bool kSplit>
struct Expression : CellDefaults {
  using Kind = CellProgram::Kind;
  static constexpr bool kProgram = true;
  static constexpr std::string_view kName = "expr", kSummary = "a cell given as an expression", kEquations = "";
  static constexpr std::array<std::string_view, kGateCount> kGates = [] {
    constexpr std::string_view names[] = {"g0", "g1", "g2", "g3"};
    std::array<std::string_view, kGateCount> list;
    for (std::size_t k = 0; k < list.size(); ++k) list[k] = names[k];
    return list;
  }();
  static constexpr std::array<std::string_view, kStateCount> kStates = [] {
    constexpr std::string_view names[] = {"h", "c"};
    std::array<std::string_view, kStateCount> list;
    for (std::size_t k = 0; k < list.size(); ++k) list[k] = names[k];
    return list;
  }();
  static constexpr bool kSplitGates = kSplit;
  static constexpr int kExtras = kSplit ? kGateCount : 0;  // R h + b_hh of each gate

  // Everything but gates.
  template <class M, class V>
  static V compute(const CellProgram::Operation& operation, const V* r) {
    switch (operation.kind) {
      case Kind::kNumber:
        return M::constant(operation.number);
      case Kind::kAdd:
        return r[operation.a] + r[operation.b];
      case Kind::kSubtract:
        return r[operation.a] - r[operation.b];
      case Kind::kMultiply:
        return r[operation.a] * r[operation.b];
      default:
        return activate<M, V>(operation.kind, r[operation.a]);
    }
  }

  template <class M, class V>
  static void step(const CellProgram& program, CellForward<V>& v) {
    V registers[CellProgram::kMaxRegisters];
    for (int k = 0; k < kStateCount; ++k) registers[k] = v.previous[k];
    V* to = registers + 2;
    for (const CellProgram::Operation& operation : program.operations) {
      if (operation.kind != Kind::kGate) {
        *to++ = compute<M, V>(operation, registers);
        continue;
      }
      const int gate = operation.a;
      V z = v.a[gate];
      if constexpr (kSplit) {
        v.extra[gate] = v.q[gate];
        z = z + (operation.b < 0 ? v.q[gate] : registers[operation.b] * v.q[gate]);
      }
      v.gate[gate] = activate<M, V>(operation.activation, z);
      *to++ = v.gate[gate];
    }
    for (int k = 0; k < kStateCount; ++k) v.next[k] = registers[program.next[k]];
  }

  template <class M, class V>
  static void step_backward(const CellProgram& program, CellBackward<V>& v) {
    V registers[CellProgram::kMaxRegisters], d[CellProgram::kMaxRegisters];  // d: gradients
    const int count = static_cast<int>(program.operations.size());
    for (int k = 0; k < kStateCount; ++k) registers[k] = v.previous[k];
    for (int k = 0; k < count; ++k) {
      const CellProgram::Operation& operation = program.operations[static_cast<std::size_t>(k)];
      registers[k + 2] = operation.kind == Kind::kGate ? v.gate[operation.a] : compute<M, V>(operation, registers);
    }
    for (V& gradient : d) gradient = M::constant(0);
    for (int k = 0; k < kStateCount; ++k) d[program.next[k]] = d[program.next[k]] + v.dnext[k];
    for (int k = count - 1; k >= 0; --k) {
      const CellProgram::Operation& operation = program.operations[static_cast<std::size_t>(k)];
      if (operation.kind == Kind::kGate) {
        gate_backward<M, V>(operation, registers, d[k + 2], d, v);
      } else {
        pass_back<M, V>(operation, registers, k + 2, d);
      }
    }
    for (int k = 0; k < kStateCount; ++k) v.dprevious[k] = d[k];
  }

  template <class M, class V>
  static void gate_backward(const CellProgram::Operation& operation, const V* r, V dgate, V* d, CellBackward<V>& v) {
    const int gate = operation.a;
    v.da[gate] = activate_backward<M, V>(operation.activation, v.gate[gate], dgate);
    if constexpr (kSplit) {
      v.dq[gate] = v.da[gate];
      if (operation.b < 0) return;
      v.dq[gate] = v.da[gate] * r[operation.b];
      d[operation.b] = d[operation.b] + v.da[gate] * v.extra[gate];
    }
  }

  template <class M, class V>
  static void pass_back(const CellProgram::Operation& operation, const V* r, int result, V* d) {
    const V dy = d[result];
    switch (operation.kind) {
      case Kind::kNumber:
        return;
      case Kind::kAdd:
        d[operation.a] = d[operation.a] + dy;
        d[operation.b] = d[operation.b] + dy;
        return;
      case Kind::kSubtract:
        d[operation.a] = d[operation.a] + dy;
        d[operation.b] = d[operation.b] - dy;
        return;
      case Kind::kMultiply:
        d[operation.a] = d[operation.a] + dy * r[operation.b];
        d[operation.b] = d[operation.b] + dy * r[operation.a];
        return;
      default:
        d[operation.a] = d[operation.a] + activate_backward<M, V>(operation.kind, r[result], dy);
    }
  }
};
