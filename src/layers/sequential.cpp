// sequential.cpp: a network as a list of layers: names, passes over a tape, prediction.
#include <algorithm>
#include <iterator>

#include "autograd/ops/add_first_columns.h"
#include "base/fail.h"
#include "carousel/attention.h"
#include "layers/mixture.h"
#include "layers/module.h"
#include "layers/pool_ops.h"

namespace carousel {

Sequential::Sequential() : session_(std::make_unique<detail::Session>()) { session_->inference.set_recording(false); }
Sequential::Sequential(Sequential&&) noexcept = default;
Sequential& Sequential::operator=(Sequential&&) noexcept = default;
Sequential::~Sequential() = default;

void Sequential::add(std::string name, std::unique_ptr<Module> module) {
  for (const auto& [other, unused] : modules_) {
    if (other == name) fail(Code::kUsage, "the network already has a layer named '{}'", name);
  }
  modules_.emplace_back(std::move(name), std::move(module));
}

std::vector<Parameter*> Sequential::parameters() {
  std::vector<Parameter*> list;
  for (const auto& [name, module] : modules_) {
    for (Parameter* parameter : module->parameters()) list.push_back(parameter);
  }
  return list;
}

std::vector<Parameter*> Sequential::buffers() {
  std::vector<Parameter*> list;
  for (const auto& [name, module] : modules_) {
    for (Parameter* buffer : module->buffers()) list.push_back(buffer);
  }
  return list;
}

std::vector<Sequential>* detail::branches_of(Module& module) {
  if (auto* sum = dynamic_cast<Sum*>(&module)) return &sum->branches();
  if (auto* mixture = dynamic_cast<Mixture*>(&module)) return &mixture->branches();
  return nullptr;
}

std::vector<std::pair<std::string, Sequential*>> detail::inner_networks(Module& module) {
  std::vector<std::pair<std::string, Sequential*>> list;
  if (auto* network = dynamic_cast<Sequential*>(&module)) list.emplace_back("", network);
  std::vector<Sequential>* branches = branches_of(module);
  for (std::size_t k = 0; branches && k < branches->size(); ++k) {
    list.emplace_back(std::to_string(k) + ".", &(*branches)[k]);
  }
  return list;
}

namespace {

void collect_names(const std::string& prefix, Sequential& sequential,
                   std::vector<std::pair<std::string, Parameter*>>& list) {
  for (const auto& [name, module] : sequential.modules()) {
    const auto inner = detail::inner_networks(*module);
    for (const auto& [own, network] : inner) collect_names(prefix + name + "." + own, *network, list);
    if (inner.empty()) {
      for (const auto& tensors : {module->parameters(), module->buffers()}) {
        for (Parameter* tensor : tensors) list.emplace_back(prefix + name + "." + tensor->name, tensor);
      }
    }
  }
}

}  // namespace

std::vector<std::pair<std::string, Parameter*>> Sequential::named_tensors() {
  std::vector<std::pair<std::string, Parameter*>> list;
  collect_names("", *this, list);
  return list;
}

namespace {

// The layers of a network get seeds of their own: the bits of one Philox block each.
std::uint64_t layer_seed(std::uint64_t seed, std::size_t layer) {
  const auto bits = philox({seed, Purpose::kWeights, ~std::uint64_t{0}}, layer);
  return (std::uint64_t{bits[1]} << 32) | bits[0];
}

bool is_zero(const Parameter* parameter) {
  const auto values = parameter->value.span();
  return std::all_of(values.begin(), values.end(), [](float v) { return v == 0; });
}

// The seeds are those of Module::initialize().
void initialize_if_new(Module& module, std::uint64_t seed) {
  if (auto* sum = dynamic_cast<Sum*>(&module)) {
    for (std::size_t k = 0; k < sum->branches().size(); ++k) initialize_if_new(sum->branches()[k], seed + k);
  } else if (auto* network = dynamic_cast<Sequential*>(&module)) {
    for (std::size_t k = 0; k < network->size(); ++k) {
      initialize_if_new(*network->modules()[k].second, layer_seed(seed, k));
    }
  } else {
    const std::vector<Parameter*> parameters = module.parameters();
    if (std::all_of(parameters.begin(), parameters.end(), is_zero)) module.initialize(seed);
  }
}

}  // namespace

void Sequential::initialize(std::uint64_t seed) {
  for (std::size_t k = 0; k < modules_.size(); ++k) modules_[k].second->initialize(layer_seed(seed, k));
}

void Sequential::initialize_new_layers() { initialize_if_new(*this, 1); }

LayerDescription Sequential::describe() const {
  LayerDescription description{"sequential", {}, {{}}};
  for (const auto& [name, module] : modules_) description.branches[0].push_back({name, module->describe()});
  return description;
}

void Sequential::forward(detail::Flow& flow) {
  for (const auto& [name, module] : modules_) module->forward(flow);
}

void Sequential::set_dropout_seed(std::uint64_t seed) {
  session_->seed = seed;
  session_->passes = 0;
}

namespace {

// Copies the valid steps of [T, N, C] into packed rows.
template <class T>
const T* pack_rows(Arena& arena, const SequenceLayout& layout, const T* padded, std::int64_t C) {
  if (layout.uniform()) return padded;
  T* packed = arena.allocate<T>(layout.rows() * C);
  for (std::int64_t r = 0; r < layout.rows(); ++r) {
    std::copy_n(padded + layout.padded_rows()[static_cast<std::size_t>(r)] * C, C, packed + r * C);
  }
  return packed;
}

void set_input(detail::Flow& flow, const detail::PassInput& input, SequenceLayout& layout) {
  if ((input.values == nullptr) == (input.ids == nullptr))
    fail(Code::kUsage, "a pass needs either values or ids, got both or neither");
  if (input.memory && input.memory_values) fail(Code::kUsage, "a pass takes one memory, got a variable and numbers");
  const Shape& shape = input.values ? input.values->shape() : input.ids->shape();
  if (shape.rank() != (input.values ? 3 : 2)) {
    fail(Code::kUsage, "the input has shape {}, expected {}", shape.to_string(),
         input.values ? "[time_steps, samples, features]" : "[time_steps, samples]");
  }
  if (!input.lengths.empty() && std::ssize(input.lengths) != shape[1]) {
    fail(Code::kUsage, "got {} lengths for {} samples", input.lengths.size(), shape[1]);
  }
  layout.assign(shape[0], shape[1], input.lengths);
  flow.layout = &layout;
  flow.initial = input.initial;
  flow.initial_variables = input.initial_variables;
  flow.final = input.final;
  flow.bptt = input.bptt;
  flow.checkpoint_steps = input.checkpoint_steps;
  if (flow.final) flow.final->values.clear();
  flow.memory = input.memory_values ? flow.tape->constant(input.memory_values->view()) : input.memory;
  flow.memory_lengths = input.memory_lengths;
  flow.alignments = input.alignments;
  if (flow.alignments) flow.alignments->clear();
  flow.attended = input.attended;
  flow.cache = input.cache;
  Arena& arena = flow.tape->arena();
  if (input.values) {
    flow.x = flow.tape->constant({pack_rows(arena, layout, input.values->data(), shape[2]), {layout.rows(), shape[2]}});
  } else {
    flow.ids = {pack_rows(arena, layout, input.ids->data(), 1), static_cast<std::size_t>(layout.rows())};
  }
}

}  // namespace

Variable detail::run_pass(Module& network, Tape<float>& tape, SequenceLayout& layout, const PassInput& input,
                          bool training, const RandomKey& dropout_key) {
  Flow flow;
  flow.tape = &tape;
  flow.training = training;
  flow.unseen = input.unseen;
  flow.dropout_key = dropout_key;
  set_input(flow, input, layout);
  network.forward(flow);
  if (flow.memory && !flow.memory_used)
    fail(Code::kUsage, "a memory was given, but no layer of the network looks at it");
  if (!flow.is_sequence) return flow.x;
  const Variable rows = flow.rows("output");
  return input.packed ? rows : unpack(rows, *flow.layout);
}

SequenceLayout& detail::Layouts::next(const Tape<float>& tape) {
  if (&tape != tape_ || tape.generation() != generation_) used_ = 0;
  tape_ = &tape;
  generation_ = tape.generation();
  if (used_ == layouts_.size()) layouts_.emplace_back();
  return *std::next(layouts_.begin(), static_cast<std::ptrdiff_t>(used_++));
}

namespace {

// On the tape of the memory, so that the gradient goes on into what gave it, else on the session's own.
Variable record(Sequential& network, detail::Session& session, const detail::PassInput& input) {
  if (!input.memory && session.training.spent()) session.training.reset();
  Tape<float>& tape = input.memory ? input.memory.tape() : session.training;
  const RandomKey key{session.seed, Purpose::kDropout, session.passes++};
  return detail::run_pass(network, tape, session.layouts.next(tape), input, true, key);
}

Tensor predict_once(Sequential& network, detail::Session& session, const detail::PassInput& input) {
  session.inference.reset();
  return Tensor(detail::run_pass(network, session.inference, session.inference_layout, input, false, {}).value());
}

}  // namespace

Variable Sequential::operator()(const Tensor& values, std::span<const std::int32_t> lengths, const State* initial,
                                State* final) {
  return record(*this, *session_, {&values, nullptr, lengths, initial, final});
}

Variable Sequential::operator()(const IdTensor& ids, std::span<const std::int32_t> lengths, const State* initial,
                                State* final) {
  return record(*this, *session_, {nullptr, &ids, lengths, initial, final});
}

Tensor Sequential::predict(const Tensor& values, std::span<const std::int32_t> lengths, const State* initial,
                           State* final) {
  return predict_once(*this, *session_, {&values, nullptr, lengths, initial, final});
}

Tensor Sequential::predict(const IdTensor& ids, std::span<const std::int32_t> lengths, const State* initial,
                           State* final) {
  return predict_once(*this, *session_, {nullptr, &ids, lengths, initial, final});
}

namespace {

detail::PassInput pass_input(const AttentionPass& pass) {
  return {.values = pass.values,
          .ids = pass.ids,
          .lengths = pass.lengths,
          .initial = pass.initial,
          .final = pass.final,
          .memory = pass.memory,
          .memory_values = pass.memory_values,
          .memory_lengths = pass.memory_lengths,
          .alignments = pass.alignments};
}

}  // namespace

Variable Sequential::operator()(const AttentionPass& pass) { return record(*this, *session_, pass_input(pass)); }

Tensor Sequential::predict(const AttentionPass& pass) {
  if (pass.memory) fail(Code::kUsage, "predict: records nothing; hand the memory over as numbers, memory_values");
  return predict_once(*this, *session_, pass_input(pass));
}

State Sequential::zero_state(std::int64_t samples) const {
  State state;
  const auto add_states = [&](const auto& self, const Sequential& network) -> void {
    for (const auto& [name, module] : network.modules()) {
      if (const auto* recurrent = dynamic_cast<const Recurrent*>(module.get())) {
        for (int k = 0; k < recurrent->state_count(); ++k)
          state.values.emplace_back(recurrent->state_shape(k, samples));
      } else if (const auto* decoder = dynamic_cast<const AttentionDecoder*>(module.get())) {
        for (int k = 0; k < decoder->state_count(); ++k) state.values.emplace_back(decoder->state_shape(k, samples));
      } else {
        for (const auto& [own, inner] : detail::inner_networks(*module)) self(self, *inner);
      }
    }
  };
  add_states(add_states, *this);
  return state;
}

Sum::Sum(std::vector<Sequential> branches) : branches_(std::move(branches)) {
  if (branches_.empty()) fail(Code::kUsage, "sum: needs at least one branch");
}

std::vector<Parameter*> Sum::parameters() {
  std::vector<Parameter*> list;
  for (Sequential& branch : branches_) {
    for (Parameter* parameter : branch.parameters()) list.push_back(parameter);
  }
  return list;
}

std::vector<Parameter*> Sum::buffers() {
  std::vector<Parameter*> list;
  for (Sequential& branch : branches_) {
    for (Parameter* buffer : branch.buffers()) list.push_back(buffer);
  }
  return list;
}

void Sum::initialize(std::uint64_t seed) {
  for (std::size_t k = 0; k < branches_.size(); ++k) branches_[k].initialize(seed + k);
}

LayerDescription Sum::describe() const {
  LayerDescription description{"sum", {}, {}};
  for (const Sequential& branch : branches_) description.branches.push_back(branch.describe().branches[0]);
  return description;
}

void detail::run_branches(Flow& flow, std::span<Sequential> branches, const char* layer,
                          const std::function<void(std::size_t, Variable, bool)>& take) {
  const Flow input = flow;
  for (std::size_t k = 0; k < branches.size(); ++k) {
    Flow one = input;
    one.states_used = flow.states_used;
    one.dropout_key.seed += k;
    branches[k].forward(one);
    const Variable value = one.rows(layer);
    if (k > 0 && one.is_sequence && one.layout != flow.layout) {
      fail(Code::kUsage, "{}: the branches give different numbers of steps", layer);
    }
    take(k, value, one.is_sequence);
    flow.layout = one.layout;
    flow.memory_used = flow.memory_used || one.memory_used;
    flow.is_sequence = one.is_sequence;
    flow.states_used = one.states_used;
  }
  flow.ids = {};
  flow.row_index = {};
}

void Sum::forward(detail::Flow& flow) {
  Variable total;
  detail::run_branches(flow, branches_, "sum", [&](std::size_t, Variable value, bool) {
    total = total ? add_first_columns(total, value) : value;
  });
  flow.x = total;
}

}  // namespace carousel
