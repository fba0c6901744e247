// classify_data.h: what the classify task reads: texts or sequences of numbers, with a class each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/text/pipeline.h"
#include "tasks/options.h"
#include "tasks/samples.h"

namespace carousel {

// Samples before the texts are turned into ids.
struct ClassifyData {
  std::vector<std::string> texts;    // empty: numeric sequences
  Samples samples;                   // the sequences; the ids of texts once encode_texts() has run
  std::vector<std::int32_t> labels;  // index into label_names; -1: none, or not among the names asked for
  std::vector<std::string> label_names;
  std::vector<std::string> notes;  // what was passed over or filled in, one line each

  std::int64_t size() const noexcept { return std::ssize(labels); }
  bool is_text() const noexcept { return samples.features == 0; }
};

// Reads `paths`: labelled texts of any table format, .ts / UCR .tsv sequences, or .npy [T, N, C], one with
// options.labels, all of one C. Throws Error{kUsage} for options.labels with anything but one .npy file. With `known`
// labels (of a model) a label is one of them. Without, the names are those found, ordered by their bytes.
// `labels_required`: rows without a label, or with one that is not known, are Error{kData} with the line, a .npy file
// without options.labels Error{kUsage}; else these samples have the label -1. Error{kData} for numbers that are not
// finite.
ClassifyData read_classify_data(const std::vector<std::string>& paths, const DataOptions& options,
                                const std::vector<std::string>* known, bool labels_required);

// Whether these are numeric sequences and not texts, by their names and first lines.
bool are_sequences(const std::vector<std::string>& paths, const DataOptions& options);

// Fills data.samples.ids (and unseen) from data.texts; hierarchical: with marks between sentences (documents.h).
void encode_texts(ClassifyData& data, TextPipeline& pipeline, bool hierarchical);

// Adds the samples of `more` behind those of `data` (same kind, same label names).
void append(ClassifyData& data, ClassifyData more);

}  // namespace carousel
