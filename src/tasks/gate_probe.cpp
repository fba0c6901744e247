#include "tasks/gate_probe.h"

#include <algorithm>

#include "layers/scan/gate_saturation.h"

namespace carousel {

std::int64_t probe_size(std::int64_t count, std::int64_t batch_size) {
  constexpr std::int64_t kOneIn = 64, kMost = 32;
  return std::min({std::max<std::int64_t>(count / kOneIn, 1), kMost, batch_size, count});
}

std::vector<std::int64_t> probe_samples(std::span<const std::int64_t> training, std::int64_t batch_size) {
  const std::int64_t count = probe_size(std::ssize(training), batch_size);
  std::vector<std::int64_t> samples;
  for (std::int64_t k = 0; k < count; ++k) {
    samples.push_back(training[static_cast<std::size_t>(k * std::ssize(training) / count)]);
  }
  return samples;
}

std::vector<std::pair<std::string, double>> probe_gates(Module& network, Tape<float>& tape, SequenceLayout& layout,
                                                        detail::PassInput input, std::int64_t most_steps) {
  const Shape& shape = input.values ? input.values->shape() : input.ids->shape();
  std::vector<std::int32_t> lengths(input.lengths.begin(), input.lengths.end());
  if (lengths.empty()) lengths.assign(static_cast<std::size_t>(shape[1]), static_cast<std::int32_t>(shape[0]));
  if (most_steps > 0) {
    for (std::int32_t& length : lengths) length = static_cast<std::int32_t>(std::min<std::int64_t>(length, most_steps));
  }
  input.lengths = lengths;
  return gate_saturation(detail::run_pass(network, tape, layout, input, false, {}));
}

}  // namespace carousel
