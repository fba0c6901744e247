#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "carousel/model.h"
#include "cells/cell.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "formats/npy.h"
#include "layers/recurrent/topology.h"
#include "layers/tokens/token_inputs.h"
#include "output_file.h"
#include "tasks/options.h"

namespace carousel::cli {
namespace {

// The names of State::values: "h", "c" of the only recurrent layer, else "encoder.h" ... with the layer's name before.
void collect_state_names(const LayerList& layers, const std::string& prefix, std::vector<std::string>& names,
                         int& recurrent_layers) {
  for (const auto& [name, layer] : layers) {
    for (std::size_t k = 0; k < layer.branches.size(); ++k) {
      collect_state_names(layer.branches[k], fmt::format("{}{}.{}.", prefix, name, k), names, recurrent_layers);
    }
    if (layer.type != "recurrent") continue;
    ++recurrent_layers;
    const Cell& cell = find_cell(std::get<std::string>(layer.settings.at("cell")));
    for (const std::string_view state : cell.states) names.push_back(fmt::format("{}{}.{}", prefix, name, state));
  }
}

std::vector<std::string> state_names(const Sequential& network) {
  std::vector<std::string> names;
  int recurrent_layers = 0;
  const LayerDescription description = network.describe();
  collect_state_names(description.branches.at(0), "", names, recurrent_layers);
  if (recurrent_layers != 1) return names;
  for (std::string& name : names) name = name.substr(name.rfind('.') + 1);
  return names;
}

bool takes_ids(const LayerList& layers) {
  if (layers.empty()) return false;
  const LayerDescription& first = layers.front().layer;
  return is_token_input(first.type) || (!first.branches.empty() && takes_ids(first.branches.front()));
}

// --input NAME=FILE.npy, by name.
std::map<std::string, std::string> inputs_of(const CommandLine& line, const std::vector<std::string>& states) {
  std::vector<std::string> known{"input", "lengths"};
  for (const std::string& state : states) known.push_back(state + "_0");
  std::map<std::string, std::string> files;
  for (const std::string& text : line.texts("--input")) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == std::string::npos) fail(Code::kUsage, "--input is '{}', expected NAME=FILE.npy", text);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fail(Code::kUsage, "--input: this model has no input '{}'{} Its inputs: {}", name, did_you_mean(name, known),
           fmt::join(known, ", "));
    }
    if (!files.emplace(name, text.substr(equals + 1)).second) fail(Code::kUsage, "--input {} is given twice", name);
  }
  if (!files.contains("input")) fail(Code::kUsage, "--input input=FILE.npy is missing");
  return files;
}

struct Pass {
  Tensor output;
  State final;
};

// Axes of the file swapped if it is batch-first.
template <class T>
BasicTensor<T> read_sequence(const std::string& path, bool batch_first, int rank) {
  BasicTensor<T> tensor = read_npy<T>(path, NpyConversion::kRound);
  if (tensor.shape().rank() != rank) {
    fail(Code::kData, "{}: has shape {}, expected {} axes: {}", path, tensor.shape().to_string(), rank,
         rank == 3 ? "time, sample, feature" : "time, sample");
  }
  if (!batch_first) return tensor;
  const Shape& shape = tensor.shape();
  const Shape wide{shape[0], shape[1], rank == 3 ? shape[2] : 1};
  const View<const T> view{tensor.data(), wide};
  const BasicTensor<T> swapped = transpose_time_and_batch<T>(view);
  return rank == 3 ? swapped : swapped.reshaped({shape[1], shape[0]});
}

State initial_state(const Sequential& network, const std::vector<std::string>& states,
                    const std::map<std::string, std::string>& files, std::int64_t samples) {
  State state = start_state(network, samples);
  for (std::size_t k = 0; k < states.size(); ++k) {
    const auto file = files.find(states[k] + "_0");
    if (file == files.end()) continue;
    Tensor given = read_npy<float>(file->second, NpyConversion::kRound);
    if (given.shape() != state.values.at(k).shape()) {
      fail(Code::kData, "{}: {} has shape {}, expected {} (layer x direction, sample, hidden)", file->second,
           file->first, given.shape().to_string(), state.values[k].shape().to_string());
    }
    state.values[k] = std::move(given);
  }
  return state;
}

Pass pass(Sequential& network, const std::vector<std::string>& states, const std::map<std::string, std::string>& files,
          bool batch_first) {
  std::vector<std::int32_t> lengths;
  if (const auto file = files.find("lengths"); file != files.end()) {
    const IdTensor tensor = read_npy<std::int32_t>(file->second);
    lengths.assign(tensor.span().begin(), tensor.span().end());
  }
  Pass result;
  const auto predict = [&](const auto& input) {
    const State initial = initial_state(network, states, files, input.shape()[1]);
    result.output = network.predict(input, lengths, &initial, &result.final);
  };
  if (takes_ids(network.describe().branches.at(0))) {
    predict(read_sequence<std::int32_t>(files.at("input"), batch_first, 2));
  } else {
    predict(read_sequence<float>(files.at("input"), batch_first, 3));
  }
  if (batch_first && result.output.shape().rank() == 3) {
    result.output = transpose_time_and_batch<float>(result.output.view());
  }
  return result;
}

int run_network(const CommandLine& line, Console& console) {
  const std::string folder = line.text("--output");
  const bool force = line.is_on("--force");
  set_threads(static_cast<int>(line.integer("--threads", 0, 256, 0)));
  const Model model = Model::load(line.text("MODEL"));
  if (model.task() == "tag" || model.task() == "translate") {
    fail(Code::kUsage, "a model of task {} has parts that read different inputs: inspect shows their tensors",
         model.task());
  }
  Sequential& network = model.network();
  const std::vector<std::string> states = state_names(network);
  const auto files = inputs_of(line, states);

  std::vector<std::string> names{"output"};
  for (const std::string& state : states) names.push_back(state + "_n");
  file_system().make_folders(folder);
  for (const std::string& name : names) check_output_file("--output", fmt::format("{}/{}.npy", folder, name), force);

  const Pass result = pass(network, states, files, line.is_on("--batch-first"));
  auto list = nlohmann::ordered_json::array();
  std::vector<std::vector<std::string>> rows{{"output", "shape", "file"}};
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Tensor& tensor = k == 0 ? result.output : result.final.values.at(k - 1);
    const std::string file = fmt::format("{}/{}.npy", folder, names[k]);
    write_npy<float>(file, tensor.view());
    const auto sizes = tensor.shape().sizes();
    list.push_back(
        {{"name", names[k]}, {"shape", std::vector<std::int64_t>(sizes.begin(), sizes.end())}, {"file", file}});
    rows.push_back({names[k], tensor.shape().to_string(), file});
  }
  if (console.json()) {
    console.out_json({{"schema", 1}, {"outputs", list}});
  } else {
    console.out(text_table(rows, false));
  }
  return 0;
}

std::vector<Argument> run_arguments() {
  return {{.name = "MODEL", .help = "model file", .required = true},
          {.name = "--input",
           .value = "NAME=FILE.npy",
           .help = "input (values [T, N, C] or ids [T, N]), lengths [N], h_0 and c_0 [layer x direction, N, H]",
           .required = true,
           .repeat = true},
          {.name = "--output", .value = "DIR", .help = "folder for output.npy, h_n.npy ...", .required = true},
          {.name = "--batch-first", .help = "input and output sequences are [N, T, C]; states stay as they are"},
          {.name = "--threads", .value = "K", .help = "threads to use [default: one per core]"},
          {.name = "--force", .help = "overwrite files that exist"}};
}

}  // namespace

const Verb kRunVerb{
    .name = "run",
    .purpose = "Train and use models",
    .usage = "MODEL --input NAME=FILE.npy ... --output DIR",
    .summary = "takes raw tensors in and gives raw tensors out, as NumPy files",
    .examples = {"run model.safetensors --input input=x.npy --output out",
                 "run model.safetensors --input input=x.npy --input lengths=n.npy --batch-first --output out",
                 "run model.safetensors --input input=x.npy --input h_0=h.npy --output out --force --json"},
    .arguments = run_arguments,
    .run = run_network};

}  // namespace carousel::cli
