#include "tasks/lm/generate.h"

#include <algorithm>

#include "base/fail.h"
#include "kernels/softmax.h"
#include "tasks/lm/lm_model.h"

namespace carousel {
namespace {

LmEncoder encoder_of(const Model& model) {
  const LmInfo info = LmInfo::from_model(model);
  return {info.text, info.vocabulary};
}

double log_probability(std::span<const float> scores, std::int32_t id, std::vector<float>& workspace) {
  workspace.resize(scores.size());
  kernels::log_softmax<float>(1, std::ssize(scores), scores.data(), workspace.data());
  return workspace[static_cast<std::size_t>(id)];
}

}  // namespace

Generator::Generator(const Model& model, GenerateOptions options)
    : options_(std::move(options)), encoder_(encoder_of(model)), stream_(model, {.dtype = options_.dtype}) {
  for (const std::string& stop : options_.stop) {
    if (stop.empty()) fail(Code::kUsage, "a stop text is empty, expected at least one character");
  }
  prompt_ = encoder_.encode_line(options_.prompt);
  prompt_.insert(prompt_.begin(), encoder_.line_end());
  for (const std::int32_t id : prompt_) {
    const std::span<const float> scores = stream_.step(id);
    scores_.assign(scores.begin(), scores.end());
  }
  state_ = stream_.state();
}

// Bytes at the end of the text that a stop text begins with.
std::size_t Generator::held_back(std::string_view text) const {
  std::size_t most = 0;
  for (const std::string& stop : options_.stop) {
    for (std::size_t count = std::min(stop.size() - 1, text.size()); count > most; --count) {
      if (text.ends_with(std::string_view(stop).substr(0, count))) most = count;
    }
  }
  return most;
}

GeneratedText Generator::sample(std::int64_t number, const std::function<void(std::string_view)>& write) {
  const RandomKey key{options_.seed, Purpose::kSample, static_cast<std::uint64_t>(number)};
  Sampler sampler(options_.sampling, std::ssize(scores_), {Vocabulary::kPad, Vocabulary::kBegin});
  for (const std::int32_t id : prompt_) sampler.saw(id);
  stream_.set_state(state_);
  std::span<const float> scores = scores_;
  std::vector<float> workspace;
  GeneratedText result;
  std::size_t written = 0;
  for (std::int64_t k = 0; k < options_.tokens && !result.stopped; ++k) {
    const std::int32_t id = sampler.choose(scores, key, static_cast<std::uint64_t>(k));
    sampler.saw(id);
    const std::int32_t previous = result.ids.empty() ? prompt_.back() : result.ids.back();
    result.log_probabilities.push_back(log_probability(scores, id, workspace));
    result.tokens.push_back(encoder_.pipeline().vocabulary().token(id));
    result.ids.push_back(id);
    result.text += encoder_.text_of(id, previous);
    for (const std::string& stop : options_.stop) {
      const std::size_t at = result.text.find(stop, written);
      if (at == std::string::npos) continue;
      result.text.resize(at);
      result.stopped = true;
    }
    const std::size_t ready = result.text.size() - (result.stopped ? 0 : held_back(result.text));
    if (ready > written) write(std::string_view(result.text).substr(written, ready - written));
    written = std::max(written, ready);
    if (!result.stopped && k + 1 < options_.tokens) scores = stream_.step(id);
  }
  if (written < result.text.size()) write(std::string_view(result.text).substr(written));
  return result;
}

}  // namespace carousel
