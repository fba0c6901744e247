// generate.h: text from a language model, token by token.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "carousel/model.h"
#include "carousel/stream.h"
#include "tasks/lm/lm_model.h"
#include "tasks/lm/sampling.h"

namespace carousel {

struct GenerateOptions {
  std::string prompt = {};
  std::int64_t tokens = 200;  // at most, of each sample
  SamplingOptions sampling = {};
  std::vector<std::string> stop = {};  // texts that end a sample; they are no part of it
  std::uint64_t seed = 1;
  std::string dtype = "f32";  // as StreamOptions::dtype
};

struct GeneratedText {
  std::string text;                       // without the prompt
  std::vector<std::string> tokens;        // all that were drawn, those of a stop text too
  std::vector<std::int32_t> ids;          // one per token
  std::vector<double> log_probabilities;  // natural logarithms, by the model itself: before temperature and the rest
  bool stopped = false;                   // by a stop text
};

// Reads the prompt once; every sample goes on from there. Tokens that the training text did not have are never drawn:
// <pad>, <bos>, pieces of a given subword model.
class Generator {
 public:
  // Throws Error{kModel} if the model is no language model or counted no token, Error{kUsage} for an option out of
  // range and Error{kData} if the prompt is not UTF-8.
  Generator(const Model& model, GenerateOptions options);

  // Words of the prompt that the model reads as <unk>.
  const std::vector<std::string>& unknown_words() const noexcept { return unknown_words_; }

  // The same number gives the same text. `write` is handed the text in pieces of whole characters as soon as no stop
  // text can begin in them; bytes that make no character are U+FFFD.
  GeneratedText sample(std::int64_t number, const std::function<void(std::string_view)>& write);

 private:
  std::size_t held_back(std::string_view text) const;

  GenerateOptions options_;
  LmInfo info_;
  LmEncoder encoder_;
  Stream stream_;
  State state_;                       // behind the prompt
  std::vector<float> scores_;         // of the first token
  std::vector<std::int32_t> prompt_;  // the line end before it included
  std::vector<std::string> unknown_words_;
  std::vector<std::int32_t> never_;  // tokens that are not drawn
};

}  // namespace carousel
