// The layers that an exported header is made of, for one sequence, sizes fixed when it is compiled, C++17 and nothing
// but the standard library. c_header.cpp puts this text into every exported header, behind the cells that it needs.

struct Math {
  static float constant(float value) { return value; }
  static float exp(float x) { return std::exp(x); }
  static float log(float x) { return std::log(x); }
  static float tanh(float x) { return std::tanh(x); }
  static float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }
  static float relu(float x) { return x < 0.0f ? 0.0f : x; }
  static float where_positive(float x, float value) { return x > 0.0f ? value : 0.0f; }
  static float gelu(float x) { return x * sigmoid(1.595769122f * (x + 0.044715f * (x * x * x))); }
};

// A matrix of weights [Rows, N], and the form in which it takes its input.
template <int Rows, int N>
struct FloatMatrix {
  const float* weight;

  struct Input {
    const float* values;
    explicit Input(const float* x) : values(x) {}
  };
  float row(int row, const Input& x) const {
    float sum = 0.0f;
    for (int k = 0; k < N; ++k) sum += weight[row * N + k] * x.values[k];
    return sum;
  }
};

// Weights scale[row] * weight[row, k]; an input is rounded to integers of at most 1023 times its own scale.
template <int Rows, int N>
struct Int8Matrix {
  const std::int8_t* weight;
  const float* scale;

  struct Input {
    std::int16_t values[N];
    float scale;
    explicit Input(const float* x) {
      float largest = 0.0f, check = 0.0f;  // check: 0, or NaN from a value that is not finite
      for (int k = 0; k < N; ++k) {
        largest = std::fmax(largest, std::fabs(x[k]));
        check += x[k] * 0.0f;
      }
      const float factor = largest > 0.0f ? 1023.0f / largest : 0.0f;
      for (int k = 0; k < N; ++k) {
        const float value = std::fmin(std::fmax(x[k] * factor, -1023.0f), 1023.0f);
        values[k] = static_cast<std::int16_t>(std::nearbyint(value));
      }
      scale = largest / 1023.0f + check;
    }
  };
  float row(int row, const Input& x) const {
    std::int32_t sum = 0;
    for (int k = 0; k < N; ++k) sum += weight[row * N + k] * x.values[k];
    return static_cast<float>(sum) * (scale[row] * x.scale);
  }
};

// In place of the recurrent weights of a cell that has none.
struct NoMatrix {
  struct Input {
    explicit Input(const float*) {}
  };
  float row(int, const Input&) const { return 0.0f; }
};

// One layer of a cell with H units; the first state is its output.
template <class Cell, int H, class InputMatrix, class StateMatrix>
class RecurrentLayer {
 public:
  // bias_ih [G H], bias_hh [K H] for the K gates with a recurrent product, unit_weights [U H].
  RecurrentLayer(InputMatrix w, StateMatrix r, const float* bias_ih, const float* bias_hh, const float* unit_weights)
      : w_(w), r_(r), bias_ih_(bias_ih), bias_hh_(bias_hh), unit_weights_(unit_weights) {}

  // lower: upper() of the layer below, or what enters in place of it, [H]; only some cells read it.
  const float* step(const float* x, const float* lower = nullptr) {
    const typename InputMatrix::Input input(x);
    float entering[kEntering * H], gates[kGates][H], inner[H] = {}, next[kStates][H];
    for (int k = 0; k < kEntering; ++k) {
      for (int unit = 0; unit < H; ++unit) entering[k * H + unit] = states_[Cell::kRecurrentStates[k]][unit];
    }
    const typename StateMatrix::Input state(entering);
    constexpr bool kInner = Cell::kInnerGates > 0;
    if constexpr (kInner) {
      for (int unit = 0; unit < H; ++unit) {
        CellForward<float> v = values(unit, 0, kFirst, input, state);
        Cell::template step_inner<Math, float>(v);
        for (int k = 0; k < kFirst; ++k) gates[k][unit] = v.gate[k];
        inner[unit] = v.inner;
      }
    }
    const typename StateMatrix::Input second(kInner ? inner : entering);
    for (int unit = 0; unit < H; ++unit) {
      CellForward<float> v = values(unit, kInner ? kFirst : 0, kGates, input, second);
      for (int k = 0; kInner && k < kFirst; ++k) v.gate[k] = gates[k][unit];
      v.inner = inner[unit];
      if (Cell::kLower) v.lower = lower[unit];
      Cell::template step<Math, float>(v);
      for (int k = 0; k < kStates; ++k) next[k][unit] = v.next[k];
    }
    for (int k = 0; k < kStates; ++k) {
      for (int unit = 0; unit < H; ++unit) states_[k][unit] = next[k][unit];
    }
    return states_[0];
  }

  const float* upper() const { return states_[kStates > 1 ? 1 : 0]; }

  void reset() {
    for (auto& state : states_) {
      for (float& value : state) value = 0.0f;
    }
  }

 private:
  static constexpr int kGates = static_cast<int>(Cell::kGates.size()), kStates = static_cast<int>(Cell::kStates.size());
  static constexpr int kFirst = kGates - Cell::kInnerGates - Cell::kInputGates;
  static constexpr int kUnits = static_cast<int>(Cell::kUnitWeights.size());
  static constexpr int kEntering = static_cast<int>(Cell::kRecurrentStates.size());

  // What the cell sees of one unit: gates begin .. end - 1.
  CellForward<float> values(int unit, int begin, int end, const typename InputMatrix::Input& input,
                            const typename StateMatrix::Input& state) const {
    CellForward<float> v{};
    for (int gate = begin; gate < end; ++gate) {
      const int row = gate * H + unit;
      v.a[gate] = w_.row(row, input) + bias_ih_[row];
      if (gate >= kGates - Cell::kInputGates) continue;
      v.q[gate] = r_.row(row, state) + bias_hh_[row];
      if (!Cell::kSplitGates) v.a[gate] += v.q[gate];
    }
    for (int k = 0; k < kStates; ++k) v.previous[k] = states_[k][unit];
    for (int k = 0; k < kUnits; ++k) v.unit[k] = unit_weights_[k * H + unit];
    return v;
  }

  InputMatrix w_;
  StateMatrix r_;
  const float *bias_ih_, *bias_hh_, *unit_weights_;
  float states_[kStates][H] = {};
};

template <int Outputs, int Inputs>
void linear(const float* weight, const float* bias, const float* x, float* y) {
  const FloatMatrix<Outputs, Inputs> w{weight};
  for (int j = 0; j < Outputs; ++j) y[j] = bias[j] + w.row(j, typename FloatMatrix<Outputs, Inputs>::Input(x));
}

template <int N>
void scale(const float* factor, const float* offset, const float* x, float* y) {
  for (int j = 0; j < N; ++j) y[j] = factor[j] * x[j] + offset[j];
}

template <int N>
void layer_norm(const float* gain, const float* bias, const float* x, float* y) {
  double mean = 0, variance = 0;
  for (int j = 0; j < N; ++j) mean += x[j];
  mean /= N;
  for (int j = 0; j < N; ++j) variance += (x[j] - mean) * (x[j] - mean);
  const double factor = 1 / std::sqrt(variance / N + 1e-5);
  for (int j = 0; j < N; ++j) y[j] = static_cast<float>((x[j] - mean) * factor) * gain[j] + bias[j];
}

template <int N>
void activation(float (*function)(float), const float* x, float* y) {
  for (int j = 0; j < N; ++j) y[j] = function(x[j]);
}

// The last Steps inputs of N numbers, oldest first; zeros before the first.
template <int Steps, int N>
class Window {
 public:
  const float* step(const float* x) {
    for (int k = 0; k + N < Steps * N; ++k) values_[k] = values_[k + N];
    for (int k = 0; k < N; ++k) values_[(Steps - 1) * N + k] = x[k];
    return values_;
  }
  void reset() {
    for (float& value : values_) value = 0.0f;
  }

 private:
  float values_[Steps * N] = {};
};
