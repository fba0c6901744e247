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

// y = (x - mean) / deviation of N numbers.
template <int N>
void normalise(const float* x, float* y) {
  double mean = 0, variance = 0;
  for (int j = 0; j < N; ++j) mean += x[j];
  mean /= N;
  for (int j = 0; j < N; ++j) variance += (x[j] - mean) * (x[j] - mean);
  const double factor = 1 / std::sqrt(variance / N + 1e-5);
  for (int j = 0; j < N; ++j) y[j] = static_cast<float>((x[j] - mean) * factor);
}

enum class OutputActivation { none, tanh, sigmoid, softmax };

// What a layer gives out: P numbers made of those of its H units. The last two are of a cell that stores its output.
struct Projection {
  const float *weight = nullptr, *bias = nullptr;  // [P, H] and [P]; null: none
  OutputActivation activation = OutputActivation::none;
  float decay = 0.0f;
};

template <int P>
void activate(OutputActivation activation, float* y) {
  float largest = y[0], sum = 0.0f;
  for (int j = 1; j < P; ++j) largest = std::fmax(largest, y[j]);
  for (int j = 0; j < P; ++j) {
    if (activation == OutputActivation::tanh) y[j] = Math::tanh(y[j]);
    if (activation == OutputActivation::sigmoid) y[j] = Math::sigmoid(y[j]);
    if (activation == OutputActivation::softmax) y[j] = Math::exp(y[j] - largest);
    sum += y[j];
  }
  for (int j = 0; j < P && activation == OutputActivation::softmax; ++j) y[j] /= sum;
}

// One layer of a cell with H units; the first state is its output, of P numbers, H without a projection.
template <class Cell, int H, int P, class InputMatrix, class StateMatrix>
class RecurrentLayer {
 public:
  // bias_ih [G H], bias_hh [K H] for the K gates with a recurrent product, unit_weights [U H]; start [states, H]: what
  // a sequence begins with, null: zero.
  RecurrentLayer(InputMatrix w, StateMatrix r, const float* bias_ih, const float* bias_hh, const float* unit_weights,
                 Projection projection, const float* start)
      : w_(w),
        r_(r),
        bias_ih_(bias_ih),
        bias_hh_(bias_hh),
        unit_weights_(unit_weights),
        projection_(projection),
        start_(start) {
    reset();
  }

  // lower: upper() of the layer below, or what enters in place of it, [H]; only some cells read it.
  const float* step(const float* x, const float* lower = nullptr) {
    const typename InputMatrix::Input input(x);
    float entering[kEntering * H], next[kStates][H] = {};
    float* to = entering;
    for (const int k : Cell::kRecurrentStates) {
      for (int unit = 0; unit < (k == 0 || Cell::kOutputLayer ? P : H); ++unit) *to++ = states_[k][unit];
    }
    const typename StateMatrix::Input state(entering);
    if constexpr (Cell::kNormalised) {
      step_rows(input, state, next);
    } else {
      step_units(input, state, entering, lower, next);
    }
    if (projection_.weight) project(next);
    for (int k = 0; k < kStates; ++k) {
      for (int unit = 0; unit < H; ++unit) states_[k][unit] = next[k][unit];
    }
    return states_[0];
  }

  const float* upper() const { return states_[kStates > 1 ? 1 : 0]; }

  void reset() {
    for (int k = 0; k < kStates; ++k) {
      for (int unit = 0; unit < H; ++unit) states_[k][unit] = start_ ? start_[k * H + unit] : 0.0f;
    }
  }

 private:
  static constexpr int kGates = static_cast<int>(Cell::kGates.size()), kStates = static_cast<int>(Cell::kStates.size());
  static constexpr int kFirst = kGates - Cell::kInnerGates - Cell::kInputGates;
  static constexpr int kUnits = static_cast<int>(Cell::kUnitWeights.size());
  static constexpr int kEntering = static_cast<int>(Cell::kRecurrentStates.size());

  // Unit by unit. entering: what `state` is made of.
  void step_units(const typename InputMatrix::Input& input, const typename StateMatrix::Input& state,
                  const float* entering, const float* lower, float (&next)[kStates][H]) const {
    float gates[kGates][H], inner[H] = {};
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
      for (int k = 0; k < (Cell::kOutputLayer ? 1 : kStates); ++k) next[k][unit] = v.next[k];
    }
  }

  // All products first: layer normalisation takes all gates together.
  void step_rows(const typename InputMatrix::Input& input, const typename StateMatrix::Input& state,
                 float (&next)[kStates][H]) const {
    constexpr int kRows = kGates * H;
    float x[kRows], h[kRows];
    for (int row = 0; row < kRows; ++row) {
      x[row] = w_.row(row, input);
      h[row] = r_.row(row, state);
    }
    normalise<kRows>(x, x);
    normalise<kRows>(h, h);
    CellForward<float> v[H] = {};
    for (int unit = 0; unit < H; ++unit) {
      for (int gate = 0; gate < kGates; ++gate) {
        const int row = gate * H + unit;
        v[unit].a[gate] = x[row] * unit_weights_[row] + bias_ih_[row];
        v[unit].q[gate] = h[row] * unit_weights_[kRows + row] + bias_hh_[row];
      }
      for (int k = 0; k < kStates; ++k) v[unit].previous[k] = states_[k][unit];
      Cell::template step<Math, float>(v[unit]);
      for (int k = 0; k < kStates; ++k) next[k][unit] = v[unit].next[k];
    }
    if constexpr (Cell::kNormalisedState > 0) {
      float normal[H];
      normalise<H>(next[Cell::kNormalisedState], normal);
      for (int unit = 0; unit < H; ++unit) {
        v[unit].normal = normal[unit] * unit_weights_[2 * kRows + unit] + unit_weights_[2 * kRows + H + unit];
        Cell::template step_output<Math, float>(v[unit]);
        next[0][unit] = v[unit].next[0];
      }
    }
  }

  void project(float (&next)[kStates][H]) const {
    float y[P];
    for (int j = 0; j < P; ++j) {
      float sum = projection_.bias ? projection_.bias[j] : 0.0f;
      for (int unit = 0; unit < H; ++unit) sum += projection_.weight[j * H + unit] * next[0][unit];
      y[j] = sum;
    }
    activate<P>(projection_.activation, y);
    for (int j = 0; j < P; ++j) {
      next[0][j] = y[j];
      if constexpr (Cell::kOutputLayer) next[1][j] = projection_.decay * states_[1][j] + y[j];
    }
  }

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
  Projection projection_;
  const float* start_;
  float states_[kStates][H];
};

// One layer with a matrix memory: H units in heads of D = H / Heads. Rows of the weights: q, k, v, o of H rows each, i
// and f of one a head.
template <int H, int Heads, bool ExponentialForget, class InputMatrix>
class MatrixLayer {
 public:
  MatrixLayer(InputMatrix w, const float* bias) : w_(w), bias_(bias) {}

  const float* step(const float* x) {
    const typename InputMatrix::Input input(x);
    float a[4 * H + 2 * Heads];
    const float scale = 1.0f / std::sqrt(static_cast<float>(D));
    for (int row = 0; row < 4 * H + 2 * Heads; ++row) {
      const float product = w_.row(row, input);
      a[row] = (row >= H && row < 2 * H ? product * scale : product) + bias_[row];
    }
    for (int head = 0; head < Heads; ++head) step_head(head, a);
    return h_;
  }

  void reset() {
    for (float& value : h_) value = 0.0f;
    for (float& value : memory_) value = 0.0f;
    for (float& value : n_) value = 0.0f;
    for (float& value : m_) value = 0.0f;
  }

 private:
  static constexpr int D = H / Heads;

  void step_head(int head, const float* a) {
    const float *q = a + head * D, *k = q + H, *v = k + H, *o = v + H;
    const float a_i = a[4 * H + head], a_f = a[4 * H + Heads + head];
    const float log_f = ExponentialForget ? a_f : std::fmin(a_f, 0.0f) - std::log(1.0f + std::exp(-std::fabs(a_f)));
    const float m = std::fmax(log_f + m_[head], a_i);
    const float f = std::exp(log_f + m_[head] - m), i = std::exp(a_i - m);
    m_[head] = m;
    float *n = n_ + head * D, *memory = memory_ + head * D * D, product = 0.0f;
    for (int j = 0; j < D; ++j) {
      n[j] = f * n[j] + i * k[j];
      product += n[j] * q[j];
    }
    const float bound = std::fmax(std::fmax(std::fabs(product), std::exp(-m)), 1.17549435e-38f);
    for (int row = 0; row < D; ++row) {
      float sum = 0.0f;
      for (int j = 0; j < D; ++j) {
        float& value = memory[row * D + j];
        value = f * value + i * v[row] * k[j];
        sum += value * q[j];
      }
      h_[head * D + row] = Math::sigmoid(o[row]) * sum / bound;
    }
  }

  InputMatrix w_;
  const float* bias_;
  float h_[H] = {}, memory_[H * D] = {}, n_[H] = {}, m_[Heads] = {};
};

template <int Outputs, int Inputs>
void linear(const float* weight, const float* bias, const float* x, float* y) {
  const FloatMatrix<Outputs, Inputs> w{weight};
  for (int j = 0; j < Outputs; ++j) y[j] = bias[j] + w.row(j, typename FloatMatrix<Outputs, Inputs>::Input(x));
}

// The ways past a layer that read x and gave f.
template <int N>
void residual(const float* f, const float* x, float* y) {
  for (int j = 0; j < N; ++j) y[j] = x[j] + f[j];
}

template <int N>
void highway(const float* weight, const float* bias, const float* f, const float* x, float* y) {
  linear<N, N>(weight, bias, x, y);
  for (int j = 0; j < N; ++j) {
    const float gate = Math::sigmoid(y[j]);
    y[j] = gate * f[j] + (1.0f - gate) * x[j];
  }
}

template <int N>
void scale(const float* factor, const float* offset, const float* x, float* y) {
  for (int j = 0; j < N; ++j) y[j] = factor[j] * x[j] + offset[j];
}

template <int N>
void layer_norm(const float* gain, const float* bias, const float* x, float* y) {
  normalise<N>(x, y);
  for (int j = 0; j < N; ++j) y[j] = y[j] * gain[j] + bias[j];
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
