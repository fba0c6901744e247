#include "tasks/input_noise.h"

#include <utility>

#include "base/random.h"

namespace carousel {

InputNoise::InputNoise(double deviation, std::uint64_t seed, std::vector<double> scales)
    : deviation_(deviation), seed_(seed), scales_(std::move(scales)) {}

void InputNoise::add(std::int64_t epoch, std::span<const std::int64_t> samples, std::span<const std::int32_t> lengths,
                     Tensor& values) const {
  if (deviation_ == 0) return;
  const std::int64_t N = values.shape()[1], C = values.shape()[2];
  std::vector<float> noise;
  for (std::int64_t n = 0; n < N; ++n) {
    const auto sample = static_cast<std::uint64_t>(samples[static_cast<std::size_t>(n)]);
    const std::int64_t steps = lengths[static_cast<std::size_t>(n)];
    noise.resize(static_cast<std::size_t>(steps * C));
    const RandomKey key{seed_, Purpose::kNoise, static_cast<std::uint64_t>(epoch) << 32 | sample};
    fill_normal(key, 0.0f, 1.0f, std::span<float>(noise));
    for (std::int64_t j = 0; j < steps * C; ++j) {
      const double deviation = deviation_ * scales_[static_cast<std::size_t>(j % C)];
      values[(j / C * N + n) * C + j % C] += static_cast<float>(deviation * noise[static_cast<std::size_t>(j)]);
    }
  }
}

}  // namespace carousel
