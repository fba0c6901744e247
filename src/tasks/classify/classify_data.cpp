#include "tasks/classify/classify_data.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "data/labelled.h"
#include "data/sequences.h"
#include "formats/npy.h"
#include "tasks/classify/documents.h"
#include "tasks/token_input.h"

namespace carousel {
namespace {

bool is_npy(const std::string& path) { return path.ends_with(".npy") || path.ends_with(".npy.gz"); }

// Labels as names, before they have numbers.
struct NamedLabels {
  std::vector<std::string> names;   // "" where there is none
  std::vector<std::string> places;  // "file:line" of each, for messages
};

void take_features(const std::string& path, std::int64_t features, ClassifyData& data) {
  if (data.samples.features != 0 && data.samples.features != features) {
    fail(Code::kData, "{}: has {} features, the file before it has {}", path, features, data.samples.features);
  }
  data.samples.features = features;
}

void read_npy_samples(const std::string& path, const DataOptions& options, bool labels_required, ClassifyData& data,
                      NamedLabels& labels) {
  if (labels_required && options.labels.empty()) {
    fail(Code::kUsage,
         "{}: a .npy file has no labels inside: those of --data are --labels FILE.npy, and a part of it is held back "
         "by --split or --valid-fraction, not by --valid",
         path);
  }
  std::vector<Sequence> sequences = read_npy_sequences(path, options.batch_first);
  const std::int64_t N = std::ssize(sequences);
  IdTensor ids;
  if (!options.labels.empty()) ids = read_npy<std::int32_t>(options.labels);
  if (!options.labels.empty() && ids.elements() != N) {
    fail(Code::kData, "{}: has {} labels, {} has {} samples", options.labels, ids.elements(), path, N);
  }
  const std::int64_t C = sequences[0].values.shape()[1];
  take_features(path, C, data);
  for (std::int64_t n = 0; n < N; ++n) {
    const auto values = sequences[static_cast<std::size_t>(n)].values.span();
    const auto odd = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (odd != values.end()) {
      fail(Code::kData,
           "{}: sample {}, step {}, feature {} is not finite: fill missing values in; only steps at the end of a "
           "sample, without any value, may be NaN",
           path, n, (odd - values.begin()) / C, (odd - values.begin()) % C);
    }
    if (!options.labels.empty()) sequences[static_cast<std::size_t>(n)].label = std::to_string(ids[n]);
    data.samples.sequences.push_back(std::move(sequences[static_cast<std::size_t>(n)]));
    labels.names.push_back(data.samples.sequences.back().label);
    labels.places.push_back(fmt::format("{}: sample {}", path, n));
  }
}

void read_sequence_file(const std::string& path, ClassifyData& data, NamedLabels& labels) {
  SequenceFile file = read_sequences(path);
  take_features(path, file.features, data);
  if (file.filled > 0) data.notes.push_back(fmt::format("{}: {} missing values filled in", path, file.filled));
  for (Sequence& sequence : file.samples) {
    labels.names.push_back(sequence.label);
    labels.places.push_back(fmt::format("{}:{}", path, sequence.line));
    data.samples.sequences.push_back(std::move(sequence));
  }
}

void read_texts(const std::vector<std::string>& paths, const DataOptions& options, bool labels_required,
                ClassifyData& data, NamedLabels& labels) {
  LabelledReader reader({paths, options.format, options.text_column, options.label_column, labels_required});
  LabelledRow row;
  std::int64_t empty = 0;
  while (reader.next(row)) {
    data.texts.emplace_back(row.text);
    labels.names.emplace_back(row.label);
    labels.places.push_back(
        fmt::format("{}:{}", split_source(paths[static_cast<std::size_t>(row.source)]).second, row.line));
    empty += row.text.find_first_not_of(" \t") == std::string_view::npos;
  }
  for (const std::string& path : reader.plain_files()) {
    data.notes.push_back(fmt::format("{}: read as lines, a text in each (--format names another form)", path));
  }
  if (reader.blank_lines() > 0) data.notes.push_back(fmt::format("{} blank lines passed over", reader.blank_lines()));
  if (empty > 0) data.notes.push_back(fmt::format("{} texts are empty and were kept", empty));
}

// A label that is not `known` is an error, or -1 where labels are not required.
void number_labels(const NamedLabels& labels, const std::vector<std::string>* known, bool labels_required,
                   ClassifyData& data) {
  if (known) {
    data.label_names = *known;
  } else {
    for (const std::string& name : labels.names) {
      if (!name.empty()) data.label_names.push_back(name);
    }
    std::sort(data.label_names.begin(), data.label_names.end());
    data.label_names.erase(std::unique(data.label_names.begin(), data.label_names.end()), data.label_names.end());
  }
  for (std::size_t n = 0; n < labels.names.size(); ++n) {
    const auto found = std::lower_bound(data.label_names.begin(), data.label_names.end(), labels.names[n]);
    const bool is_there = found != data.label_names.end() && *found == labels.names[n];
    if (!is_there && labels_required) {
      fail(Code::kData, "{}: label '{}' is not one that the model knows: {}", labels.places[n], labels.names[n],
           fmt::join(data.label_names, ", "));
    }
    data.labels.push_back(is_there ? static_cast<std::int32_t>(found - data.label_names.begin()) : -1);
  }
}

// --labels belongs to one .npy file; all others have their labels inside.
void check_labels_option(const std::vector<std::string>& paths, const DataOptions& options) {
  if (options.labels.empty()) return;
  for (const std::string& path : paths) {
    if (is_npy(path)) continue;
    fail(Code::kUsage, "--labels {}: belongs to a .npy file of sequences, {} has its labels inside", options.labels,
         path);
  }
  if (paths.size() == 1) return;
  fail(Code::kUsage, "{}: one .npy file at a time, since --labels {} belongs to it", fmt::join(paths, ", "),
       options.labels);
}

}  // namespace

bool are_sequences(const std::vector<std::string>& paths, const DataOptions& options) {
  return std::all_of(paths.begin(), paths.end(), [&](const std::string& path) {
    return is_npy(path) ||
           (options.format.empty() && path != "-" && path.find('=') == std::string::npos && is_sequence_file(path));
  });
}

ClassifyData read_classify_data(const std::vector<std::string>& paths, const DataOptions& options,
                                const std::vector<std::string>* known, bool labels_required) {
  check_labels_option(paths, options);
  ClassifyData data;
  NamedLabels labels;
  if (are_sequences(paths, options)) {
    for (const std::string& path : paths) {
      is_npy(path) ? read_npy_samples(path, options, labels_required, data, labels)
                   : read_sequence_file(path, data, labels);
    }
  } else {
    read_texts(paths, options, labels_required, data, labels);
  }
  if (labels.names.empty()) fail(Code::kData, "{}: no samples in it", fmt::join(paths, ", "));
  if (labels_required) {
    const auto missing = std::find(labels.names.begin(), labels.names.end(), "");
    if (missing != labels.names.end()) {
      fail(Code::kData, "{}: has no label", labels.places[static_cast<std::size_t>(missing - labels.names.begin())]);
    }
  }
  number_labels(labels, known, labels_required, data);
  return data;
}

void encode_texts(ClassifyData& data, TextPipeline& pipeline, bool hierarchical) {
  data.samples.ids.clear();
  DocumentEncoder documents(pipeline);
  for (const std::string& text : data.texts) {
    data.samples.ids.push_back(hierarchical ? documents.encode(text) : pipeline.encode(text));
  }
  data.samples.unseen = hash_words(pipeline.unseen_words(), pipeline.settings().buckets);
}

void append(ClassifyData& data, ClassifyData more) {
  if (data.is_text() != more.is_text() || data.samples.features != more.samples.features) {
    fail(Code::kData, "training and validation files differ in kind: texts and numbers, or numbers of features");
  }
  std::move(more.texts.begin(), more.texts.end(), std::back_inserter(data.texts));
  std::move(more.samples.sequences.begin(), more.samples.sequences.end(), std::back_inserter(data.samples.sequences));
  data.labels.insert(data.labels.end(), more.labels.begin(), more.labels.end());
  data.notes.insert(data.notes.end(), more.notes.begin(), more.notes.end());
}

}  // namespace carousel
