#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "models/plan.h"
#include "option_arguments.h"
#include "output_file.h"
#include "tasks/data_files.h"
#include "tasks/inspect_model.h"
#include "tasks/task_gradients.h"

namespace carousel::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 100;
constexpr std::size_t kShownTokens = 60;  // of one text; --json has them all

// Position, token, id, padded id and mask below one another, and the weights of attention pooling if there are any; as
// many columns side by side as fit.
std::string padded_trace_text(const TextTrace& trace, std::span<const float> weights) {
  const std::size_t shown = std::min(trace.padded.size(), kShownTokens);
  std::string text;
  std::vector<std::vector<std::string>> rows;
  std::size_t width = 0;
  const auto start = [&] {
    rows = {{"  position"}, {"  token"}, {"  id"}, {"  padded"}, {"  mask"}};
    if (!weights.empty()) rows.push_back({"  weight"});
    width = rows[0][0].size();
  };
  start();
  for (std::size_t k = 0; k < shown; ++k) {
    std::vector<std::string> cells{fmt::format("{}", k), k < trace.tokens.size() ? one_line(trace.tokens[k]) : "",
                                   k < trace.ids.size() ? fmt::format("{}", trace.ids[k]) : "",
                                   fmt::format("{}", trace.padded[k]), fmt::format("{}", trace.mask[k])};
    if (!weights.empty()) cells.push_back(k < weights.size() ? fmt::format("{:.3f}", weights[k]) : "0");
    std::size_t widest = 0;
    for (const std::string& cell : cells) widest = std::max(widest, cell.size());
    if (width + 2 + widest > kColumns && rows[0].size() > 1) {
      text += text_table(rows, false);
      start();
    }
    width += 2 + widest;
    for (std::size_t r = 0; r < cells.size(); ++r) rows[r].push_back(cells[r]);
  }
  text += text_table(rows, false);
  if (trace.padded.size() > shown) {
    text += fmt::format("  ... {} more positions, --json shows them\n", trace.padded.size() - shown);
  }
  return text;
}

std::span<const float> weights_of(const InspectData& data, std::size_t text) {
  return data.weights.empty() ? std::span<const float>() : data.weights[text];
}

std::string traces_text(const InspectData& data) {
  const std::vector<TextTrace>& traces = data.traces;
  constexpr std::size_t kShownBytes = 400;
  std::string text;
  for (std::size_t n = 0; n < traces.size(); ++n) {
    const auto quoted = [&](const std::string& line) {
      const std::string whole = one_line(line);
      std::size_t end = std::min(whole.size(), kShownBytes);
      while (end < whole.size() && (static_cast<unsigned char>(whole[end]) & 0xc0) == 0x80) --end;  // whole characters
      return fmt::format("\"{}{}\"", whole.substr(0, end), end < whole.size() ? "..." : "");
    };
    text += fmt::format("text {}\n  raw         {}\n  normalized  {}\n", n, quoted(traces[n].raw),
                        quoted(traces[n].normalized));
    text += padded_trace_text(traces[n], weights_of(data, n));
  }
  return text;
}

Json traces_json(const InspectData& data) {
  Json list = Json::array();
  for (std::size_t n = 0; n < data.traces.size(); ++n) {
    const TextTrace& trace = data.traces[n];
    list.push_back({{"raw", trace.raw},
                    {"normalized", trace.normalized},
                    {"tokens", trace.tokens},
                    {"ids", trace.ids},
                    {"padded", trace.padded},
                    {"mask", trace.mask}});
    if (!data.weights.empty()) list.back()["weights"] = data.weights[n];
  }
  return list;
}

// A line for each token of an output, or step of a horizon: the source tokens, or rows, that it looked at most.
std::string alignments_text(const InspectData& data) {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (std::size_t n = 0; n < data.alignments.size(); ++n) {
    const Alignment& one = data.alignments[n];
    const std::size_t S = one.source.size();
    text += fmt::format("attention of {} {} [target time {}, source time {}]\n",
                        data.traces.empty() ? "window" : "text", n, one.output.size(), S);
    std::vector<std::vector<std::string>> rows;
    for (std::size_t t = 0; t < std::min(one.output.size(), kShownTokens); ++t) {
      const float* weights = one.weights.data() + t * S;
      std::vector<std::size_t> order(S);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
      rows.push_back({"  " + one_line(one.output[t])});
      for (std::size_t k = 0; k < std::min(S, kMost); ++k) {
        rows.back().push_back(fmt::format("{} {:.3f}", one_line(one.source[order[k]]), weights[order[k]]));
      }
    }
    text += text_table(rows, false);
    if (one.output.size() > kShownTokens) {
      text += fmt::format("  ... {} more, --json shows them\n", one.output.size() - kShownTokens);
    }
  }
  return text;
}

// As many names as fit on the line.
std::string names_text(const std::vector<std::string>& names, std::string_view what) {
  if (names.empty()) return {};
  constexpr std::size_t kRoom = kColumns - 20;  // for how many there are
  std::string text(what);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::string name = one_line(names[k]);
    if (k > 0 && text.size() + 2 + name.size() > kRoom) return text + fmt::format(", ... {} in all\n", names.size());
    text += (k == 0 ? " " : ", ") + name;
  }
  return text + "\n";
}

int show_gradients(const CommandLine& line, const Model& model, const Options& options, std::int64_t samples,
                   Console& console) {
  for (const char* flag : {"--text", "--plan", "--step"}) {
    if (line.has(flag)) fail(Code::kUsage, "{} and --gradients do not go together", flag);
  }
  require_data(options.data, "--gradients needs samples with what they should give");
  const std::string page = line.text("--html");
  if (line.has("--html")) check_output_file("--html", page, line.is_on("--force"));
  const GradientFlow flow = task_gradient_flow(model, options, samples);
  if (line.has("--html")) {
    write_file_atomically(page, gradient_flow_page("Gradients of " + line.text("MODEL"), flow));
  }
  if (console.json()) {
    Json document{{"schema", 1}, {"task", model.task()}};
    document.update(gradient_flow_json(flow));
    console.out_json(document);
  } else {
    console.out(gradient_flow_text(flow));
  }
  return 0;
}

int run_inspect(const CommandLine& line, Console& console) {
  constexpr std::int64_t kMost = 1 << 20;
  const Config config = config_of(line);
  InspectRequest request;
  request.texts = line.texts("--text");
  request.samples = line.integer("--samples", 1, kMost, request.samples);
  request.time_step = line.integer("--step", 0, kMost, request.time_step);
  const Model model = Model::load(line.text("MODEL"));
  set_threads(static_cast<int>(config.options.train.threads));
  if (line.is_on("--gradients")) return show_gradients(line, model, config.options, request.samples, console);
  if (line.has("--html")) fail(Code::kUsage, "--html needs --gradients, which it draws");
  for (const char* flag : {"--training", "--dtype"}) {
    if (line.has(flag) && !line.is_on("--plan")) fail(Code::kUsage, "{} needs --plan, which it is a part of", flag);
  }
  if (line.is_on("--plan")) {
    constexpr std::int64_t kUsualBatch = 32;
    const NetworkPlan plan =
        plan_network(model.network(), {.samples = line.has("--samples") ? request.samples : kUsualBatch,
                                       .training = line.is_on("--training"),
                                       .dtype = line.text("--dtype", "f32")});
    console.json() ? console.out_json({{"schema", 1}, {"task", model.task()}, {"plan", plan_json(plan)}})
                   : console.out(plan_text(plan));
    return 0;
  }
  const InspectData data = read_inspect_data(model, config.options.data, request);
  const InspectResult result = inspect_model(model, data, request.time_step);
  if (!data.lengths.empty() && line.has("--step") && !result.step) {
    const std::int32_t longest = *std::max_element(data.lengths.begin(), data.lengths.end());
    if (request.time_step >= longest) {
      fail(Code::kUsage, "--step {}: steps count from 0, the longest sample has {}", request.time_step, longest);
    }
    fail(Code::kUsage,
         "--step {}: there is no recurrent layer to work through, or it has a matrix memory, several transitions or a "
         "layer below that looks at several steps",
         request.time_step);
  }
  for (const std::string& note : data.notes) console.note(note);
  if (console.json()) {
    Json document{{"schema", 1}, {"task", model.task()}};
    document.update(inspect_json(result));
    document["features"] = data.columns;
    document["results"] = data.results;
    document["texts"] = traces_json(data);
    for (const Alignment& one : data.alignments) document["alignments"].push_back(alignment_json(one));
    console.out_json(document);
    return 0;
  }
  console.out(fmt::format("model for task '{}'\n", one_line(model.task())));
  console.out(names_text(data.columns, "features:") + names_text(data.results, data.result_axis + ":"));
  console.out(traces_text(data) + alignments_text(data) + inspect_text(result));
  if (data.lengths.empty()) {
    console.out("T time steps and N samples are free; --data or --text shows an input, padding and a worked step\n");
  }
  return 0;
}

std::vector<Argument> inspect_arguments() {
  std::vector<Argument> all = {
      {.name = "MODEL", .help = "model file", .required = true},
      {.name = "--text", .value = "TEXT", .help = "text to show on its way through the model", .repeat = true},
      {.name = "--samples", .value = "K", .help = "show the first samples of the data [default 4]"},
      {.name = "--gradients",
       .help = "show instead how the gradient of the loss runs back through the time steps, of the first --samples"
               " with their labels or targets"},
      {.name = "--html", .value = "FILE", .help = "with --gradients: page with plots to write"},
      {.name = "--force", .help = "replace an existing file"},
      {.name = "--plan",
       .help = "show instead the kernels, their split over the threads, and slow paths, of a batch"
               " of --samples [default 32]"},
      {.name = "--training", .help = "with --plan: of a training step"},
      {.name = "--dtype",
       .value = "TYPE",
       .help = "with --plan: format of recurrent weights",
       .allowed = {"f32", "bf16", "int8"}},
      {.name = "--step", .value = "T", .help = "time step to work through with numbers, from 0 [default 0]"}};
  for (Argument& argument : option_arguments(kCheck)) all.push_back(std::move(argument));
  return all;
}

}  // namespace

const Verb kInspectVerb{.name = "inspect",
                        .purpose = "Look inside",
                        .usage = "MODEL [--data FILE | --text TEXT] [options]",
                        .summary = "shows every tensor that goes in and out, axes named and sized, and a worked step",
                        .examples = {"inspect reviews.safetensors --text \"I love this film\"",
                                     "inspect sunspots.safetensors --data sunspots_monthly.csv --step 2",
                                     "inspect model.safetensors --data train.csv --gradients --html gradients.html",
                                     "inspect model.safetensors --plan --threads 2"},
                        .arguments = inspect_arguments,
                        .run = run_inspect};

}  // namespace carousel::cli
