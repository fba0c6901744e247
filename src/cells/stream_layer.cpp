#include "cells/stream_layer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/fail.h"
#include "base/thread_pool.h"
#include "cells/matrix_step.h"
#include "cells/stream_simd.h"
#include "kernels/packed_matrix.h"

namespace carousel {
namespace {

constexpr std::int64_t kWorthAThread = 16384;  // weights to pack

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

std::int64_t pairs_of(std::int64_t numbers) { return (numbers + 1) / 2; }

// Writes values one after another.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  template <class T>
  void put(T value) {
    put(&value, 1);
  }
  template <class T>
  void put(const T* values, std::int64_t count) {
    std::memcpy(at_, values, static_cast<std::size_t>(count) * sizeof(T));
    at_ += static_cast<std::size_t>(count) * sizeof(T);
  }

 private:
  std::byte* at_;
};

// One of W and R. Rows from `rows` on are those of gates without a recurrent product.
struct Side {
  const float* weight;
  std::int64_t rows, columns;
};

// Units first .. first + lanes - 1 of one layer and the gates of one pass; a unit beyond the last has row -1.
struct Panel {
  const StreamLayerWeights& weights;
  int first_gate, gates;
  std::int64_t first, lanes, units;

  // In the matrices of the pass, and in those of the cell.
  std::int64_t row(int gate, std::int64_t lane) const {
    const std::int64_t unit = first + lane;
    return unit < units ? gate * units + unit : -1;
  }
  std::int64_t cell_row(std::int64_t row) const { return row < 0 ? row : row + first_gate * units; }

  template <class Put>
  void for_each_unit(Put put) const {
    for (int gate = 0; gate < gates; ++gate) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) put(row(gate, lane));
    }
  }
};

// Each gives the scale, if there is one.
float convert(std::span<const float> row, float* to) {
  std::copy(row.begin(), row.end(), to);
  return 0;
}
float convert(std::span<const float> row, std::uint16_t* to) {
  std::transform(row.begin(), row.end(), to, bf16_bits);
  return 0;
}
float convert(std::span<const float> row, std::int8_t* to) { return quantise_row(row, to); }

// The rows of a panel in the format of T, [gates, lanes, stride], and their scales; zeros where there is no row and
// behind an odd number of columns.
template <class T>
struct PanelRows {
  std::int64_t stride;
  std::vector<T> values;
  std::vector<float> scales;

  PanelRows(const Panel& panel, const Side& side) : stride(2 * pairs_of(side.columns)) {
    const auto count = static_cast<std::size_t>(panel.gates * panel.lanes);
    values.resize(count * static_cast<std::size_t>(stride));
    scales.resize(count);
    std::size_t k = 0;
    panel.for_each_unit([&](std::int64_t row) {
      if (row >= 0 && row < side.rows) {
        const std::span<const float> from(side.weight + row * side.columns, static_cast<std::size_t>(side.columns));
        scales[k] = convert(from, values.data() + static_cast<std::int64_t>(k) * stride);
      }
      ++k;
    });
  }

  // Two columns at a time; in f32 each by itself.
  void put_pairs(Writer& out, const Panel& panel) const {
    for (std::int64_t column = 0; column < stride; column += 2) {
      const T* at = values.data() + column;
      for (int gate = 0; gate < panel.gates; ++gate, at += panel.lanes * stride) {
        if constexpr (sizeof(T) == sizeof(float)) {
          for (std::int64_t lane = 0; lane < panel.lanes; ++lane) out.put(at[lane * stride]);
          for (std::int64_t lane = 0; lane < panel.lanes; ++lane) out.put(at[lane * stride + 1]);
        } else {
          for (std::int64_t lane = 0; lane < panel.lanes; ++lane) out.put(at + lane * stride, 2);
        }
      }
    }
  }
};

// recurrent_rows: of the matrix R of the pass.
void put_biases(Writer& out, const Panel& panel, std::int64_t recurrent_rows) {
  const StreamLayerWeights& w = panel.weights;
  const bool split = w.cell->split_gates, apart = w.cell->normalised || w.cell->has_matrix();
  const auto bias = [&](const float* values, std::int64_t row) {
    return values && row >= 0 && !apart ? values[row] : 0.0f;
  };
  const auto bias_hh = [&](std::int64_t row) {
    return row < recurrent_rows ? bias(w.bias_hh, panel.cell_row(row)) : 0.0f;
  };
  panel.for_each_unit(
      [&](std::int64_t row) { out.put(bias(w.bias_ih, panel.cell_row(row)) + (split ? 0.0f : bias_hh(row))); });
  if (split) panel.for_each_unit([&](std::int64_t row) { out.put(bias_hh(row)); });
}

template <class T>
void put_panel(std::byte* at, const Panel& panel, const Side& ih, const Side& hh) {
  const PanelRows<T> rows_ih(panel, ih), rows_hh(panel, hh);
  Writer out(at);
  put_biases(out, panel, hh.rows);
  if constexpr (sizeof(T) == 1) {
    for (const auto* rows : {&rows_ih, &rows_hh}) out.put(rows->scales.data(), std::ssize(rows->scales));
  }
  for (const auto* rows : {&rows_ih, &rows_hh}) rows->put_pairs(out, panel);
}

// Keeps what the products give for the step that follows all of them.
void keep_tile(const StreamTile& tile) noexcept {
  const StreamStep& s = tile.step;
  const std::int64_t count = std::min(s.lanes, s.units - tile.unit);
  const auto keep = [&](const float* from, float* to) {
    to += tile.row * s.gate_count * s.units + tile.unit;
    for (int k = 0; k < tile.rows * s.gate_count; ++k) std::copy_n(from + k * s.lanes, count, to + k * s.units);
  };
  keep(tile.a, s.a);
  if (s.q) keep(tile.q, s.q);
}

}  // namespace

// No call and no branch inside the loops: a compiler makes vectors of them.
float quantise_row(std::span<const float> w, std::int8_t* q) noexcept {
  std::int32_t largest = 0;  // the bits of |w| have the order of |w|, with NaN behind infinity
  for (const float value : w) largest = std::max(largest, std::bit_cast<std::int32_t>(std::abs(value)));
  const float scale = std::bit_cast<float>(largest) / 127;
  if (!std::isnormal(scale)) {
    std::fill_n(q, w.size(), std::int8_t{0});
    return std::isfinite(scale) ? 0 : scale;
  }
  for (std::size_t k = 0; k < w.size(); ++k) {
    const float exact = w[k] / scale;
    const int whole = static_cast<int>(exact);
    const float rest = exact - static_cast<float>(whole);
    q[k] = static_cast<std::int8_t>(whole + static_cast<int>(rest + rest));  // halves away from zero
  }
  return scale;
}

WeightFormat parse_weight_format(std::string_view name) {
  for (int k = 0; k < 3; ++k) {
    if (kWeightFormats[k] == name) return static_cast<WeightFormat>(k);
  }
  fail(Code::kUsage, "unknown number format '{}': expected f32, bf16 or int8", name);
}

StreamLayer::StreamLayer(const StreamLayerWeights& weights, WeightFormat format, int rows)
    : cell_(weights.cell),
      format_(format),
      lanes_(stream_lanes()),
      input_size_(weights.input_size),
      output_size_(weights.output_size),
      hidden_size_(weights.hidden_size),
      heads_(weights.heads),
      units_(cell_->has_matrix() ? (cell_->first_row(cell_->gate_count(), hidden_size_, heads_) + 3) / 4
                                 : hidden_size_),
      panels_((units_ + lanes_ - 1) / lanes_) {
  const int first_gates = cell_->first_gates(), inner = cell_->inner_gates;
  for (const int state : cell_->recurrent_states) recurrent_size_ += first_gates > 0 ? width(state) : 0;
  input_stride_ = rounded_up(input_size_ + 1, 2 * lanes_);
  recurrent_stride_ = rounded_up(std::max(recurrent_size_, hidden_size_) + 1, 2 * lanes_);
  if (format == WeightFormat::kInt8 && std::max(input_size_, recurrent_size_) > kMostInt8Inputs) {
    fail(Code::kUsage, "int8: a layer with {} inputs, at most {} are possible; use bf16",
         std::max(input_size_, recurrent_size_), kMostInt8Inputs);
  }
  const int all = cell_->has_matrix() ? 4 : cell_->gate_count();
  passes_.resize(inner > 0 ? 2 : 1);
  passes_[0].gates = inner > 0 ? first_gates : all;
  passes_[0].recurrent_size = recurrent_size_;
  if (inner > 0) {
    passes_[1].first = first_gates;
    passes_[1].gates = all - first_gates;
    passes_[1].recurrent_size = hidden_size_;
  }
  for (Pass& pass : passes_) {
    pass.kernel = stream_products(format);
    pass.finish = whole_rows()                   ? keep_tile
                  : inner > 0 && pass.first == 0 ? cell_->stream_finish_inner
                                                 : cell_->stream_finish;
    pack(weights, pass);
  }
  const std::int64_t stride = whole_rows() ? hidden_size_ : panels_ * lanes_;
  unit_weights_.resize(static_cast<std::size_t>(cell_->unit_weight_count() * stride));
  for (int k = 0; k < cell_->unit_weight_count(); ++k) {
    std::copy_n(weights.weight_ph + k * hidden_size_, hidden_size_, unit_weights_.data() + k * stride);
  }
  const std::int64_t rows_ih = cell_->first_row(cell_->gate_count(), hidden_size_, heads_);
  if (whole_rows() && weights.bias_ih) bias_ih_.assign(weights.bias_ih, weights.bias_ih + rows_ih);
  if (whole_rows() && weights.bias_hh) bias_hh_.assign(weights.bias_hh, weights.bias_hh + rows_ih);
  if (weights.weight_hr) {
    weight_hr_.resize(static_cast<std::size_t>(kernels::packed_size(hidden_size_, output_size_)));
    kernels::pack<float>(kernels::Op::kTransposed, hidden_size_, output_size_, weights.weight_hr, hidden_size_,
                         weight_hr_.data());
  }
  if (weights.bias_hr) bias_hr_.assign(weights.bias_hr, weights.bias_hr + output_size_);
  output_ = weights.output;
  lay_out_workspace(rows);
}

void StreamLayer::pack(const StreamLayerWeights& weights, Pass& pass) const {
  const std::int64_t vectors = pass.gates * lanes_, H = hidden_size_;
  const std::int64_t end = cell_->has_matrix() ? cell_->gate_count() : pass.first + pass.gates;
  const std::int64_t rows = cell_->first_row(static_cast<int>(end), H, heads_) - pass.first * H;
  const std::int64_t bytes_of_pair[] = {8, 4, 2};
  std::int64_t head = cell_->split_gates ? 2 : 1;
  if (format_ == WeightFormat::kInt8) head += 2;
  const std::int64_t pairs = pairs_of(input_size_) + pairs_of(pass.recurrent_size);
  pass.panel_bytes = rounded_up(vectors * (4 * head + bytes_of_pair[static_cast<int>(format_)] * pairs), kAlignment);
  pass.weights = Tensor({pass.panel_bytes * panels_ / std::int64_t{sizeof(float)}});
  // The first rows of weight_hh are those of the first gates, as wide as what enters their product.
  const std::int64_t recurrent = std::min(pass.gates, cell_->recurrent_gates() - pass.first) * H;
  const float* weight_hh = weights.weight_hh + pass.first * H * recurrent_size_;
  const Side ih{weights.weight_ih + pass.first * H * input_size_, rows, input_size_};
  const Side hh{weight_hh, recurrent, pass.recurrent_size};
  const auto put = format_ == WeightFormat::kF32    ? put_panel<float>
                   : format_ == WeightFormat::kBf16 ? put_panel<std::uint16_t>
                                                    : put_panel<std::int8_t>;
  std::byte* const packed = std::as_writable_bytes(pass.weights.span()).data();
  const std::int64_t group = std::max<std::int64_t>(1, kWorthAThread / (2 * vectors * pairs + 1));
  parallel_for((panels_ + group - 1) / group, [&](std::int64_t index) {
    for (std::int64_t p = index * group; p < std::min(panels_, (index + 1) * group); ++p) {
      const Panel panel{weights, pass.first, pass.gates, p * lanes_, lanes_, units_};
      put(packed + p * pass.panel_bytes, panel, ih, hh);
    }
  });
}

std::int64_t StreamLayer::state_length(int state) const noexcept {
  return cell_->has_matrix() ? width(state) : std::max(panels_ * lanes_, output_size_);
}

void StreamLayer::lay_out_workspace(std::int64_t rows) {
  const bool int8 = format_ == WeightFormat::kInt8, inner = cell_->inner_gates > 0;
  const bool product = cell_->first_gates() > 0;
  std::int64_t bytes[kParts] = {};
  bytes[kInput] = int8 ? rows * input_stride_ * 2 : 0;
  bytes[kRecurrent] = int8 ? rows * recurrent_stride_ * 2 : 0;
  bytes[kScales] = int8 ? 2 * rows * 4 : 0;
  const bool apart = product && cell_->only_h() && !whole_rows();  // the next h may not replace h yet
  bytes[kHidden] = apart || !weight_hr_.empty() ? rows * panels_ * lanes_ * 4 : 0;
  bytes[kGathered] = product && !cell_->only_h() ? rows * recurrent_size_ * 4 : 0;
  bytes[kGates] = inner ? rows * cell_->first_gates() * panels_ * lanes_ * 4 : 0;
  bytes[kInner] = inner ? rows * panels_ * lanes_ * 4 : 0;
  bytes[kOutput] = weight_hr_.empty() ? 0 : rows * output_size_ * 4;
  bytes[kA] = whole_rows() ? rows * passes_[0].gates * units_ * 4 : 0;
  bytes[kQ] = cell_->normalised ? bytes[kA] : 0;
  if (cell_->normalised) bytes[kRows] = (cell_->normal_count() * hidden_size_ + kNormalisedRows) * 4;
  if (cell_->has_matrix()) bytes[kRows] = matrix_step_workspace(hidden_size_, heads_) * 4;
  for (int k = 0; k < kParts; ++k) parts_[k + 1] = parts_[k] + rounded_up(bytes[k], kAlignment);
}

// The states that enter the recurrent product, side by side, [rows, Q].
void StreamLayer::gather(const StreamRows& rows, float* gathered) const noexcept {
  for (int r = 0; r < rows.count; ++r) {
    for (const int state : cell_->recurrent_states)
      gathered = std::copy_n(rows.states[state][r], width(state), gathered);
  }
}

void StreamLayer::step(const StreamRows& rows, std::byte* workspace) const noexcept {
  const auto part = [&](Part k) { return reinterpret_cast<float*>(workspace + parts_[k]); };
  const auto size = [&](Part k) { return parts_[k + 1] - parts_[k]; };
  const std::int64_t padded = panels_ * lanes_;
  float* scales = part(kScales);
  float* hidden = size(kHidden) > 0 ? part(kHidden) : nullptr;
  const float *h[kStreamRows], *inner[kStreamRows];
  if (size(kGathered) > 0) gather(rows, part(kGathered));
  for (int r = 0; r < rows.count; ++r) {
    h[r] = size(kGathered) > 0 ? part(kGathered) + r * recurrent_size_ : rows.states[0][r];
    inner[r] = part(kInner) + r * padded;
  }
  StreamStep s{
      .rows = rows.count,
      .split = cell_->split_gates,
      .input_size = input_size_,
      .panels = panels_,
      .lanes = lanes_,
      .x = rows.x,
      .lower = rows.lower,
      .hidden = hidden,
      .gates = part(kGates),
      .inner = part(kInner),
      .a = part(kA),
      .q = cell_->split_gates ? part(kQ) : nullptr,
      .units = units_,
      .unit_weights = unit_weights_.data(),
      .input = {reinterpret_cast<std::int16_t*>(part(kInput)), scales, input_stride_},
      .recurrent = {reinterpret_cast<std::int16_t*>(part(kRecurrent)), scales + rows.count, recurrent_stride_}};
  s.program = cell_->program;
  for (int k = 0; k < cell_->state_count(); ++k) s.states[k] = rows.states[k];
  for (const Pass& pass : passes_) {
    s.recurrent_size = pass.recurrent_size;
    s.panel_bytes = pass.panel_bytes;
    s.gate_count = pass.gates;
    s.weights = std::as_bytes(pass.weights.span()).data();
    s.h = pass.first == 0 ? h : inner;
    s.finish = pass.finish;
    pass.kernel(s);
  }
  if (cell_->has_matrix()) return finish_matrix(rows, workspace);
  if (cell_->normalised) finish_normalised(rows, workspace);
  if (!weight_hr_.empty()) return project(rows, hidden, part(kOutput));
  for (int r = 0; hidden && r < rows.count; ++r) std::copy_n(hidden + r * padded, hidden_size_, rows.states[0][r]);
}

// The cell's own step, a row at a time, in the way of a scan's.
void StreamLayer::finish_normalised(const StreamRows& rows, std::byte* workspace) const noexcept {
  const auto part = [&](Part k) { return reinterpret_cast<float*>(workspace + parts_[k]); };
  const std::int64_t width = cell_->gate_count() * hidden_size_;
  StepForward<float> s{.rows = 1, .hidden_size = hidden_size_};
  s.bias_a = bias_ih_.empty() ? nullptr : bias_ih_.data();
  s.bias_q = bias_hh_.empty() ? nullptr : bias_hh_.data();
  s.unit_weights = unit_weights_.data();
  s.normal = part(kRows);
  s.scale = s.normal + cell_->normal_count() * hidden_size_;
  for (int r = 0; r < rows.count; ++r) {
    s.a = part(kA) + r * width;
    s.q = part(kQ) + r * width;
    for (int k = 0; k < cell_->state_count(); ++k) s.previous[k] = s.next[k] = rows.states[k][r];
    if (!weight_hr_.empty()) s.next[0] = part(kHidden) + r * panels_ * lanes_;
    cell_->float_steps.step(s);
  }
}

void StreamLayer::finish_matrix(const StreamRows& rows, std::byte* workspace) const noexcept {
  const auto part = [&](Part k) { return reinterpret_cast<float*>(workspace + parts_[k]); };
  for (int r = 0; r < rows.count; ++r) {
    matrix_step<float>({.memory = cell_->matrix_memory,
                        .hidden_size = hidden_size_,
                        .heads = heads_,
                        .a = part(kA) + r * 4 * units_,
                        .bias = bias_ih_.empty() ? nullptr : bias_ih_.data(),
                        .state = {rows.states[0][r], rows.states[1][r], rows.states[2][r], rows.states[3][r]},
                        .workspace = part(kRows)});
  }
}

// h = W_hr hidden for every row. hidden [rows, padded H], output [rows, P] to work in.
void StreamLayer::project(const StreamRows& rows, const float* hidden, float* output) const noexcept {
  kernels::multiply_packed<float>(rows.count, output_size_, hidden_size_, hidden, panels_ * lanes_, weight_hr_.data(),
                                  0.0f, output, output_size_);
  for (int r = 0; r < rows.count; ++r) {
    std::copy_n(output + r * output_size_, output_size_, rows.states[0][r]);
    if (!cell_->output_layer) continue;
    const float* bias = bias_hr_.empty() ? nullptr : bias_hr_.data();
    finish_output<float>(output_, {1, output_size_, bias, rows.states[0][r], rows.states[1][r]});
  }
}

}  // namespace carousel
