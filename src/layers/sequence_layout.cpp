#include "layers/sequence_layout.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/checked_size.h"
#include "base/fail.h"

namespace carousel {

void SequenceLayout::assign(std::int64_t time_steps, std::int64_t samples, std::span<const std::int32_t> lengths) {
  if (checked_size({time_steps, samples}, "time steps x samples") > INT32_MAX) {
    fail(Code::kUsage, "a batch of {} steps x {} samples is too large: at most {} rows", time_steps, samples,
         INT32_MAX);
  }
  order_.resize(static_cast<std::size_t>(samples));
  std::iota(order_.begin(), order_.end(), 0);
  for (std::size_t n = 0; n < lengths.size(); ++n) {
    if (lengths[n] < 0 || lengths[n] > time_steps) {
      fail(Code::kUsage, "length {} of sample {} is out of range, expected 0 to {}", lengths[n], n, time_steps);
    }
  }
  const auto length_of = [&](std::int64_t sample) -> std::int64_t {
    return lengths.empty() ? time_steps : lengths[static_cast<std::size_t>(sample)];
  };
  std::sort(order_.begin(), order_.end(), [&](std::int64_t a, std::int64_t b) {
    return length_of(a) != length_of(b) ? length_of(a) > length_of(b) : a < b;
  });
  lengths_.resize(order_.size());
  std::transform(order_.begin(), order_.end(), lengths_.begin(), length_of);
  place_rows(time_steps);
}

void SequenceLayout::place_rows(std::int64_t time_steps) {
  time_steps_ = time_steps;
  derived_count_ = 0;
  uniform_ = lengths_.empty() || lengths_.back() == time_steps;
  batch_sizes_.clear();
  offsets_.assign(1, 0);
  std::int64_t running = samples();
  for (std::int64_t t = 0; running > 0 && t < lengths_.front(); ++t) {
    while (lengths_[static_cast<std::size_t>(running - 1)] <= t) --running;
    batch_sizes_.push_back(running);
    offsets_.push_back(offsets_.back() + running);
  }

  row_samples_.resize(static_cast<std::size_t>(rows()));
  padded_rows_.resize(static_cast<std::size_t>(rows()));
  last_rows_.assign(order_.size(), -1);
  for (std::int64_t t = 0; t < longest(); ++t) {
    for (std::int64_t k = 0; k < batch_size(t); ++k) {
      const auto row = static_cast<std::size_t>(offset(t) + k);
      row_samples_[row] = sample(k);
      padded_rows_[row] = t * samples() + sample(k);
      last_rows_[static_cast<std::size_t>(sample(k))] = static_cast<std::int64_t>(row);
    }
  }
}

const SequenceLayout* SequenceLayout::find_derived(const Key& key) const noexcept {
  auto entry = derived_.begin();
  for (std::size_t k = 0; k < derived_count_; ++k, ++entry) {
    if (entry->first == key) return &entry->second;
  }
  return nullptr;
}

SequenceLayout& SequenceLayout::add_derived(const Key& key) const {
  if (derived_count_ == derived_.size()) derived_.emplace_back();
  auto& entry = *std::next(derived_.begin(), static_cast<std::ptrdiff_t>(derived_count_++));
  entry.first = key;
  return entry.second;
}

const SequenceLayout& SequenceLayout::shortened(std::int64_t steps) const {
  if (steps == 0) return *this;
  if (const SequenceLayout* found = find_derived({steps, samples()})) return *found;
  SequenceLayout& made = add_derived({steps, samples()});
  const auto shorter = [=](std::int64_t length) { return std::max<std::int64_t>(length - steps, 0); };
  made.order_ = order_;
  made.lengths_.resize(lengths_.size());
  std::transform(lengths_.begin(), lengths_.end(), made.lengths_.begin(), shorter);
  made.place_rows(shorter(time_steps_));
  return made;
}

const SequenceLayout& SequenceLayout::one_step(std::int64_t samples) const {
  if (const SequenceLayout* found = find_derived({kOneStep, samples})) return *found;
  SequenceLayout& made = add_derived({kOneStep, samples});
  made.assign(1, samples, {});
  return made;
}

}  // namespace carousel
