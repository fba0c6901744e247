#include <fmt/format.h>

#include "base/fail.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "tasks/lm/generate.h"

namespace carousel::cli {
namespace {

constexpr std::int64_t kMostTokens = 1'000'000'000;

GenerateOptions options_of(const CommandLine& line) {
  GenerateOptions options;
  options.prompt = line.text("--prompt");
  options.tokens = line.integer("--tokens", 1, kMostTokens, options.tokens);
  options.sampling.temperature = line.number("--temperature", 0, 100, 1);
  options.sampling.top_k = line.integer("--top-k", 0, kMostTokens, 0);
  options.sampling.top_p = line.number("--top-p", 1e-6, 1, 1);
  options.sampling.repetition_penalty = line.number("--repetition-penalty", 0.01, 100, 1);
  options.stop = line.texts("--stop");
  options.seed = static_cast<std::uint64_t>(line.integer("--seed", 0, 9'000'000'000'000'000, 1));
  options.dtype = line.text("--dtype", options.dtype);
  if (!line.is_on("--greedy")) return options;
  if (line.has("--temperature")) fail(Code::kUsage, "--greedy and --temperature are both given, choose one");
  options.sampling.temperature = 0;
  return options;
}

nlohmann::ordered_json sample_json(const GeneratedText& sample) {
  return {{"text", sample.text},
          {"tokens", sample.tokens},
          {"ids", sample.ids},
          {"log_probabilities", sample.log_probabilities},
          {"end", sample.stopped ? "stop" : "tokens"}};
}

int run_generate(const CommandLine& line, Console& console) {
  const GenerateOptions options = options_of(line);
  const std::int64_t samples = line.integer("--samples", 1, kMostTokens, 1);
  set_threads(static_cast<int>(line.integer("--threads", 1, 256, 1)));
  const Model model = Model::load(line.text("MODEL"));
  Generator generator(model, options);
  if (!generator.unknown_words().empty()) {
    console.note(fmt::format("prompt: the model does not know {}, which it reads as <unk>",
                             fmt::join(generator.unknown_words(), ", ")));
  }
  auto list = nlohmann::ordered_json::array();
  for (std::int64_t k = 0; k < samples; ++k) {
    if (console.json()) {
      list.push_back(sample_json(generator.sample(k, [](std::string_view) {})));
      continue;
    }
    if (samples > 1) console.out(console.paint(Style::kBold, fmt::format("--- {} of {}\n", k + 1, samples)));
    console.out(options.prompt);
    console.flush();
    generator.sample(k, [&](std::string_view piece) {
      console.out(piece);
      console.flush();
    });
    console.out("\n");
  }
  if (console.json()) console.out_json({{"schema", 1}, {"prompt", options.prompt}, {"samples", list}});
  return 0;
}

std::vector<Argument> generate_arguments() {
  const std::string sampling = "Sampling";
  return {
      {.name = "MODEL", .help = "model file that train lm wrote", .required = true},
      {.name = "--prompt", .value = "TEXT", .help = "text to go on from; without it, from the start of a line"},
      {.name = "--tokens", .value = "N", .help = "tokens to write at most [default 200]"},
      {.name = "--samples", .value = "N", .help = "texts to write from the same prompt [default 1]"},
      {.name = "--stop", .value = "TEXT", .help = "end before this text; may be given several times", .repeat = true},
      {.name = "--temperature", .value = "X", .help = "below 1: safer, above: bolder [default 1]", .group = sampling},
      {.name = "--top-k", .value = "N", .help = "draw from the N likeliest tokens only; 0: all", .group = sampling},
      {.name = "--top-p",
       .value = "X",
       .help = "draw from the likeliest that add up to X [default 1]",
       .group = sampling},
      {.name = "--repetition-penalty",
       .value = "X",
       .help = "above 1: tokens that were there are less likely [default 1]",
       .group = sampling},
      {.name = "--greedy", .help = "the likeliest token each time", .group = sampling},
      {.name = "--seed", .value = "N", .help = "the same seed gives the same texts [default 1]", .group = sampling},
      {.name = "--dtype",
       .value = "TEXT",
       .help = "format of the recurrent weights [default f32]",
       .allowed = {"f32", "bf16", "int8"},
       .group = "Model"},
      {.name = "--threads", .value = "N", .help = "threads to use [default 1]", .group = "Model"}};
}

}  // namespace

const Verb kGenerateVerb{
    .name = "generate",
    .purpose = "Train and use models",
    .usage = "MODEL [--prompt TEXT] [options]",
    .summary = "writes text with a language model, token by token",
    .examples = {"generate shakespeare.safetensors --prompt \"ROMEO:\" --tokens 300 --temperature 0.8",
                 "generate news.safetensors --top-p 0.9 --samples 3 --stop $'\\n'",
                 "generate news.safetensors --greedy --tokens 20 --json"},
    .arguments = generate_arguments,
    .run = run_generate};

}  // namespace carousel::cli
