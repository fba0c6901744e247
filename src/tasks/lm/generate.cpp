#include "tasks/lm/generate.h"

#include <algorithm>

#include "base/fail.h"
#include "data/text/utf8.h"
#include "kernels/softmax.h"

namespace carousel {
namespace {

double log_probability(std::span<const float> scores, std::int32_t id, std::vector<float>& workspace) {
  workspace.resize(scores.size());
  kernels::log_softmax<float>(1, std::ssize(scores), scores.data(), workspace.data());
  return workspace[static_cast<std::size_t>(id)];
}

// Takes the first `count` bytes off the front; those that make no character become U+FFFD.
std::string take_characters(std::string& bytes, std::size_t count) {
  std::string text;
  for (std::size_t at = 0; at < count;) {
    const std::size_t begin = at;
    const bool good = next_character(std::string_view(bytes).substr(0, count), at) >= 0;
    text += good ? std::string_view(bytes).substr(begin, at - begin) : "\xEF\xBF\xBD";
  }
  bytes.erase(0, count);
  return text;
}

}  // namespace

Generator::Generator(const Model& model, GenerateOptions options)
    : options_(std::move(options)),
      info_(LmInfo::from_model(model)),
      encoder_(info_.text, info_.vocabulary),
      stream_(model, {.dtype = options_.dtype}) {
  for (const std::string& stop : options_.stop) {
    if (stop.empty()) fail(Code::kUsage, "a stop text is empty, expected at least one character");
  }
  for (std::size_t id = 0; id < info_.counts.size(); ++id) {
    if (info_.counts[id] == 0) never_.push_back(static_cast<std::int32_t>(id));
  }
  if (never_.size() == info_.counts.size()) fail(Code::kModel, "the language model has counted no token of its text");
  prompt_ = encoder_.encode_text(options_.prompt);
  unknown_words_ = encoder_.unknown_words(options_.prompt);
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
  Sampler sampler(options_.sampling, std::ssize(scores_), never_);
  for (const std::int32_t id : std::span(prompt_).subspan(1)) sampler.saw(id);
  stream_.set_state(state_);
  std::span<const float> scores = scores_;
  std::vector<float> workspace;
  GeneratedText result;
  std::string bytes;  // of the last character, not all there yet
  std::size_t written = 0;
  for (std::int64_t k = 0; k < options_.tokens && !result.stopped; ++k) {
    const std::int32_t id = sampler.choose(scores, key, static_cast<std::uint64_t>(k));
    sampler.saw(id);
    const std::int32_t previous = result.ids.empty() ? prompt_.back() : result.ids.back();
    result.log_probabilities.push_back(log_probability(scores, id, workspace));
    result.tokens.push_back(encoder_.pipeline().vocabulary().token(id));
    result.ids.push_back(id);
    bytes += encoder_.text_of(id, previous);
    const bool last = k + 1 == options_.tokens;
    const auto unfinished = static_cast<std::size_t>(last ? 0 : unfinished_utf8(bytes));
    result.text += take_characters(bytes, bytes.size() - unfinished);
    for (const std::string& stop : options_.stop) {
      const std::size_t at = result.text.find(stop, written);
      if (at == std::string::npos) continue;
      result.text.resize(at);
      result.stopped = true;
    }
    const std::size_t ready = result.text.size() - (result.stopped ? 0 : held_back(result.text));
    if (ready > written) write(std::string_view(result.text).substr(written, ready - written));
    written = std::max(written, ready);
    if (!result.stopped && !last) scores = stream_.step(id);
  }
  if (written < result.text.size()) write(std::string_view(result.text).substr(written));
  return result;
}

}  // namespace carousel
