// zoneout.h: units that keep their state of the step before (Krueger et al. 2017, "Zoneout").
//
//   s_t = k s_(t-1) + (1 - k) s'      s': what the step would make of s_(t-1)
//
// In training k is 1 or 0, drawn for every step, sample and unit: one for h and one for all other states of the unit,
// so that a stabiliser and what it scales stay together. In inference k is the probability, the mean of the draws. A
// draw is a pure function of key, step, sample and unit, which neither threads nor padding can change and the backward
// pass repeats.
#pragma once

#include "base/arena.h"
#include "base/random.h"
#include "cells/cell.h"
#include "layers/sequence_layout.h"

namespace carousel {

struct Zoneout {
  double output = 0, memory = 0;  // that k = 1: for h, for all other states; drawn in steps of 2^-16
  bool draws = false;             // training
  RandomKey key;                  // of the draws

  bool active() const noexcept { return output > 0 || memory > 0; }
  double of(int state) const noexcept { return state == 0 ? output : memory; }
};

// Throws Error{kUsage} unless 0 <= p < 1 and the cell has a step and the states for it.
void check_zoneout(const Cell& cell, const Zoneout& zoneout);

// The numbers k of one direction, in the sorted order of the samples. They live in an arena.
template <class T>
class ZoneoutShares {
 public:
  ZoneoutShares() = default;  // no unit keeps anything
  ZoneoutShares(Arena& arena, const Zoneout& zoneout, const SequenceLayout& layout, std::int64_t output_size,
                std::int64_t memory_size);

  // Those of step t for sorted samples begin .. begin + rows - 1, to be called before at() is read.
  void draw(std::int64_t t, std::int64_t begin, std::int64_t rows) const noexcept;
  // Of a state from sorted sample `begin` on, [.., its width]; null if its probability is 0.
  const T* at(int state, std::int64_t begin) const noexcept {
    const int which = state > 0 ? 1 : 0;
    return shares_[which] ? shares_[which] + begin * widths_[which] : nullptr;
  }

  bool holds(int state) const noexcept { return shares_[state > 0 ? 1 : 0] != nullptr; }
  bool active() const noexcept { return holds(0) || holds(1); }

 private:
  Zoneout zoneout_;
  const SequenceLayout* layout_ = nullptr;
  T* shares_[2] = {};  // [N, width]: of h, of all other states
  std::int64_t widths_[2] = {};
};

}  // namespace carousel
