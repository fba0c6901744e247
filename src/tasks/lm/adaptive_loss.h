// adaptive_loss.h: the cross entropy of an AdaptiveSoftmax, from the scores of the head for all rows and those of a
// cluster for the rows whose label stands in it.
#pragma once

#include <cstdint>
#include <span>

#include "carousel/autograd.h"
#include "layers/output/adaptive_softmax.h"

namespace carousel {

// The mean over the rows of -log p(label) of features [rows, H]; `losses` [rows], if not empty, receives every one.
Variable adaptive_loss(AdaptiveSoftmax& output, const Variable& rows, std::span<const std::int32_t> labels,
                       std::span<double> losses);

}  // namespace carousel
