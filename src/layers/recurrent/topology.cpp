#include "layers/recurrent/topology.h"

#include <algorithm>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/highway.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/reshape.h"
#include "autograd/ops/select_rows.h"
#include "autograd/tape.h"
#include "base/fail.h"
#include "carousel/attention.h"
#include "kernels/packed_matrix.h"
#include "kernels/pointwise.h"
#include "layers/module.h"
#include "layers/recurrent/recurrent_structure.h"

namespace carousel {

Merge parse_merge(const std::string& name) {
  constexpr const char* kNames[] = {"concat", "sum", "mean", "product"};
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) fail(Code::kUsage, "unknown merge '{}', expected concat, sum, mean or product", name);
  return static_cast<Merge>(found - kNames);
}

Connection parse_connection(const std::string& name) {
  constexpr const char* kNames[] = {"none", "residual", "highway"};
  const auto* const found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames))
    fail(Code::kUsage, "unknown connection '{}', expected none, residual or highway", name);
  return static_cast<Connection>(found - kNames);
}

std::int64_t layer_output_size(const RecurrentOptions& o) noexcept {
  return (o.bidirectional && o.merge == "concat" ? 2 : 1) * cell_sizes(o).output_size;
}

std::int64_t layer_input_size(const RecurrentOptions& o, std::int64_t layer) {
  if (layer > 0) return layer_output_size(o);
  return find_cell(o.cell).entry ? o.hidden_size : o.input_size;
}

bool is_connected(const RecurrentOptions& o, std::int64_t layer) {
  return o.connection != "none" && layer_input_size(o, layer) == layer_output_size(o);
}

void check_topology(const RecurrentOptions& o) {
  if (parse_merge(o.merge) != Merge::kConcat && !o.bidirectional)
    fail(Code::kUsage, "{}: merge is '{}', but there is one direction: leave merge out", o.cell, o.merge);
  const std::int64_t in = layer_input_size(o, 0), out = layer_output_size(o);
  if (parse_connection(o.connection) != Connection::kNone && o.layers == 1 && in != out) {
    fail(Code::kUsage, "{}: connection '{}' past one layer: it reads {} numbers and gives {}, expected as many", o.cell,
         o.connection, in, out);
  }
  if (!o.tied) return;
  constexpr std::int64_t kMostTied = 1000;  // a file says their number, and no weights in it speak against it
  if (o.layers == 1 || o.layers > kMostTied)
    fail(Code::kUsage, "{}: layers is {}, expected 2 to {} tied ones", o.cell, o.layers, kMostTied);
  if (!find_cell(o.cell).lowest_layer.empty())
    fail(Code::kUsage, "cell '{}' has another lowest layer, which has weights of its own: leave tied out", o.cell);
  if (in != out) {
    fail(Code::kUsage, "{}: tied layers read as much as each other: the lowest one gets {} numbers, the next one {}",
         o.cell, in, out);
  }
}

std::string weight_suffix(const RecurrentOptions& o, std::int64_t layer, int direction, std::int64_t transition) {
  return scan_suffix(o.tied ? 0 : layer, direction, transition);
}

std::string initial_state_name(const RecurrentOptions& o, std::int64_t layer, int direction, int state) {
  const std::string_view name = find_cell(o.cell).states[static_cast<std::size_t>(state)];
  return "initial_" + std::string(name) + scan_suffix(layer, direction);
}

std::span<const float> initial_state(const Recurrent& recurrent, std::int64_t layer, int direction, int state) {
  const Parameter* row = recurrent.parameter(initial_state_name(recurrent.options(), layer, direction, state));
  return row ? row->value.span() : std::span<const float>();
}

namespace {

// From the state of number `next` on; moves it on.
void fill_learned(const Sequential& network, State& state, std::size_t& next) {
  for (const auto& [name, module] : network.modules()) {
    if (const auto* recurrent = dynamic_cast<const Recurrent*>(module.get())) {
      for (int k = 0; k < recurrent->state_count(); ++k, ++next) {
        Tensor& value = state.values[next];
        const std::int64_t samples = value.shape()[1], width = value.shape()[2];
        for (std::int64_t row = 0; row < value.elements() / width; ++row) {
          const std::int64_t scan = row / samples, D = recurrent->directions();
          const std::span<const float> from = initial_state(*recurrent, scan / D, static_cast<int>(scan % D), k);
          std::copy(from.begin(), from.end(), value.data() + row * width);
        }
      }
    } else if (const auto* decoder = dynamic_cast<const AttentionDecoder*>(module.get())) {
      next += static_cast<std::size_t>(decoder->state_count());
    } else {
      for (const auto& [own, inner] : detail::inner_networks(*module)) fill_learned(*inner, state, next);
    }
  }
}

}  // namespace

State start_state(const Sequential& network, std::int64_t samples) {
  State state = network.zero_state(samples);
  std::size_t next = 0;
  fill_learned(network, state, next);
  return state;
}

bool learns_state(const Cell& cell, int state) noexcept { return state == 0 || !cell.fixed_unit_weights; }

template <class T>
BasicVariable<T> connect(Connection connection, const HighwayGate<T>& gate, BasicVariable<T> x, BasicVariable<T> f) {
  if (connection == Connection::kNone || x.shape().back() != f.shape().back()) return f;
  if (connection == Connection::kResidual) return add(x, f);
  return highway(linear(x, gate.weight, gate.bias), f, x);
}

template <class T>
BasicVariable<T> repeat_row(BasicVariable<T> x, std::int64_t samples) {
  auto* index = x.tape().arena().template allocate<std::int64_t>(samples);
  std::fill_n(index, samples, 0);
  return select_rows(reshape(x, {1, x.shape().elements()}),
                     std::span<const std::int64_t>(index, static_cast<std::size_t>(samples)));
}

Variable last_outputs(const RecurrentOptions& o, const SequenceLayout& layout, Variable output,
                      std::span<const Variable> final) {
  const auto D = std::ssize(final);
  if (o.connection == "none") return D == 1 ? final[0] : merge_halves(concatenate_columns(final), parse_merge(o.merge));
  if (D == 1) return select_rows(output, layout.last_rows());
  if (o.merge != "concat") return {};
  const std::int64_t N = layout.samples(), P = output.shape()[1] / 2;
  auto* halves = output.tape().arena().allocate<std::int64_t>(2 * N);  // of rows: forward and backward, or -1
  for (std::int64_t k = 0; k < N; ++k) {
    const std::int64_t sample = layout.sample(k), last = layout.last_rows()[static_cast<std::size_t>(sample)];
    halves[2 * sample] = last < 0 ? -1 : 2 * last;
    halves[2 * sample + 1] = last < 0 ? -1 : 2 * k + 1;  // step 0 of the sample
  }
  const std::span<const std::int64_t> index(halves, static_cast<std::size_t>(2 * N));
  return reshape(select_rows(reshape(output, {2 * layout.rows(), P}), index), {N, 2 * P});
}

StreamConnection::StreamConnection(const Recurrent& recurrent, std::int64_t layer)
    : connected_(is_connected(recurrent.options(), layer)), width_(recurrent.output_size()) {
  const std::string suffix = weight_suffix(recurrent.options(), layer, 0);
  const Parameter *weight = recurrent.parameter("weight_highway" + suffix),
                  *bias = recurrent.parameter("bias_highway" + suffix);
  if (!weight) return;
  weight_.resize(static_cast<std::size_t>(kernels::packed_size(width_, width_)));
  kernels::pack<float>(kernels::Op::kTransposed, width_, width_, weight->value.data(), width_, weight_.data());
  bias_.assign(bias->value.span().begin(), bias->value.span().end());
}

void StreamConnection::apply(std::int64_t rows, const float* x, const float* const* f, float* y,
                             float* gate) const noexcept {
  if (!weight_.empty()) {
    for (std::int64_t r = 0; r < rows; ++r) std::copy(bias_.begin(), bias_.end(), gate + r * width_);
    kernels::multiply_packed<float>(rows, width_, width_, x, width_, weight_.data(), 1.0f, gate, width_);
    const std::span<float> all(gate, static_cast<std::size_t>(rows * width_));
    kernels::sigmoid(all, all);
  }
  for (std::int64_t r = 0; r < rows; ++r, x += width_, y += width_, gate += width_) {
    for (std::int64_t j = 0; j < width_; ++j) {
      y[j] = weight_.empty() ? x[j] + f[r][j] : gate[j] * f[r][j] + (1.0f - gate[j]) * x[j];
    }
  }
}

#define CAROUSEL_INSTANTIATE(T)                                                                             \
  template BasicVariable<T> connect(Connection, const HighwayGate<T>&, BasicVariable<T>, BasicVariable<T>); \
  template BasicVariable<T> repeat_row(BasicVariable<T>, std::int64_t);
CAROUSEL_INSTANTIATE(float)
CAROUSEL_INSTANTIATE(double)
#undef CAROUSEL_INSTANTIATE

}  // namespace carousel
