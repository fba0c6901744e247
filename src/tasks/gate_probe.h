// gate_probe.h: what training logs of the gates: how many of them are saturated, on a few fixed training samples.
//
// The samples go through the network once after each epoch, without dropout, on the trainer's own tape. At most one
// training sample in 64 is among them, so that an epoch takes at most about 1 % longer, and at most one batch, so that
// the pass takes no more memory than a step.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "layers/module.h"

namespace carousel {

// How many of `count` training samples are looked at: at least 1, at most 32 and batch_size.
std::int64_t probe_size(std::int64_t count, std::int64_t batch_size);

// So many of the training samples, evenly spaced.
std::vector<std::int64_t> probe_samples(std::span<const std::int64_t> training, std::int64_t batch_size);

// gate_saturation() of a pass over these samples, of which the first `most_steps` steps count (0: all). The tape is
// reset, or new; the layout must live until its next reset().
std::vector<std::pair<std::string, double>> probe_gates(Module& network, Tape<float>& tape, SequenceLayout& layout,
                                                        detail::PassInput input, std::int64_t most_steps);

}  // namespace carousel
