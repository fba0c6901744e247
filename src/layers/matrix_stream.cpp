#include "layers/matrix_stream.h"

#include <algorithm>

#include "cells/matrix_step.h"
#include "kernels/packed_matrix.h"
#include "layers/recurrent_structure.h"

namespace carousel {

MatrixStreamLayer::MatrixStreamLayer(const Recurrent& recurrent, std::int64_t layer, int rows)
    : cell_(&find_cell(recurrent.options().cell)),
      hidden_size_(recurrent.options().hidden_size),
      heads_(recurrent.options().heads) {
  const std::string suffix = scan_suffix(layer, 0);
  const Tensor& weight = recurrent.parameter("weight_ih" + suffix)->value;
  width_ = weight.shape()[0];
  input_size_ = weight.shape()[1];
  weight_.resize(static_cast<std::size_t>(kernels::packed_size(input_size_, width_)));
  kernels::pack<float>(kernels::Op::kTransposed, input_size_, width_, weight.data(), input_size_, weight_.data());
  if (const Parameter* bias = recurrent.parameter("bias_ih" + suffix)) {
    bias_.assign(bias->value.span().begin(), bias->value.span().end());
  }
  const std::int64_t floats = rows * (input_size_ + width_) + matrix_step_workspace(hidden_size_, heads_);
  workspace_bytes_ = (floats * 4 + kAlignment - 1) / kAlignment * kAlignment;
}

void MatrixStreamLayer::step(const StreamRows& rows, std::byte* workspace) const noexcept {
  float* x = reinterpret_cast<float*>(workspace);
  float* a = x + rows.count * input_size_;
  for (int r = 0; r < rows.count; ++r) std::copy_n(rows.x[r], input_size_, x + r * input_size_);
  kernels::multiply_packed<float>(rows.count, width_, input_size_, x, input_size_, weight_.data(), 0.0f, a, width_);
  for (int r = 0; r < rows.count; ++r) {
    matrix_step<float>({.memory = cell_->matrix_memory,
                        .hidden_size = hidden_size_,
                        .heads = heads_,
                        .a = a + r * width_,
                        .bias = bias_.empty() ? nullptr : bias_.data(),
                        .state = {rows.states[0][r], rows.states[1][r], rows.states[2][r], rows.states[3][r]},
                        .workspace = a + rows.count * width_});
  }
}

}  // namespace carousel
