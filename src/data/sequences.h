// sequences.h: labelled sequences of numbers: UCR/UEA `.ts` files and the `.tsv` files of the UCR archive; gzip too.
//
//   .ts   header lines @key value, then per line one sample: its features separated by ':', the values of each by ',',
//   the
//         class label last. Samples may differ in length; the features of one sample may not.
//   .tsv  per line one sample of one feature: the label, then the values, separated by tabs. Missing values at the end
//   of
//         a line end the sample (the archive pads short samples so).
//
// A missing value elsewhere (? or NaN) becomes the value before it in the same feature, at the start the first one that
// is there; how many were filled so stands in `filled`. A feature with no value at all is an error. The .npy way in is
// in formats/. Errors: Error{kData} with file and line.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "carousel/tensor.h"

namespace carousel {

struct Sequence {
  Tensor values;          // [T_i, C]
  std::string label;      // "" if the file says that it has none
  std::int64_t line = 0;  // in its file
};

struct SequenceFile {
  std::vector<Sequence> samples;
  std::vector<std::string> label_names;  // as the header lists them, else those found ordered by their bytes
  std::int64_t features = 0;             // C, the same for all samples
  std::int64_t filled = 0;               // missing values filled in
};

// Whether this is such a file: it ends in .ts, or in .tsv and its first line is at least three numbers.
bool is_sequence_file(const std::string& path);

SequenceFile read_sequences(const std::string& path);

// Numeric sequences of one batch, time-major and filled up with zeros.
struct PaddedSequences {
  Tensor values;                      // [T, N, C], T the longest of the batch
  std::vector<std::int32_t> lengths;  // [N]
};

// The sequences of these indices. REQUIRES: indices in range, all of the same C.
PaddedSequences pad_sequences(std::span<const Sequence> samples, std::span<const std::int64_t> indices);

}  // namespace carousel
