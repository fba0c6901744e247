#include "layers/scan/stream_transition.h"

#include <algorithm>

#include "layers/recurrent/recurrent_structure.h"

namespace carousel {

StreamTransition::StreamTransition(const Recurrent& recurrent, std::int64_t layer, int direction, WeightFormat format,
                                   int rows)
    : zoneout_(mean_zoneout(recurrent.options())) {
  for (int k = 0; k < recurrent.state_count(); ++k) {
    widths_.push_back(recurrent.state_shape(k, 1)[2]);
    if (zoneout_.of(k) > 0) before_bytes_ += rows * widths_.back() * std::int64_t{sizeof(float)};
  }
  before_bytes_ = (before_bytes_ + kAlignment - 1) / kAlignment * kAlignment;
  const std::int64_t transitions = recurrent.options().transitions;
  for (std::int64_t k = 0; k < transitions; ++k) {
    cells_.push_back(make_stream_layer(recurrent, layer, direction * transitions + k, format, rows));
    cell_bytes_ = std::max(cell_bytes_, cells_.back().workspace_bytes());
  }
}

// Calls body(p, states, before, width) for every row of the states that units may keep with probability p.
template <class Body>
void StreamTransition::for_each_kept(const StreamRows& rows, float* before, Body body) const noexcept {
  for (std::size_t k = 0; k < widths_.size(); ++k) {
    const auto probability = static_cast<float>(zoneout_.of(static_cast<int>(k)));
    for (int r = 0; r < rows.count && probability > 0; ++r, before += widths_[k]) {
      body(probability, rows.states[k][r], before, widths_[k]);
    }
  }
}

void StreamTransition::step(const StreamRows& rows, std::byte* workspace) const noexcept {
  auto* before = reinterpret_cast<float*>(workspace);
  for_each_kept(rows, before,
                [](float, const float* state, float* kept, std::int64_t width) { std::copy_n(state, width, kept); });
  for (const StreamLayer& cell : cells_) cell.step(rows, workspace + before_bytes_);
  for_each_kept(rows, before, [](float p, float* state, const float* kept, std::int64_t width) {
    for (std::int64_t j = 0; j < width; ++j) state[j] = p * kept[j] + (1 - p) * state[j];
  });
}

}  // namespace carousel
