#include "tasks/training_run.h"

#include "base/fail.h"
#include "base/json.h"
#include "carousel/attention.h"
#include "cells/cell.h"
#include "layers/module.h"
#include "tasks/decoder_network.h"
#include "tasks/samples.h"

namespace carousel {

TrainOptions resolve_training(const TrainOptions& options, const TrainDefaults& defaults, Observer& observer) {
  TrainOptions r = options;
  if (r.epochs == 0) r.epochs = defaults.epochs;
  if (r.batch_size == 0) r.batch_size = defaults.batch_size;
  if (r.patience == 0) r.patience = defaults.patience;
  if (r.lr == 0) r.lr = defaults.lr;
  if (r.clip < 0) r.clip = defaults.clip;
  if (r.schedule.empty()) r.schedule = defaults.schedule;
  if (r.optimizer.empty()) r.optimizer = defaults.optimizer;
  if (r.weight_decay < 0) r.weight_decay = defaults.weight_decay;
  if (r.input_noise < 0) r.input_noise = defaults.input_noise;
  observer.note(
      fmt::format("training: up to {} epochs, batch_size {}, {} with lr {}, schedule {}, clip {}, patience {}",
                  r.epochs, r.batch_size, r.optimizer, r.lr, r.schedule, r.clip, r.patience));
  return r;
}

TrainerOptions trainer_options(const TrainOptions& options, const TrainDefaults& defaults, const std::string& run_dir) {
  TrainerOptions t;
  t.epochs = options.epochs;
  t.patience = options.patience;
  t.accumulate = options.accumulate;
  t.clip_norm = options.clip;
  t.clip_value = options.clip_value;
  constexpr double kAverageDecay = 0.999;  // where the task has no choice of its own
  if (options.average.empty()) t.average_decay = defaults.average_decay;
  if (options.average == "ema") t.average_decay = defaults.average_decay > 0 ? defaults.average_decay : kAverageDecay;
  t.average_on_plateau = options.average == "asgd";
  t.optimizer.kind = parse_optimizer(options.optimizer);
  t.optimizer.lr = options.lr;
  t.optimizer.momentum = options.optimizer == "sgd" || options.optimizer == "rmsprop" ? options.momentum : 0;
  t.optimizer.weight_decay = options.weight_decay;
  t.schedule.kind = parse_schedule(options.schedule);
  t.schedule.warmup_steps = options.warmup_steps;
  t.schedule.factor = options.lr_factor;
  t.schedule.period = options.lr_period;
  t.schedule.start = options.lr_start;
  t.run_dir = run_dir;
  if (!run_dir.empty()) {
    t.checkpoint_seconds = options.checkpoint_every;
    t.resume = options.resume;
  }
  return t;
}

namespace {

// The layer of this name in the network or its branches ("0.1.recurrent" walks through a Sum); null if there is none.
Module* find_layer(Sequential& network, std::string_view name) {
  for (const auto& [own, module] : network.modules()) {
    if (own == name) return module.get();
    for (const auto& [inner, part] : detail::inner_networks(*module)) {
      const std::string prefix = own + "." + inner;
      if (name.starts_with(prefix)) return find_layer(*part, name.substr(prefix.size()));
    }
  }
  return nullptr;
}

}  // namespace

void note_kernels(Sequential& network, const TrainOptions& resolved, Observer& observer) {
  const NetworkPlan plan = plan_network(network, {.samples = resolved.batch_size, .training = true});
  if (resolved.strict_kernels) require_fast_plan(plan);
  observer.note(plan_line(plan));
}

NetworkPlan plan_inference(const Model& model, const Options& options) {
  return plan_network(model.network(), {.samples = kInferenceBatch, .dtype = options.model.dtype});
}

std::string describe_weight(Sequential& network, const Parameter& parameter, std::int64_t element) {
  std::string name = parameter.name;
  for (const auto& [full, tensor] : network.named_tensors()) {
    if (tensor == &parameter) name = full;
  }
  std::string place = name;
  const std::int64_t columns = parameter.value.shape().rank() == 2 ? parameter.value.shape()[1] : 1;
  const std::int64_t row = element / columns;
  const auto* layer = dynamic_cast<Recurrent*>(find_layer(network, name.substr(0, name.rfind('.'))));
  const auto begins = [&](const char* prefix) { return parameter.name.starts_with(prefix); };
  const bool of_gates = !begins("weight_hr") && !begins("bias_hr") && !begins("weight_highway") &&
                        !begins("bias_highway") && !begins("initial_") && !parameter.name.ends_with("_in");
  if (layer && of_gates) {
    const std::int64_t H = layer->options().hidden_size, heads = layer->options().heads;
    const Cell& cell = find_cell(layer->options().cell);
    if (parameter.name.starts_with("weight_ph")) {
      place += fmt::format(", weight {}, unit {}", cell.unit_weights[static_cast<std::size_t>(row / H)], row % H);
      return place;
    }
    int gate = 0;
    while (gate + 1 < cell.gate_count() && cell.first_row(gate + 1, H, heads) <= row) ++gate;
    place += fmt::format(", gate {}, unit {}", cell.gates[static_cast<std::size_t>(gate)],
                         row - cell.first_row(gate, H, heads));
  } else {
    place += fmt::format(", row {}", row);
  }
  return columns > 1 ? fmt::format("{}, column {}", place, element % columns) : place;
}

void CurveRecorder::note(const std::string& line) {
  notes_.push_back(line);
  next_.note(line);
}

void CurveRecorder::warning(const std::string& line) {
  notes_.push_back("warning: " + line);
  next_.warning(line);
}

void CurveRecorder::epoch(const EpochEvent& event) {
  epochs_.push_back(event);
  next_.epoch(event);
}

std::string file_names(const std::vector<std::string>& paths) {
  std::string names;
  for (const std::string& path : paths) names += (names.empty() ? "" : ", ") + path.substr(path.rfind('/') + 1);
  return names;
}

std::string training_json(const TrainSummary& summary, const TrainOptions& options, const EvaluateResult& result) {
  nlohmann::json json{{"epochs", summary.epochs},        {"steps", summary.steps}, {"best_epoch", summary.best_epoch},
                      {"optimizer", options.optimizer},  {"lr", options.lr},       {"seed", options.seed},
                      {"batch_size", options.batch_size}};
  for (const auto& [name, value] : result.metrics) json["metrics"][name] = value;
  return json_text(json);
}

void fill_result(TrainResult& result, const TrainSummary& summary, const Model& model, const OutputOptions& output,
                 std::int64_t training_samples) {
  result.model = output.out;
  result.run_dir = output.run_dir;
  result.epochs = summary.epochs;
  result.steps = summary.steps;
  result.seconds = summary.seconds;
  result.batch_seconds = summary.batch_seconds;
  result.parameters = model.parameter_count();
  const double seen = static_cast<double>(training_samples) * static_cast<double>(summary.epochs);
  result.samples_per_second = summary.seconds > 0 ? seen / summary.seconds : 0;
}

namespace {

// Names of the options that only a cell can have and that are given.
std::vector<std::string> given_cell_options(const ModelOptions& o) {
  const std::pair<bool, const char*> of_cells[] = {
      {o.proj_size > 0, "proj_size"},
      {o.recurrent_dropout > 0, "recurrent_dropout"},
      {o.zoneout > 0, "zoneout"},
      {o.zoneout_memory > 0, "zoneout_memory"},
      {o.transitions > 1, "transitions"},
      {o.chrono > 0, "chrono"},
      {!o.periods.empty(), "periods"},
      {o.heads != 1, "heads"},
      {o.output_activation != "none", "output_activation"},
      {o.decay > 0, "decay"},
      {o.merge != "concat", "merge"},
      {o.connection != "none", "connection"},
      {o.learned_initial_state, "learned_initial_state"},
      {o.tied, "tied"},
  };
  std::vector<std::string> given;
  for (const auto& [is_given, name] : of_cells) {
    if (is_given) given.emplace_back(name);
  }
  return given;
}

}  // namespace

void refuse_recurrent_options(const ModelOptions& o, std::string_view what) {
  std::vector<std::string> given = given_cell_options(o);
  const std::pair<bool, const char*> of_networks[] = {
      {!o.cell.empty(), "cell"},       {o.layers > 0, "layers"},     {!o.bidirectional.empty(), "bidirectional"},
      {!o.pool.empty(), "pool"},       {o.layer_norm, "layer_norm"}, {!o.activation.empty(), "activation"},
      {o.hierarchical, "hierarchical"}};
  for (const auto& [is_given, name] : of_networks) {
    if (is_given) given.emplace_back(name);
  }
  if (!given.empty()) fail(Code::kUsage, "{} has no recurrent layer: leave {} out", what, fmt::join(given, ", "));
}

void check_cell_options(const ModelOptions& o) {
  if (o.cell != "none") return;
  const std::vector<std::string> given = given_cell_options(o);
  if (given.empty()) return;
  fail(Code::kUsage, "cell 'none' is a feed-forward network: leave {} out", fmt::join(given, ", "));
}

namespace {

RecurrentOptions recurrent_options(const ModelOptions& o, std::int64_t input_size) {
  return {.cell = cell_name(o),
          .input_size = input_size,
          .hidden_size = o.hidden_size,
          .proj_size = o.proj_size,
          .layers = o.layers,
          .bidirectional = o.bidirectional == "true",
          .dropout = o.dropout,
          .recurrent_dropout = o.recurrent_dropout,
          .output_activation = o.output_activation,
          .decay = o.decay,
          .periods = o.periods,
          .heads = o.heads,
          .merge = o.merge,
          .connection = o.connection,
          .learned_initial_state = o.learned_initial_state,
          .tied = o.tied,
          .zoneout = o.zoneout,
          .zoneout_memory = o.zoneout_memory,
          .transitions = o.transitions,
          .chrono = o.chrono};
}

}  // namespace

void add_pool(Sequential& network, const ModelOptions& o, std::int64_t input_size) {
  if (o.pool == "attention") {
    network.add("pool", std::make_unique<AttentionPool>(input_size, o.hidden_size));
  } else {
    network.add("pool", std::make_unique<Pool>(o.pool));
  }
}

std::int64_t add_body(Sequential& network, const ModelOptions& o, std::int64_t input_size, std::int64_t time_steps) {
  check_cell_options(o);
  if (o.cell != "none") {
    auto recurrent = std::make_unique<Recurrent>(recurrent_options(o, input_size));
    const std::int64_t size = recurrent->output_size();
    network.add("recurrent", std::move(recurrent));
    if (!o.pool.empty()) add_pool(network, o, size);
    if (o.layer_norm) network.add("norm", std::make_unique<LayerNorm>(size));
    return size;
  }
  network.add("flatten", std::make_unique<Flatten>(time_steps));
  std::int64_t size = input_size * time_steps;
  for (std::int64_t l = 0; l < o.layers; ++l) {
    const std::string number = std::to_string(l);
    network.add("hidden" + number, std::make_unique<Linear>(size, o.hidden_size));
    if (o.layer_norm) network.add("norm" + number, std::make_unique<LayerNorm>(o.hidden_size));
    network.add("activation" + number, std::make_unique<Activation>(o.activation));
    if (o.dropout > 0 && l + 1 < o.layers) network.add("dropout" + number, std::make_unique<Dropout>(o.dropout));
    size = o.hidden_size;
  }
  return size;
}

}  // namespace carousel
