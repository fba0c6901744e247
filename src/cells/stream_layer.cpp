#include "cells/stream_layer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/fail.h"
#include "cells/stream_simd.h"
#include "kernels/packed_matrix.h"

namespace carousel {
namespace {

constexpr std::int64_t kMostInt8Inputs = 16000;  // 16000 * 127 * 1023 < 2^31

std::int64_t rounded_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

std::int64_t pairs_of(std::int64_t numbers) { return (numbers + 1) / 2; }

// Writes values one after another.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  template <class T>
  void put(T value) {
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }

 private:
  std::byte* at_;
};

// One of W and R: element (row, column) with zeros beyond; for int8 also rounded, with a scale per row.
struct Side {
  const float* weight;
  std::int64_t columns;
  std::vector<std::int8_t> integers;
  std::vector<float> scales;

  Side(const float* w, std::int64_t rows, std::int64_t columns_of_w, WeightFormat format)
      : weight(w), columns(columns_of_w) {
    if (format != WeightFormat::kInt8) return;
    integers.resize(static_cast<std::size_t>(rows * columns));
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::span<const float> one(w + row * columns, static_cast<std::size_t>(columns));
      scales.push_back(quantise_row(one, integers.data() + row * columns));
    }
  }

  bool holds(std::int64_t row, std::int64_t column) const { return row >= 0 && column < columns; }
  float at(std::int64_t row, std::int64_t column) const {
    return holds(row, column) ? weight[row * columns + column] : 0.0f;
  }
  std::int8_t integer_at(std::int64_t row, std::int64_t column) const {
    return holds(row, column) ? integers[static_cast<std::size_t>(row * columns + column)] : std::int8_t{0};
  }
  float scale(std::int64_t row) const { return row >= 0 ? scales[static_cast<std::size_t>(row)] : 0.0f; }
};

// Units first .. first + lanes - 1 of one layer; a unit beyond H has row -1.
struct Panel {
  const StreamLayerWeights& weights;
  std::int64_t first, lanes;

  std::int64_t row(int gate, std::int64_t lane) const {
    const std::int64_t unit = first + lane;
    return unit < weights.hidden_size ? gate * weights.hidden_size + unit : -1;
  }

  template <class Put>
  void for_each_unit(Put put) const {
    for (int gate = 0; gate < weights.cell->gate_count(); ++gate) {
      for (std::int64_t lane = 0; lane < lanes; ++lane) put(row(gate, lane));
    }
  }
};

void put_pairs(Writer& out, const Panel& panel, const Side& side, WeightFormat format) {
  for (std::int64_t k = 0; k < side.columns; k += 2) {
    for (int gate = 0; gate < panel.weights.cell->gate_count(); ++gate) {
      const auto value = [&](std::int64_t lane, std::int64_t column) { return side.at(panel.row(gate, lane), column); };
      if (format == WeightFormat::kF32) {
        for (std::int64_t lane = 0; lane < panel.lanes; ++lane) out.put(value(lane, k));
        for (std::int64_t lane = 0; lane < panel.lanes; ++lane) out.put(value(lane, k + 1));
        continue;
      }
      for (std::int64_t lane = 0; lane < panel.lanes; ++lane) {
        if (format == WeightFormat::kBf16) {
          out.put(bf16_bits(value(lane, k)));
          out.put(bf16_bits(value(lane, k + 1)));
          continue;
        }
        out.put(side.integer_at(panel.row(gate, lane), k));
        out.put(side.integer_at(panel.row(gate, lane), k + 1));
      }
    }
  }
}

struct Sides {
  Side ih, hh;
};

void put_panel(std::byte* at, const Panel& panel, const Sides& sides, WeightFormat format) {
  const StreamLayerWeights& w = panel.weights;
  const Side &ih = sides.ih, &hh = sides.hh;
  Writer out(at);
  const auto bias = [](const float* values, std::int64_t row) { return values && row >= 0 ? values[row] : 0.0f; };
  const bool split = w.cell->split_gates;
  panel.for_each_unit([&](std::int64_t row) { out.put(bias(w.bias_ih, row) + (split ? 0.0f : bias(w.bias_hh, row))); });
  if (split) panel.for_each_unit([&](std::int64_t row) { out.put(bias(w.bias_hh, row)); });
  if (format == WeightFormat::kInt8) {
    panel.for_each_unit([&](std::int64_t row) { out.put(ih.scale(row)); });
    panel.for_each_unit([&](std::int64_t row) { out.put(hh.scale(row)); });
  }
  put_pairs(out, panel, ih, format);
  put_pairs(out, panel, hh, format);
}

}  // namespace

float quantise_row(std::span<const float> w, std::int8_t* q) noexcept {
  float largest = 0;
  for (const float value : w) largest = std::max(largest, std::abs(value));
  float scale = largest / 127;
  if (scale < std::numeric_limits<float>::min()) scale = 0;
  for (const float value : w) *q++ = static_cast<std::int8_t>(scale > 0 ? std::lround(value / scale) : 0);
  return scale;
}

std::uint16_t bf16_bits(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  // The rounding of a NaN could make it infinite.
  const std::uint32_t rounded = std::isnan(value) ? bits | 0x400000 : bits + 0x7fff + ((bits >> 16) & 1);
  return static_cast<std::uint16_t>(rounded >> 16);
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
      recurrent_size_(weights.recurrent_size),
      hidden_size_(weights.hidden_size),
      panels_((weights.hidden_size + lanes_ - 1) / lanes_),
      input_stride_(rounded_up(input_size_ + 1, 2 * lanes_)),
      recurrent_stride_(rounded_up(recurrent_size_ + 1, 2 * lanes_)) {
  if (format == WeightFormat::kInt8 && std::max(input_size_, recurrent_size_) > kMostInt8Inputs) {
    fail(Code::kUsage, "int8: a layer with {} inputs, at most {} are possible; use bf16",
         std::max(input_size_, recurrent_size_), kMostInt8Inputs);
  }
  pack(weights);
  if (weights.weight_hr) {
    weight_hr_.resize(static_cast<std::size_t>(kernels::packed_size(hidden_size_, recurrent_size_)));
    kernels::pack<float>(kernels::Op::kTransposed, hidden_size_, recurrent_size_, weights.weight_hr, hidden_size_,
                         weight_hr_.data());
  }
  lay_out_workspace(rows);
}

void StreamLayer::pack(const StreamLayerWeights& weights) {
  const std::int64_t vectors = cell_->gate_count() * lanes_;
  const std::int64_t bytes_of_pair[] = {8, 4, 2};
  std::int64_t head = cell_->split_gates ? 2 : 1;
  if (format_ == WeightFormat::kInt8) head += 2;
  const std::int64_t pairs = pairs_of(input_size_) + pairs_of(recurrent_size_);
  panel_bytes_ = rounded_up(vectors * (4 * head + bytes_of_pair[static_cast<int>(format_)] * pairs), kAlignment);
  weights_.resize(static_cast<std::size_t>(panel_bytes_ * panels_));
  const std::int64_t rows = cell_->gate_count() * weights.hidden_size;
  const Sides sides{Side(weights.weight_ih, rows, input_size_, format_),
                    Side(weights.weight_hh, rows, recurrent_size_, format_)};
  for (std::int64_t p = 0; p < panels_; ++p) {
    put_panel(weights_.data() + p * panel_bytes_, {weights, p * lanes_, lanes_}, sides, format_);
  }
}

std::int64_t StreamLayer::state_length() const noexcept { return std::max(panels_ * lanes_, recurrent_size_); }

void StreamLayer::lay_out_workspace(std::int64_t rows) {
  const bool int8 = format_ == WeightFormat::kInt8;
  std::int64_t bytes[kParts] = {};
  bytes[kInput] = int8 ? rows * input_stride_ * 2 : 0;
  bytes[kRecurrent] = int8 ? rows * recurrent_stride_ * 2 : 0;
  bytes[kScales] = int8 ? 2 * rows * 4 : 0;
  bytes[kHidden] = rows * panels_ * lanes_ * 4;
  bytes[kOutput] = weight_hr_.empty() ? 0 : rows * recurrent_size_ * 4;
  for (int k = 0; k < kParts; ++k) parts_[k + 1] = parts_[k] + rounded_up(bytes[k], kAlignment);
}

void StreamLayer::step(const StreamRows& rows, std::byte* workspace) const noexcept {
  const auto part = [&](Part k) { return workspace + parts_[k]; };
  auto* scales = reinterpret_cast<float*>(part(kScales));
  auto* hidden = reinterpret_cast<float*>(part(kHidden));
  StreamStep s{
      .rows = rows.count,
      .input_size = input_size_,
      .recurrent_size = recurrent_size_,
      .panels = panels_,
      .panel_bytes = panel_bytes_,
      .x = rows.x,
      .hidden = hidden,
      .weights = weights_.data(),
      .input = {reinterpret_cast<std::int16_t*>(part(kInput)), scales, input_stride_},
      .recurrent = {reinterpret_cast<std::int16_t*>(part(kRecurrent)), scales + rows.count, recurrent_stride_}};
  for (int k = 0; k < cell_->state_count(); ++k) s.states[k] = rows.states[k];
  cell_->stream_step[static_cast<int>(format_)](s);
  if (!weight_hr_.empty()) return project(rows, hidden, reinterpret_cast<float*>(part(kOutput)));
  for (int r = 0; r < rows.count; ++r) std::copy_n(hidden + r * panels_ * lanes_, hidden_size_, rows.states[0][r]);
}

// h = W_hr hidden for every row. hidden [rows, padded H], output [rows, P] to work in.
void StreamLayer::project(const StreamRows& rows, const float* hidden, float* output) const noexcept {
  kernels::multiply_packed<float>(rows.count, recurrent_size_, hidden_size_, hidden, panels_ * lanes_,
                                  weight_hr_.data(), 0.0f, output, recurrent_size_);
  for (int r = 0; r < rows.count; ++r) {
    std::copy_n(output + r * recurrent_size_, recurrent_size_, rows.states[0][r]);
  }
}

}  // namespace carousel
