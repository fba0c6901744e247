#include "tasks/tag/tag_memory.h"

#include <algorithm>
#include <set>

#include "layers/output/crf.h"
#include "layers/output/crf_sums.h"
#include "tasks/samples.h"
#include "tasks/tag/tag_network.h"

namespace carousel {
namespace {

using Sequences = std::vector<std::vector<std::int32_t>>;

constexpr std::int64_t kFloatsPerDouble = 2;  // and per row number

std::vector<std::int64_t> longest_sentences(const TagData& data, std::vector<std::int64_t> samples,
                                            std::int64_t count) {
  const auto length = [&](std::int64_t n) { return data.words[static_cast<std::size_t>(n)].size(); };
  std::stable_sort(samples.begin(), samples.end(),
                   [&](std::int64_t a, std::int64_t b) { return length(a) > length(b); });
  if (std::ssize(samples) > count) samples.resize(static_cast<std::size_t>(count));
  return samples;
}

PassSizes sizes_of(const Sequences& sequences, std::span<const std::int64_t> chosen) {
  PassSizes sizes{.time_steps = 1, .samples = std::ssize(chosen), .rows = 0, .packed = true};
  std::set<std::int32_t> distinct;
  for (const std::int64_t n : chosen) {
    const auto& ids = sequences[static_cast<std::size_t>(n)];
    sizes.time_steps = std::max(sizes.time_steps, std::ssize(ids));
    sizes.rows += std::ssize(ids);
    distinct.insert(ids.begin(), ids.end());
  }
  sizes.distinct_tokens = std::ssize(distinct);
  return sizes;
}

std::int64_t setting(const LayerDescription& layer, const char* key) {
  return std::get<std::int64_t>(layer.settings.at(key));
}

// The number under `key` of the first layer of this type in the part.
std::int64_t setting_in(const LayerDescription& part, std::string_view type, const char* key) {
  for (const NamedLayer& layer : part.branches[0]) {
    if (layer.layer.type == type) return setting(layer.layer, key);
  }
  return 0;
}

// select_rows() of so many rows, concatenate_columns(): a value of so many columns, and the numbers of rows.
PassPart chosen_rows(std::int64_t rows, std::int64_t columns) {
  return {.kept = rows * (columns + kFloatsPerDouble), .gradient = rows * columns};
}
PassPart joined_columns(std::int64_t rows, std::int64_t columns) {
  return {.kept = rows * columns, .gradient = rows * columns};
}

// What token_rows() of tag_network.cpp records.
std::vector<PassPart> token_parts(const Sequential& network, const TagData& data, std::span<const std::int64_t> chosen,
                                  std::int64_t word_window, std::int64_t body_features) {
  std::vector<PassPart> parts;
  std::int64_t rows = 0;
  for (const auto& [name, ids] :
       {std::pair("words", &data.words), std::pair("shapes", &data.shapes), std::pair("pairs", &data.pairs)}) {
    const Sequential* part = tagger_part(network, name);
    if (part) parts.push_back({.network = part->describe(), .sizes = sizes_of(*ids, chosen)});
    rows = parts.front().sizes.rows;
  }
  if (const Sequential* part = tagger_part(network, "characters")) {
    std::set<std::int64_t> forms;
    for (const std::int64_t n : chosen) {
      const auto& of = data.forms[static_cast<std::size_t>(n)];
      forms.insert(of.begin(), of.end());
    }
    const std::vector<std::int64_t> spelled(forms.begin(), forms.end());
    parts.push_back({.network = part->describe(), .sizes = sizes_of(data.spellings, spelled)});
    parts.push_back(chosen_rows(rows, kSpellingSize));
  }
  const std::int64_t columns = body_features / word_window;
  parts.push_back(joined_columns(rows, columns));
  if (word_window == 1) return parts;
  for (std::int64_t k = 0; k < word_window; ++k) parts.push_back(chosen_rows(rows, columns));
  parts.push_back(joined_columns(rows, body_features));
  return parts;
}

// crf_log_likelihood() of K tags, or cross_entropy().
PassPart loss_part(bool crf, std::int64_t rows, std::int64_t samples, std::int64_t K) {
  if (!crf) return {.kept = rows * K, .gradient = 1, .forward_work = kFloatsPerDouble * rows};
  const std::int64_t doubles = detail::CrfTables::size(K) + 2 * rows * K + samples;
  return {.kept = kFloatsPerDouble * doubles + rows + samples,
          .gradient = samples,
          .work = kFloatsPerDouble * (3 * rows * K + rows + K * K)};
}

}  // namespace

MemoryNeeds tag_memory_needs(const Sequential& network, const TagData& data, const TagInfo& info, const Split& split,
                             std::int64_t batch_size) {
  const LayerDescription body = tagger_part(network, "body")->describe();
  const LayerDescription slots = tagger_part(network, "slots")->describe();
  MemoryNeeds needs;
  needs.network = {"sequential", {}, {{}}};
  for (const LayerDescription* part : {&body, &slots}) {
    needs.network.branches[0].insert(needs.network.branches[0].end(), part->branches[0].begin(),
                                     part->branches[0].end());
  }
  const std::int64_t features = setting_in(body, "recurrent", "input_size");
  const auto pass_of = [&](const std::vector<std::int64_t>& samples) {
    PassSizes sizes = sizes_of(data.words, samples);
    sizes.features = features;
    return sizes;
  };
  const std::vector<std::int64_t> chosen = longest_sentences(data, split.train, batch_size);
  needs.training = pass_of(chosen);
  needs.validation = pass_of(longest_sentences(data, split.valid, kInferenceBatch));
  needs.below = token_parts(network, data, chosen, info.word_window, features);
  if (const Sequential* intent = tagger_part(network, "intent")) {
    PassSizes sizes = needs.training;
    sizes.features = setting_in(slots, "linear", "input_size");
    needs.above.push_back({.network = intent->describe(), .sizes = sizes, .reads_values = false});
  }
  const auto K = std::ssize(info.tags);
  needs.above.push_back(loss_part(tagger_crf(network), needs.training.rows, needs.training.samples, K));
  for (const TaggedSentence& sentence : data.sentences) {
    for (const std::string& token : sentence.tokens) {
      needs.data_bytes += 2 * static_cast<std::int64_t>(sizeof token) + 12;
    }
  }
  return needs;
}

}  // namespace carousel
