// random.h: counter-based random numbers (Philox4x32-10, Salmon et al. 2011).
//
// A number is a pure function of (seed, purpose, step, index): there is no hidden state that a thread or a resume
// could disturb. Two draws with the same key and index are the same number.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace carousel {

// What a random number is for. Each purpose is a stream of its own; the numbers are stored in checkpoints: never
// renumber.
enum class Purpose : std::uint32_t {
  kWeights = 1,
  kShuffle = 2,
  kDropout = 3,
  kSplit = 4,
  kSample = 5,
  kNoise = 6,
  kHide = 7,
  kTest = 99,
};

struct RandomKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::kTest;
  std::uint64_t step = 0;  // training step, epoch, or the index of the tensor; below 2^56
};

// The 128 random bits at `index`.
std::array<std::uint32_t, 4> philox(const RandomKey& key, std::uint64_t index) noexcept;

// Uniform in [0, 1), 24 random bits: word index % 4 of philox(key, index / 4).
float uniform(const RandomKey& key, std::uint64_t index) noexcept;

// Uniform integer in [0, bound), without bias worth naming (64 random bits). REQUIRES: bound > 0.
std::uint64_t uniform_below(const RandomKey& key, std::uint64_t index, std::uint64_t bound) noexcept;

// Fills `out` with numbers of index 0, 1, 2 ...: uniform in [low, high), or normal (Box-Muller).
void fill_uniform(const RandomKey& key, float low, float high, std::span<float> out) noexcept;
void fill_uniform(const RandomKey& key, double low, double high, std::span<double> out) noexcept;
void fill_normal(const RandomKey& key, float mean, float deviation, std::span<float> out) noexcept;
void fill_normal(const RandomKey& key, double mean, double deviation, std::span<double> out) noexcept;

// A random order of 0 .. out.size()-1 (Fisher-Yates).
void fill_permutation(const RandomKey& key, std::span<std::int64_t> out) noexcept;

}  // namespace carousel
