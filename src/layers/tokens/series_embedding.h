// series_embedding.h: a learnt vector for each of many series, beside the other numbers of every step.
//
//   y[row] = (x[row, 0 .. C - 1), E[s])      s = x[row, C - 1]      x [rows, C]   E [series, size]   y [rows, C-1+size]
//
// The last column is the number of the series that a row belongs to. A number that is not one of 0 .. series - 1 is an
// unknown series, whose vector is the mean of all of E; no gradient goes back through that mean, nor into x.
#pragma once

#include "carousel/layers.h"

namespace carousel {

class SeriesEmbedding : public Module {
 public:
  // dropout: of the vectors while training, one mask for all steps of a sample. Throws Error{kUsage} unless series and
  // size are at least 1 and 0 <= dropout < 1; a pass does if a row has one number only.
  SeriesEmbedding(std::int64_t series, std::int64_t size, double dropout);
  std::vector<Parameter*> parameters() override { return {&weight}; }
  void initialize(std::uint64_t seed) override;  // normal, deviation 0.1
  LayerDescription describe() const override;
  void forward(detail::Flow& flow) override;
  Parameter weight;  // [series, size]

 private:
  double dropout_;
};

}  // namespace carousel
