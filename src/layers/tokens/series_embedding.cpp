#include "layers/tokens/series_embedding.h"

#include <vector>

#include "autograd/ops/add.h"
#include "autograd/ops/concatenate_columns.h"
#include "autograd/ops/dropout.h"
#include "autograd/ops/select_columns.h"
#include "autograd/ops/select_rows.h"
#include "base/fail.h"
#include "layers/module.h"

namespace carousel {
namespace {

// [rows, size]: the mean of all vectors in the rows whose number is -1, else 0.
Variable means_of_unknown(Tape<float>& tape, const Tensor& vectors, std::span<const std::int64_t> numbers) {
  const std::int64_t S = vectors.shape()[0], size = vectors.shape()[1], rows = std::ssize(numbers);
  std::vector<double> mean(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < S * size; ++i) mean[static_cast<std::size_t>(i % size)] += vectors[i];
  auto* values = tape.arena().allocate<float>(rows * size);
  for (std::int64_t i = 0; i < rows * size; ++i) {
    const bool unknown = numbers[static_cast<std::size_t>(i / size)] < 0;
    values[i] = unknown ? static_cast<float>(mean[static_cast<std::size_t>(i % size)] / static_cast<double>(S)) : 0;
  }
  return tape.constant({values, {rows, size}});
}

}  // namespace

SeriesEmbedding::SeriesEmbedding(std::int64_t series, std::int64_t size, double dropout)
    : weight("weight", Tensor({series, size})), dropout_(dropout) {
  if (series < 1 || size < 1) {
    fail(Code::kUsage, "series_embedding: series {} and size {} must be at least 1", series, size);
  }
  if (!(dropout >= 0 && dropout < 1)) {
    fail(Code::kUsage, "series_embedding: dropout is {}, expected 0 <= p < 1", dropout);
  }
}

void SeriesEmbedding::initialize(std::uint64_t seed) {
  fill_normal({seed, Purpose::kWeights, 0}, 0.0f, 0.1f, weight.value.span());
}

LayerDescription SeriesEmbedding::describe() const {
  return {"series_embedding",
          {{"vocabulary_size", weight.value.shape()[0]},
           {"embedding_size", weight.value.shape()[1]},
           {"dropout", dropout_}},
          {}};
}

void SeriesEmbedding::forward(detail::Flow& flow) {
  const Variable x = flow.rows("series_embedding");
  const std::int64_t rows = x.shape()[0], C = x.shape().back(), S = weight.value.shape()[0];
  if (C < 2) fail(Code::kUsage, "series_embedding: rows of {} numbers, expected some and that of the series", C);
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(rows), -1);
  bool unknown = false;
  for (std::int64_t row = 0; row < rows; ++row) {
    const float number = x.value().data[row * C + C - 1];
    if (number >= 0 && number < static_cast<float>(S)) {
      numbers[static_cast<std::size_t>(row)] = static_cast<std::int64_t>(number);
    } else {
      unknown = true;
    }
  }
  Variable vectors = select_rows(flow.tape->parameter(weight), std::span<const std::int64_t>(numbers));
  if (unknown) vectors = add(vectors, means_of_unknown(*flow.tape, weight.value, numbers));
  if (flow.training && dropout_ > 0) {
    vectors = dropout_per_sequence(vectors, dropout_, flow.next_dropout_key(), flow.layout->row_samples(),
                                   flow.layout->samples());
  }
  flow.x = concatenate_columns({select_columns(x, 0, C - 1), vectors});
}

}  // namespace carousel
