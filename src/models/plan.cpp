#include "models/plan.h"

#include <algorithm>

#include "base/fail.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "carousel/stream.h"
#include "kernels/packed_matrix.h"
#include "kernels/peak.h"
#include "layers/module.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"
#include "layers/scan/matrix_scan.h"
#include "layers/tokens/token_inputs.h"

namespace carousel {
namespace {

LayerPlan plan_recurrent(const Recurrent& layer, const PlanRequest& request) {
  const auto& [samples, training, dtype] = request;
  LayerPlan plan;
  const std::string& cell = layer.options().cell;
  if (dtype != "f32") {
    plan.kernel = fmt::format("{}: each step in one pass over {} weights packed for it", cell, dtype);
    return plan;
  }
  if (find_cell(cell).has_matrix()) {
    plan.kernel = fmt::format("{}: W x of all steps in one product, then {} steps at a time as products of matrices",
                              cell, detail::kMatrixChunk);
    plan.split = fmt::format("{} tasks", detail::matrix_parts(samples * layer.directions() * layer.options().heads));
    return plan;
  }
  plan.kernel =
      fmt::format("{}: W x of all steps in one product, R h and gates step by step over packed weights", cell);
  if (const auto cells = layer.options().transitions; cells > 1) plan.kernel += fmt::format(", {} cells a step", cells);
  const SequenceLayout layout(1, samples);
  detail::SampleRange ranges[detail::kMaxParts];
  const int parts = detail::split_samples(layout, layer.directions(), ranges);
  const int tasks = parts * layer.directions();
  plan.split = fmt::format("{} loop{} of {} samples", tasks, tasks == 1 ? "" : "s", (samples + parts - 1) / parts);
  const Cell& rules = find_cell(cell);
  const CellSizes sizes = cell_sizes(layer.options());
  const std::int64_t gates = rules.first_gates() * sizes.hidden_size;
  if (!training && tasks == 1 && kernels::is_worth_sharing(samples, gates, rules.recurrent_size(sizes))) {
    plan.split += ", its products shared by the threads";
  } else if (tasks < threads()) {
    plan.slow.push_back(fmt::format("the time loop keeps {} of {} threads busy: {} samples are too few to share", tasks,
                                    threads(), samples));
  }
  return plan;
}

using Modules = std::span<const std::pair<std::string, std::unique_ptr<Module>>>;

// `above`: the layers that its rows go through. Dropout changes nothing in inference.
LayerPlan plan_token_input(const std::string& type, Modules above, const PlanRequest& request) {
  std::string reason = "no recurrent layer is above it";
  for (const auto& [name, module] : above) {
    if (dynamic_cast<const Dropout*>(module.get())) {
      if (!request.training) continue;
      reason = fmt::format("{} gives each row a mask of its own", name);
    } else if (const auto* recurrent = dynamic_cast<const Recurrent*>(module.get())) {
      reason = request.dtype == "f32" ? "" : fmt::format("the weights of {} are {}", name, request.dtype);
      if (is_connected(recurrent->options(), 0)) reason = fmt::format("its rows go past the lowest layer of {}", name);
    }
    break;
  }
  if (reason.empty()) return {.kernel = type + ": folded into the layer above, W x once for each distinct token"};
  return {.kernel = type + ": rows of a table", .slow = {"not folded into the layer above: " + reason}};
}

LayerPlan plan_layer(Module& module, Modules above, const PlanRequest& request) {
  if (const auto* recurrent = dynamic_cast<const Recurrent*>(&module)) return plan_recurrent(*recurrent, request);
  const std::string type = module.describe().type;
  if (is_token_input(type)) return plan_token_input(type, above, request);
  if (type == "linear") return {.kernel = "linear: one product"};
  if (type == "conv1d") return {.kernel = "conv1d: one product over the windows of all steps"};
  if (type == "attention_pool") return {.kernel = "attention_pool: one product for all steps, then one a sample"};
  if (type == "multi_head_attention") {
    return {.kernel = "multi_head_attention: a product for each projection, then some for each sample and head"};
  }
  if (type == "attention_decoder") {
    return {.kernel = "attention_decoder: a scan over one step and the products of the attention, step by step"};
  }
  return {.kernel = type + ": vector by vector"};
}

void plan_layers(Sequential& network, const std::string& prefix, const PlanRequest& request,
                 std::vector<LayerPlan>& list) {
  const Modules modules = network.modules();
  for (std::size_t k = 0; k < modules.size(); ++k) {
    const auto& [name, module] = modules[k];
    const auto inner = detail::inner_networks(*module);
    for (const auto& [own, part] : inner) plan_layers(*part, fmt::format("{}{}.{}", prefix, name, own), request, list);
    if (!inner.empty()) continue;
    list.push_back(plan_layer(*module, modules.subspan(k + 1), request));
    list.back().layer = prefix + name;
  }
}

std::string threads_text(int count) { return fmt::format("{} thread{}", count, count == 1 ? "" : "s"); }

}  // namespace

NetworkPlan plan_network(Sequential& network, const PlanRequest& request) {
  NetworkPlan plan;
  plan.instruction_set = kernels::instruction_set();
  plan.threads = threads();
  plan_layers(network, "", request, plan.layers);
  if (plan.instruction_set == "SCALAR") {
    for (LayerPlan& layer : plan.layers)
      layer.slow.push_back("this processor has no vector instructions that are known");
  }
  try {
    const Stream stream(network, {.dtype = request.dtype});
  } catch (const Error& error) {
    plan.no_stream = error.what();
  }
  return plan;
}

std::string plan_line(const NetworkPlan& plan) {
  std::string line = fmt::format("kernels: {}, {}", plan.instruction_set, threads_text(plan.threads));
  for (const LayerPlan& layer : plan.layers) {
    if (layer.split.empty() && layer.slow.empty()) continue;
    line += fmt::format("; {}", layer.layer);
    if (!layer.split.empty()) line += fmt::format(" in {}", layer.split);
    for (const std::string& reason : layer.slow) line += fmt::format(" ({})", reason);
  }
  return line;
}

std::string plan_text(const NetworkPlan& plan) {
  std::string text = fmt::format("kernels for {}, {}\n", plan.instruction_set, threads_text(plan.threads));
  for (const LayerPlan& layer : plan.layers) {
    text += fmt::format("  {}\n    {}\n", layer.layer, layer.kernel);
    if (!layer.split.empty()) text += fmt::format("    {}\n", layer.split);
    for (const std::string& reason : layer.slow) text += fmt::format("    slow: {}\n", reason);
  }
  return text + fmt::format("step by step (Stream): {}\n", plan.no_stream.empty()
                                                               ? "possible, one pass over packed weights a layer"
                                                               : "not possible: " + plan.no_stream);
}

nlohmann::ordered_json plan_json(const NetworkPlan& plan) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerPlan& layer : plan.layers) {
    layers.push_back({{"name", layer.layer}, {"kernel", layer.kernel}, {"split", layer.split}, {"slow", layer.slow}});
  }
  return {{"instruction_set", plan.instruction_set},
          {"threads", plan.threads},
          {"layers", layers},
          {"stream", {{"possible", plan.no_stream.empty()}, {"why", plan.no_stream}}}};
}

void require_fast_plan(const NetworkPlan& plan) {
  for (const LayerPlan& layer : plan.layers) {
    if (layer.slow.empty()) continue;
    fail(Code::kUsage, "--strict-kernels: {}: {}; leave the flag out to go on", layer.layer, layer.slow.front());
  }
}

}  // namespace carousel
