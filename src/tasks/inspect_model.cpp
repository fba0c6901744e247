#include "tasks/inspect_model.h"

#include <numeric>

#include "tasks/tag/tag_decode.h"
#include "tasks/tag/tag_network.h"
#include "tasks/translate/translate_model.h"

namespace carousel {
namespace {

// The tensors and layers of a part, named after it.
void add_part(const std::string& name, InspectResult part, InspectResult& result) {
  for (LayerInfo& layer : part.layers) {
    layer.name = name + "." + layer.name;
    result.layers.push_back(std::move(layer));
  }
  for (TensorInfo& state : part.states) {
    state.name = name + "." + state.name;
    result.states.push_back(std::move(state));
  }
  for (auto* side : {&part.inputs, &part.outputs}) {
    for (TensorInfo& tensor : *side) {
      tensor.name = name + "." + tensor.name;
      (side == &part.inputs ? result.inputs : result.outputs).push_back(std::move(tensor));
    }
  }
  result.parameter_count += part.parameter_count;
}

// As add_part; padding and worked step of the whole are those of this part.
void add_main_part(const std::string& name, InspectResult part, InspectResult& result) {
  result.lengths = std::move(part.lengths);
  result.mask = std::move(part.mask);
  result.step = std::move(part.step);
  if (result.step) result.step->layer = name + "." + result.step->layer;
  add_part(name, std::move(part), result);
}

InspectResult inspect_translator(const Translator& translator, const InspectData& data, const InspectInput& sources) {
  InspectInput bridge, targets;
  Tensor memory;
  State initial;
  if (sources.ids) {
    Tape<float> tape;
    tape.set_recording(false);
    detail::Layouts layouts;
    const auto encoded = translator.encode(tape, layouts, {data.ids, data.lengths}, false, {});
    memory = Tensor(encoded.memory.value());
    for (const Variable& state : encoded.initial) {
      initial.values.push_back(Tensor(state.value()).reshaped({1, state.shape()[0], state.shape()[1]}));
    }
    bridge.values = targets.memory = &memory;
    bridge.lengths = targets.memory_lengths = data.lengths;
    targets.ids = &data.target_ids;
    targets.lengths = data.target_lengths;
    targets.initial = &initial;
  }
  InspectResult result;
  add_main_part("encoder", inspect_network(translator.encoder(), sources), result);
  add_part("bridge", inspect_network(translator.bridge(), bridge), result);
  add_part("decoder", inspect_network(translator.decoder(), targets), result);
  return result;
}

// The parts that make numbers of a token, each on its own ids; the body, on these numbers; what scores its rows.
// Throws Error{kModel} if they do not score what the description of the model names.
InspectResult inspect_tagger(const Model& model, const InspectData& data, const InspectInput& tokens) {
  const Sequential& network = model.network();
  TagBatch batch;
  if (tokens.values) {
    std::vector<std::int64_t> all(data.lengths.size());
    std::iota(all.begin(), all.end(), 0);
    batch.assign(data.sentences, all);
  }
  InspectResult result;
  const std::pair<const char*, const PaddedIds*> readers[] = {
      {"words", &batch.words}, {"shapes", &batch.shapes}, {"pairs", &batch.pairs}, {"characters", &batch.spellings}};
  for (const auto& [name, ids] : readers) {
    Sequential* part = tagger_part(network, name);
    if (!part) continue;
    InspectInput input;
    if (ids->ids.elements() > 0) {
      input.ids = &ids->ids;
      input.lengths = ids->lengths;
      if (ids == &batch.words) input.unseen = batch.unseen;
    }
    InspectResult reader = inspect_network(*part, input);
    if (ids == &batch.spellings)
      reader.inputs[0].meaning = "a sample is a distinct token, a step one of its characters";
    add_part(name, std::move(reader), result);
  }
  Sequential& body = required_tagger_part(network, "body");
  add_main_part("body", inspect_network(body, tokens), result);
  Tensor rows;
  InspectInput scored;
  if (tokens.values) {
    rows = body.predict(*tokens.values, tokens.lengths);
    scored.values = &rows;
    scored.lengths = tokens.lengths;
  }
  std::int64_t intents = 0;
  if (Sequential* intent = tagger_part(network, "intent")) {
    add_part("intent", inspect_network(*intent, scored), result);
    result.outputs.back().axes.back() = "intent";
    intents = result.outputs.back().shape.back();
  }
  add_part("slots", inspect_network(required_tagger_part(network, "slots"), scored), result);
  check_scores(result.outputs.back().shape.back(), intents, TagInfo::from_model(model));
  return result;
}

// Of a network that is no chain of layers its parts; the output that gives the results is the last.
InspectResult inspect_shown(const Model& model, const InspectData& data, const InspectInput& input) {
  if (model.task() == "translate") return inspect_translator(Translator(model.network()), data, input);
  if (model.task() == "tag") return inspect_tagger(model, data, input);
  return inspect_network(model.network(), input);
}

}  // namespace

InspectResult inspect_model(const Model& model, const InspectData& data, std::int64_t time_step) {
  InspectInput input;
  input.lengths = data.lengths;
  input.time_step = time_step;
  if (data.ids.elements() > 0) {
    input.ids = &data.ids;
    input.unseen = &data.unseen;
  } else if (!data.lengths.empty()) {
    input.values = &data.values;
  }
  InspectResult result = inspect_shown(model, data, input);
  TensorInfo& output = result.outputs.back();
  if (output.shape.back() == std::ssize(data.results)) output.axes.back() = data.result_axis;
  return result;
}

}  // namespace carousel
