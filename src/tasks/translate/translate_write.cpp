#include "tasks/translate/translate_write.h"

#include <algorithm>
#include <utility>

namespace carousel {
namespace {

// One <unk>, to be replaced.
void copy_unknown_tokens(const Tensor& alignment, const std::vector<std::string>& source, WrittenText& text) {
  const std::int64_t S = alignment.shape()[1];
  for (std::size_t t = 0; t < text.tokens.size(); ++t) {
    if (text.tokens[t] != Vocabulary().token(Vocabulary::kUnknown)) continue;
    const float* row = alignment.data() + static_cast<std::int64_t>(t) * S;
    const auto most =
        static_cast<std::size_t>(std::max_element(row, row + S - 1) - row);  // not the <eos> of the source
    if (S > 1) text.tokens[t] = source[most];
  }
}

}  // namespace

std::vector<std::vector<WrittenText>> write_texts(std::span<const Translator> models, const TranslateInfo& info,
                                                  const TranslateData& data, std::span<const std::int64_t> samples,
                                                  const WriteOptions& options) {
  const TargetText target = info.target_text();
  const std::vector<TokenIds> sources = sources_of(data, samples);
  const auto results = translate(models, info, sources, options.search);
  std::vector<std::vector<WrittenText>> written(samples.size());
  std::vector<TokenIds> unknown_sources, unknown_outputs;
  std::vector<std::pair<std::size_t, std::size_t>> unknown;  // sample, output
  for (std::size_t n = 0; n < samples.size(); ++n) {
    for (const SearchResult& result : results[n]) {
      WrittenText& one = written[n].emplace_back();
      for (const std::int32_t id : result.tokens) one.tokens.push_back(target.vocabulary().token(id));
      one.score = result.score;
      one.log_probability = result.log_probability;
      one.ended = result.ended;
      one.ids = result.tokens;
      const auto& ids = one.ids;
      if (!options.copy_unknown || std::find(ids.begin(), ids.end(), Vocabulary::kUnknown) == ids.end()) continue;
      unknown.emplace_back(n, written[n].size() - 1);
      unknown_sources.push_back(sources[n]);
      unknown_outputs.push_back(ids);
      unknown_outputs.back().push_back(Vocabulary::kEnd);
    }
  }
  const std::vector<Forced> seen = force(models, unknown_sources, unknown_outputs, true);
  for (std::size_t k = 0; k < unknown.size(); ++k) {
    const auto [n, output] = unknown[k];
    const auto pair = static_cast<std::size_t>(data.groups[static_cast<std::size_t>(samples[n])].front());
    copy_unknown_tokens(seen[k].alignment, source_tokens(info, data.pairs.sources[pair]), written[n][output]);
  }
  for (auto& outputs : written) {
    for (WrittenText& one : outputs) one.text = target.join(one.tokens);
  }
  return written;
}

std::vector<WrittenText> best_of(std::vector<std::vector<WrittenText>> written) {
  std::vector<WrittenText> best;
  for (auto& outputs : written) best.push_back(std::move(outputs.front()));
  return best;
}

std::vector<TokenIds> sources_of(const TranslateData& data, std::span<const std::int64_t> samples) {
  std::vector<TokenIds> list;
  for (const std::int64_t sample : samples) {
    list.push_back(data.sources[static_cast<std::size_t>(data.groups[static_cast<std::size_t>(sample)].front())]);
  }
  return list;
}

std::vector<TokenIds> targets_of(const TranslateData& data, std::span<const std::int64_t> samples) {
  std::vector<TokenIds> list;
  for (const std::int64_t sample : samples) {
    list.push_back(data.targets[static_cast<std::size_t>(data.groups[static_cast<std::size_t>(sample)].front())]);
  }
  return list;
}

std::vector<std::string> source_tokens(const TranslateInfo& info, std::string_view text) {
  TextPipeline lower = info.source_text();
  std::vector<std::string> tokens = lower.explain(text).tokens;
  if (info.source.level == TextLevel::kSubword) return tokens;
  TextSettings as_written = info.source;
  as_written.lowercase = false;
  std::vector<std::string> cased = TextPipeline(as_written, Vocabulary()).explain(text).tokens;
  return cased.size() == tokens.size() ? cased : tokens;
}

std::vector<Alignment> align(std::span<const Translator> models, const TranslateInfo& info, const TranslateData& data,
                             std::span<const std::int64_t> samples, std::span<const WrittenText> written) {
  const TargetText target = info.target_text();
  std::vector<TokenIds> outputs;
  for (const WrittenText& one : written) {
    outputs.push_back(one.ids);
    outputs.back().push_back(Vocabulary::kEnd);
  }
  std::vector<Forced> seen = force(models, sources_of(data, samples), outputs, true);
  std::vector<Alignment> list;
  for (std::size_t k = 0; k < samples.size(); ++k) {
    const auto pair = static_cast<std::size_t>(data.groups[static_cast<std::size_t>(samples[k])].front());
    Alignment& one = list.emplace_back();
    one.source = source_tokens(info, data.pairs.sources[pair]);
    for (const std::string& token : written[k].tokens) one.output.push_back(target.shown(token));
    one.weights = std::move(seen[k].alignment);
    if (written[k].ended) {
      one.output.push_back(target.vocabulary().token(Vocabulary::kEnd));
    } else {
      const std::int64_t T = std::ssize(one.output), S = one.weights.shape()[1];
      one.weights = Tensor(View<const float>{one.weights.data(), {T, S}});
    }
  }
  return list;
}

nlohmann::ordered_json alignment_json(const Alignment& alignment) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  const std::int64_t T = alignment.weights.shape()[0], S = alignment.weights.shape()[1];
  for (std::int64_t t = 0; t < T; ++t) {
    const float* row = alignment.weights.data() + t * S;
    rows.push_back(std::vector<float>(row, row + S));
  }
  return {{"schema", 1}, {"source", alignment.source}, {"output", alignment.output}, {"weights", rows}};
}

}  // namespace carousel
