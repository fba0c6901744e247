#include "tasks/baselines/text_baselines.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/fail.h"

namespace carousel {
namespace {

// A word is (0, id + 1), a pair of neighbours (first id + 1, second id + 1).
constexpr std::int32_t kUnknown = -1;

// Calls visit(key) for every term of the text; a pair across an unknown word is none.
template <class Visit>
void visit_terms(const TextBaseline::Text& text, Visit visit) {
  std::uint64_t before = 0;
  for (std::int32_t token : text) {
    const std::uint64_t now = token < 0 ? 0 : static_cast<std::uint64_t>(token) + 1;
    if (now != 0) visit(now);
    if (now != 0 && before != 0) visit(before << 32 | now);
    before = now;
  }
}

std::vector<TextBaseline::Text> ids_of(std::span<const TextBaseline::Words> texts,
                                       const std::unordered_map<std::string, std::int32_t>& words) {
  std::vector<TextBaseline::Text> ids;
  for (const TextBaseline::Words& text : texts) {
    TextBaseline::Text& one = ids.emplace_back();
    for (const std::string& word : text) {
      const auto found = words.find(word);
      one.push_back(found == words.end() ? kUnknown : found->second);
    }
  }
  return ids;
}

}  // namespace

std::int32_t majority_class(std::span<const std::int32_t> labels) {
  if (labels.empty()) fail(Code::kUsage, "majority class: there are no labels");
  std::map<std::int32_t, std::int64_t> counts;
  for (std::int32_t label : labels) ++counts[label];
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->first;
}

TextBaseline TextBaseline::fit(std::span<const Text> texts, std::span<const std::int32_t> labels, std::int64_t classes,
                               const TextBaselineOptions& options) {
  struct Seen {
    std::int64_t texts = 0, last = -1;
  };
  std::unordered_map<std::uint64_t, Seen> seen;
  std::vector<std::uint64_t> order;  // of first appearance, so that the features do not depend on hashing
  for (std::size_t t = 0; t < texts.size(); ++t) {
    visit_terms(texts[t], [&](std::uint64_t key) {
      const auto [place, is_new] = seen.try_emplace(key);
      if (is_new) order.push_back(key);
      if (place->second.last == static_cast<std::int64_t>(t)) return;
      place->second.last = static_cast<std::int64_t>(t);
      ++place->second.texts;
    });
  }
  TextBaseline baseline;
  for (std::uint64_t key : order) {
    const std::int64_t count = seen[key].texts;
    if (count < options.min_texts) continue;
    baseline.terms_.emplace(key, static_cast<std::int32_t>(baseline.idf_.size()));
    baseline.idf_.push_back(1 + std::log((1 + static_cast<double>(texts.size())) / (1 + static_cast<double>(count))));
  }
  const LogisticOptions logistic{.strength = options.strength};
  const SparseRows rows = baseline.features(texts);
  baseline.regression_ = LogisticRegression::fit(rows, labels, classes, baseline.terms(), logistic);
  // Nodes, buckets and the order of all pairs; of the terms; the rows; the vectors of L-BFGS.
  baseline.fit_bytes_ = 80 * std::ssize(order) + 60 * baseline.terms() + 16 * std::ssize(rows.values) +
                        208 * baseline.terms() * (classes > 2 ? classes : 1);
  return baseline;
}

TextBaseline TextBaseline::fit(std::span<const Words> texts, std::span<const std::int32_t> labels, std::int64_t classes,
                               const TextBaselineOptions& options) {
  std::unordered_map<std::string, std::int32_t> words;
  for (const Words& text : texts) {
    for (const std::string& word : text) words.try_emplace(word, static_cast<std::int32_t>(words.size()));
  }
  const std::vector<Text> ids = ids_of(texts, words);
  TextBaseline baseline = fit(std::span<const Text>(ids), labels, classes, options);
  baseline.words_ = std::move(words);
  return baseline;
}

SparseRows TextBaseline::features(std::span<const Text> texts) const {
  SparseRows rows;
  std::vector<std::int32_t> found;
  for (const Text& text : texts) {
    found.clear();
    visit_terms(text, [&](std::uint64_t key) {
      const auto term = terms_.find(key);
      if (term != terms_.end()) found.push_back(term->second);
    });
    std::sort(found.begin(), found.end());
    double squares = 0;
    const std::size_t start = rows.values.size();
    for (auto at = found.begin(); at != found.end();) {
      const auto end = std::upper_bound(at, found.end(), *at);
      const double value = (1 + std::log(static_cast<double>(end - at))) * idf_[static_cast<std::size_t>(*at)];
      rows.features.push_back(*at);
      rows.values.push_back(static_cast<float>(value));
      squares += value * value;
      at = end;
    }
    for (std::size_t i = start; i < rows.values.size(); ++i) {
      rows.values[i] = static_cast<float>(rows.values[i] / std::sqrt(squares));
    }
    rows.end_row();
  }
  return rows;
}

std::vector<std::int32_t> TextBaseline::predict(std::span<const Text> texts) const {
  return regression_.predict(features(texts));
}

std::vector<std::int32_t> TextBaseline::predict(std::span<const Words> texts) const {
  return predict(std::span<const Text>(ids_of(texts, words_)));
}

std::unique_ptr<TermScores> TextBaseline::as_layer(double factor) const {
  if (terms_.empty()) return nullptr;
  struct Entry {
    std::int32_t first, second, feature;
  };
  std::vector<Entry> entries;
  for (const auto& [key, feature] : terms_) {
    const auto before = static_cast<std::int32_t>(key >> 32) - 1, last = static_cast<std::int32_t>(key) - 1;
    entries.push_back(before < 0 ? Entry{last, -1, feature} : Entry{before, last, feature});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return std::pair(a.first, a.second) < std::pair(b.first, b.second);
  });
  const std::int64_t classes = regression_.classes();
  auto layer = std::make_unique<TermScores>(terms(), classes);
  for (std::int64_t m = 0; m < terms(); ++m) {
    const Entry& entry = entries[static_cast<std::size_t>(m)];
    layer->terms.value[2 * m] = static_cast<float>(entry.first);
    layer->terms.value[2 * m + 1] = static_cast<float>(entry.second);
    layer->idf.value[m] = static_cast<float>(idf_[static_cast<std::size_t>(entry.feature)]);
    for (std::int64_t k = 0; k < classes; ++k) {
      layer->weight.value[m * classes + k] = static_cast<float>(factor * regression_.weight(k, entry.feature));
    }
  }
  for (std::int64_t k = 0; k < classes; ++k) {
    layer->bias.value[k] = static_cast<float>(factor * regression_.weight(k, terms()));
  }
  return layer;
}

std::vector<double> sequence_summary(View<const float> sequence) {
  const std::int64_t steps = sequence.shape.rows(), channels = sequence.shape.back();
  std::vector<double> summary;
  for (std::int64_t c = 0; c < channels; ++c) {
    if (steps == 0) {
      summary.insert(summary.end(), 6, 0.0);
      continue;
    }
    double sum = 0, squares = 0, least = sequence.row(0)[c], greatest = least;
    for (std::int64_t t = 0; t < steps; ++t) {
      const double value = sequence.row(t)[c];
      sum += value;
      least = std::min(least, value);
      greatest = std::max(greatest, value);
    }
    const double mean = sum / static_cast<double>(steps);
    for (std::int64_t t = 0; t < steps; ++t) squares += (sequence.row(t)[c] - mean) * (sequence.row(t)[c] - mean);
    const double first = sequence.row(0)[c], last = sequence.row(steps - 1)[c];
    summary.insert(summary.end(),
                   {mean, std::sqrt(squares / static_cast<double>(steps)), least, greatest, first, last});
  }
  return summary;
}

SequenceBaseline SequenceBaseline::fit(std::span<const View<const float>> sequences,
                                       std::span<const std::int32_t> labels, std::int64_t classes) {
  SequenceBaseline baseline;
  const auto count = static_cast<double>(sequences.size());
  std::vector<std::vector<double>> summaries;
  for (const View<const float>& sequence : sequences) {
    summaries.push_back(sequence_summary(sequence));
    if (summaries.back().size() != summaries[0].size()) {
      fail(Code::kUsage, "sequence {} has {} channels, the first one has {}", summaries.size(),
           summaries.back().size() / 6, summaries[0].size() / 6);
    }
  }
  const std::size_t size = summaries.empty() ? 0 : summaries[0].size();
  for (std::size_t f = 0; f < size; ++f) {
    double mean = 0, squares = 0;
    for (const auto& summary : summaries) mean += summary[f] / count;
    for (const auto& summary : summaries) squares += (summary[f] - mean) * (summary[f] - mean);
    const double deviation = std::sqrt(squares / count);
    baseline.mean_.push_back(mean);
    baseline.deviation_.push_back(deviation > 1e-13 * std::abs(mean) ? deviation : 1.0);
  }
  baseline.regression_ = LogisticRegression::fit(baseline.features(sequences), labels, classes,
                                                 static_cast<std::int64_t>(size), {.strength = 1});
  return baseline;
}

SparseRows SequenceBaseline::features(std::span<const View<const float>> sequences) const {
  SparseRows rows;
  for (const View<const float>& sequence : sequences) {
    const std::vector<double> summary = sequence_summary(sequence);
    if (summary.size() != mean_.size()) {
      fail(Code::kUsage, "a sequence has {} channels, expected {}", summary.size() / 6, mean_.size() / 6);
    }
    for (std::size_t f = 0; f < summary.size(); ++f) {
      rows.features.push_back(static_cast<std::int32_t>(f));
      rows.values.push_back(static_cast<float>((summary[f] - mean_[f]) / deviation_[f]));
    }
    rows.end_row();
  }
  return rows;
}

std::vector<std::int32_t> SequenceBaseline::predict(std::span<const View<const float>> sequences) const {
  return regression_.predict(features(sequences));
}

}  // namespace carousel
