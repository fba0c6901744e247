// sequence_layout.h: sequences of different lengths without padding.
//
// The samples are sorted by length, longest first (equal lengths keep their order). At step t only the samples that
// are still running stand in the batch, so the batch shrinks as sequences end, and all valid steps lie in one matrix:
// the packed rows. Row offsets[t] + k is step t of the k-th sorted sample. Padded steps exist nowhere in it: they are
// not computed and cannot influence anything. A sample of length 0 has no row.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <utility>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

class SequenceLayout {
 public:
  SequenceLayout() = default;
  // All samples have time_steps steps.
  SequenceLayout(std::int64_t time_steps, std::int64_t samples) { assign(time_steps, samples, {}); }
  SequenceLayout(std::int64_t time_steps, std::span<const std::int32_t> lengths) {
    assign(time_steps, static_cast<std::int64_t>(lengths.size()), lengths);
  }

  // Describes another batch; reuses its memory. `lengths` is empty (all time_steps) or has one entry per sample.
  // Throws Error{kUsage} if a length is negative or beyond time_steps.
  void assign(std::int64_t time_steps, std::int64_t samples, std::span<const std::int32_t> lengths);

  std::int64_t time_steps() const noexcept { return time_steps_; }  // T of the padded form
  std::int64_t samples() const noexcept { return static_cast<std::int64_t>(order_.size()); }
  std::int64_t rows() const noexcept { return offsets_.back(); }  // the sum of the lengths
  std::int64_t longest() const noexcept { return static_cast<std::int64_t>(batch_sizes_.size()); }
  // Every sample has time_steps steps, so the packed rows are the padded form.
  bool uniform() const noexcept { return uniform_; }

  std::int64_t batch_size(std::int64_t step) const noexcept { return batch_sizes_[static_cast<std::size_t>(step)]; }
  std::int64_t offset(std::int64_t step) const noexcept { return offsets_[static_cast<std::size_t>(step)]; }
  std::int64_t sample(std::int64_t sorted) const noexcept { return order_[static_cast<std::size_t>(sorted)]; }
  std::int64_t length(std::int64_t sorted) const noexcept { return lengths_[static_cast<std::size_t>(sorted)]; }

  // For every packed row the original sample, or the row in the padded form (t N + n).
  std::span<const std::int64_t> row_samples() const noexcept { return row_samples_; }
  std::span<const std::int64_t> padded_rows() const noexcept { return padded_rows_; }
  // For every original sample the packed row of its last step, -1 if its length is 0.
  std::span<const std::int64_t> last_rows() const noexcept { return last_rows_; }

  // Layouts that follow from this one: made when first asked for, kept and valid until the next assign().
  //
  // Every sample, and T, `steps` shorter, but not below 0; the samples keep their order.
  const SequenceLayout& shortened(std::int64_t steps) const;
  // One step of the first `samples` sorted samples, sorted sample k being sample k.
  const SequenceLayout& one_step(std::int64_t samples) const;
  // For a layer to assign as it likes: another one at each call.
  SequenceLayout& another() const { return add_derived({kOther, 0}); }

 private:
  void place_rows(std::int64_t time_steps);  // what follows from order_ and lengths_
  // What a derived layout is known by: by how many steps it is shorter, its samples.
  using Key = std::pair<std::int64_t, std::int64_t>;
  static constexpr std::int64_t kOneStep = -1, kOther = -2;           // instead of a number of steps
  const SequenceLayout* find_derived(const Key& key) const noexcept;  // null: not made yet
  SequenceLayout& add_derived(const Key& key) const;

  std::int64_t time_steps_ = 0;
  bool uniform_ = true;
  std::vector<std::int64_t> order_, lengths_, batch_sizes_, offsets_{0};
  std::vector<std::int64_t> row_samples_, padded_rows_, last_rows_;
  mutable std::list<std::pair<Key, SequenceLayout>> derived_;  // a list: they do not move
  mutable std::size_t derived_count_ = 0;                      // of them in use; the others wait with their memory
};

}  // namespace carousel
