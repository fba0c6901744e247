#include "formats/c_header.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/fail.h"
#include "cells/cell.h"
#include "cells/stream_layer.h"
#include "formats/cell_texts.h"
#include "layers/output/tied_linear.h"
#include "layers/recurrent/recurrent_structure.h"
#include "layers/recurrent/topology.h"
#include "layers/tokens/token_inputs.h"

namespace carousel {
namespace {

std::string float_text(float value) {
  std::string text = fmt::format("{:.9g}", value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text + "f";
}

// constexpr TYPE NAME[] = {...}; ten numbers a line.
template <class T, class Text>
std::string array_text(std::string_view type, std::string_view name, std::span<const T> values, Text text_of) {
  std::string text = fmt::format("inline constexpr {} {}[] = {{", type, name);
  for (std::size_t k = 0; k < values.size(); ++k) text += (k % 10 == 0 ? "\n    " : " ") + text_of(values[k]) + ",";
  return text + "};\n";
}

// Collects the parts of the class while the network is walked through.
class Writer {
 public:
  explicit Writer(bool int8) : int8_(int8) {}

  std::string constants, members, resets, steps;
  std::vector<std::string> cells;                     // headers of the cells used
  std::int64_t input_size = -1, vocabulary_size = 0;  // of numbers; above 0: of token ids instead

  // The layers of a network, from the variable `input` of `size` numbers (-1: not known yet); the variable that holds
  // the result, and its size.
  std::pair<std::string, std::int64_t> network(Sequential& net, std::string input, std::int64_t size) {
    if (size < 0) size = input_size;  // another branch may have told it
    for (const auto& [name, module] : net.modules()) {
      const LayerDescription description = module->describe();
      if (description.type == "dropout" || description.type == "embedding_dropout") continue;
      if (description.type == "pool" && std::get<std::string>(description.settings.at("kind")) == "last") continue;
      if (const std::int64_t inputs = inputs_of(*module); inputs >= 0) {
        if (input_size < 0) input_size = inputs;
        if (size < 0) size = inputs;
        if (size != inputs)
          fail(Code::kModel, "export: layer '{}' takes {} numbers, but is given {}", name, inputs, size);
      }
      layer_ = name;
      std::tie(input, size) = layer(*module, description, input, size);
    }
    return {input, size};
  }

  // The rows of the ids of a step, side by side: the variable that holds them, and its size.
  std::pair<std::string, std::int64_t> table_rows(const std::vector<std::pair<std::string, const Tensor*>>& tables) {
    const std::string output = fmt::format("y{}", next_++);
    std::string copies;
    std::int64_t width = 0;
    for (const auto& [name, table] : tables) {
      layer_ = name;
      const std::int64_t size = table->shape()[1];
      copies += fmt::format("    for (int j = 0; j < {}; ++j) {}[{} + j] = {}[{} * {} + j];\n", size, output, width,
                            floats(table->span()), name, size);
      width += size;
    }
    steps += fmt::format("    float {}[{}];\n{}", output, width, copies);
    return {output, width};
  }

 private:
  // How many numbers a layer reads; -1: as many as it is given, or token ids.
  std::int64_t inputs_of(Module& module) const {
    if (auto* recurrent = dynamic_cast<Recurrent*>(&module)) return recurrent->options().input_size;
    if (auto* linear = dynamic_cast<Linear*>(&module)) return linear->weight.value.shape()[1];
    if (auto* scale = dynamic_cast<Scale*>(&module)) return scale->factor.value.elements();
    if (auto* norm = dynamic_cast<LayerNorm*>(&module)) return norm->weight.value.elements();
    if (embedding_ && dynamic_cast<TiedLinear*>(&module)) return embedding_->shape()[1];
    return -1;
  }

  std::pair<std::string, std::int64_t> layer(Module& module, const LayerDescription& description,
                                             const std::string& input, std::int64_t size) {
    if (auto* recurrent = dynamic_cast<Recurrent*>(&module)) return recurrent_layers(*recurrent, input);
    if (auto* sum = dynamic_cast<Sum*>(&module)) return branches(*sum, input, size);
    if (description.type == "sequential") return network(dynamic_cast<Sequential&>(module), input, size);
    if (auto* embedding = dynamic_cast<Embedding*>(&module)) {
      embedding_ = &embedding->weight.value;
      return token_row(embedding->weight.value, input);
    }
    if (auto* fixed = dynamic_cast<FixedEmbedding*>(&module)) return token_row(fixed->weight.value, input);
    if (auto* tied = dynamic_cast<TiedLinear*>(&module); tied && embedding_) return tied_linear(*tied, input);
    if (auto* flatten = dynamic_cast<Flatten*>(&module)) return window(*flatten, input, size);
    if (auto* linear = dynamic_cast<Linear*>(&module)) {
      const std::int64_t outputs = linear->weight.value.shape()[0], inputs = linear->weight.value.shape()[1];
      Tensor bias({outputs});
      std::copy_n(linear->bias.value.data(), linear->bias.value.elements(), bias.data());
      const std::string w = floats(linear->weight.value.span()), b = floats(bias.span());
      return call(fmt::format("linear<{}, {}>({}, {}, ", outputs, inputs, w, b), input, outputs);
    }
    if (auto* scale = dynamic_cast<Scale*>(&module)) {
      const std::int64_t n = scale->factor.value.elements();
      const std::string f = floats(scale->factor.value.span()), o = floats(scale->offset.value.span());
      return call(fmt::format("scale<{}>({}, {}, ", n, f, o), input, n);
    }
    if (auto* norm = dynamic_cast<LayerNorm*>(&module)) {
      const std::int64_t n = norm->weight.value.elements();
      const std::string g = floats(norm->weight.value.span()), b = floats(norm->bias.value.span());
      return call(fmt::format("layer_norm<{}>({}, {}, ", n, g, b), input, n);
    }
    if (description.type == "activation" && size > 0) {
      const std::string& kind = std::get<std::string>(description.settings.at("kind"));
      return call(fmt::format("activation<{}>(Math::{}, ", size, kind), input, size);
    }
    if (description.type == "adaptive_softmax") {
      fail(Code::kUsage,
           "export: no header holds an 'adaptive_softmax'; a Stream runs it, or train with --softmax full");
    }
    fail(Code::kUsage, "export: a network with a '{}' layer here cannot run step by step", description.type);
  }

  // The row of the token that a step is given.
  std::pair<std::string, std::int64_t> token_row(const Tensor& table, const std::string& input) {
    if (input != "token") {
      fail(Code::kUsage,
           "export: layer '{}' takes token ids, which a header gives to the first layer of a network alone, not to "
           "branches or to layers above it",
           layer_);
    }
    table_ = floats(table.span());
    const std::int64_t size = table.shape()[1];
    const std::string output = fmt::format("y{}", next_++);
    steps += fmt::format("    const float* {} = {} + token * {};\n", output, table_, size);
    return {output, size};
  }

  std::pair<std::string, std::int64_t> tied_linear(const TiedLinear& tied, const std::string& input) {
    const std::int64_t tokens = embedding_->shape()[0], outputs = tied.bias.value.elements();
    if (outputs != tokens) {
      fail(Code::kModel, "export: layer '{}' has a bias of {} numbers, but its embedding {} tokens", layer_, outputs,
           tokens);
    }
    const std::string b = floats(tied.bias.value.span());
    return call(fmt::format("linear<{}, {}>({}, {}, ", tokens, embedding_->shape()[1], table_, b), input, tokens);
  }

  std::string floats(std::span<const float> values) {
    for (const float value : values) {
      if (!std::isfinite(value))
        fail(Code::kModel, "export: '{}' has a weight that is {}, a header holds finite ones only", layer_, value);
    }
    std::string name = fmt::format("kNumbers{}", next_++);
    constants += array_text("float", name, values, float_text);
    return name;
  }

  // A parameter of a layer; without it `zeros` zeros, or no numbers at all.
  std::string numbers(const Recurrent& recurrent, const std::string& name, std::int64_t zeros) {
    if (const Parameter* parameter = recurrent.parameter(name)) return floats(parameter->value.span());
    return zeros > 0 ? floats(std::vector<float>(static_cast<std::size_t>(zeros))) : "nullptr";
  }

  // A function of the runtime that writes a fresh variable.
  std::pair<std::string, std::int64_t> call(const std::string& begin, const std::string& input, std::int64_t outputs) {
    const std::string output = fmt::format("y{}", next_++);
    steps += fmt::format("    float {}[{}];\n    {}{}, {});\n", output, outputs, begin, input, output);
    return {output, outputs};
  }

  std::pair<std::string, std::int64_t> window(Flatten& flatten, const std::string& input, std::int64_t size) {
    if (size < 0) fail(Code::kUsage, "export: a network that begins with 'flatten' does not tell its input size");
    const std::string name = fmt::format("window{}_", next_++), output = fmt::format("y{}", next_++);
    members += fmt::format("  Window<{}, {}> {};\n", flatten.time_steps(), size, name);
    resets += fmt::format("    {}.reset();\n", name);
    steps += fmt::format("    const float* {} = {}.step({});\n", output, name, input);
    return {output, size * flatten.time_steps()};
  }

  std::pair<std::string, std::int64_t> branches(Sum& sum, const std::string& input, std::int64_t size) {
    std::string total;
    std::int64_t width = 0;
    for (Sequential& branch : sum.branches()) {
      const auto [output, outputs] = network(branch, input, size);
      if (outputs < 0) fail(Code::kUsage, "export: a branch of a 'sum' has no layers");
      if (total.empty()) {
        total = fmt::format("y{}", next_++);
        width = outputs;
        steps += fmt::format("    float {}[{}] = {{}};\n", total, width);
      }
      if (outputs > width) {
        fail(Code::kModel, "export: a branch of a 'sum' gives {} numbers, expected at most the {} of the first one",
             outputs, width);
      }
      steps += fmt::format("    for (int j = 0; j < {}; ++j) {}[j] += {}[j];\n", outputs, total, output);
    }
    return {total, width};
  }

  // A matrix of recurrent weights: its type and its value.
  std::pair<std::string, std::string> matrix(const Tensor& weight) {
    const std::int64_t rows = weight.shape()[0], columns = weight.shape()[1];
    if (!int8_) return {fmt::format("FloatMatrix<{}, {}>", rows, columns), "{" + floats(weight.span()) + "}"};
    if (columns > kMostInt8Inputs) {
      fail(Code::kUsage, "export: '{}' has {} inputs, at most {} are possible with --dtype int8; use f32", layer_,
           columns, kMostInt8Inputs);
    }
    std::vector<std::int8_t> integers(static_cast<std::size_t>(rows * columns));
    std::vector<float> scales;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::span<const float> one(weight.data() + row * columns, static_cast<std::size_t>(columns));
      scales.push_back(quantise_row(one, integers.data() + row * columns));
    }
    const std::string name = fmt::format("kIntegers{}", next_++);
    constants += array_text("std::int8_t", name, std::span<const std::int8_t>(integers),
                            [](std::int8_t value) { return std::to_string(value); });
    return {fmt::format("Int8Matrix<{}, {}>", rows, columns), fmt::format("{{{}, {}}}", name, floats(scales))};
  }

  // What stands between the units of a layer and its output.
  std::string projection(const Recurrent& recurrent, const std::string& suffix) {
    const std::string weight = numbers(recurrent, "weight_hr" + suffix, 0);
    if (weight == "nullptr") return "{}";
    const RecurrentOptions& o = recurrent.options();
    return fmt::format("{{{}, {}, OutputActivation::{}, {}}}", weight, numbers(recurrent, "bias_hr" + suffix, 0),
                       o.output_activation, float_text(static_cast<float>(o.decay)));
  }

  // What a layer is made of: its type, the weights that its constructor takes, those of the gate past it.
  struct LayerText {
    std::string type, weights, gate;
  };

  LayerText layer_text(const Recurrent& recurrent, std::int64_t l) {
    const Cell& cell = cell_of_layer(find_cell(recurrent.options().cell), l);
    const std::string suffix = scan_suffix(l, 0);
    LayerText text = cell.has_matrix() ? matrix_text(recurrent, cell, suffix) : cell_text_of(recurrent, cell, l);
    if (recurrent.parameter("weight_highway" + suffix)) {
      text.gate = numbers(recurrent, "weight_highway" + suffix, 0) + ", ";
      text.gate += numbers(recurrent, "bias_highway" + suffix, 0) + ", ";
    }
    return text;
  }

  LayerText matrix_text(const Recurrent& recurrent, const Cell& cell, const std::string& suffix) {
    const RecurrentOptions& o = recurrent.options();
    const auto [w_type, w] = matrix(recurrent.parameter("weight_ih" + suffix)->value);
    const std::string bias = numbers(recurrent, "bias_ih" + suffix, 4 * o.hidden_size + 2 * o.heads);
    const bool exponential = cell.matrix_memory == MatrixMemory::kExponentialForget;
    return {.type = fmt::format("MatrixLayer<{}, {}, {}, {}>", o.hidden_size, o.heads, exponential, w_type),
            .weights = w + ", " + bias,
            .gate = {}};
  }

  LayerText cell_text_of(const Recurrent& recurrent, const Cell& cell, std::int64_t l) {
    const RecurrentOptions& o = recurrent.options();
    const CellText& source = cell_text(cell.name);
    if (std::find(cells.begin(), cells.end(), source.text) == cells.end()) cells.emplace_back(source.text);
    const std::string suffix = scan_suffix(l, 0);
    const auto [w_type, w] = matrix(recurrent.parameter("weight_ih" + suffix)->value);
    const Tensor weight_hh = masked_recurrent_weight(recurrent, l, 0);
    const auto [r_type, r] =
        weight_hh.elements() > 0 ? matrix(weight_hh) : std::pair<std::string, std::string>("NoMatrix", "{}");
    const std::string ih = numbers(recurrent, "bias_ih" + suffix, cell.gate_count() * o.hidden_size);
    const std::string hh = numbers(recurrent, "bias_hh" + suffix, cell.recurrent_gates() * o.hidden_size);
    const std::string ph = numbers(recurrent, "weight_ph" + suffix, 0);
    return {.type = fmt::format("RecurrentLayer<{}, {}, {}, {}, {}>", source.type, o.hidden_size,
                                recurrent.output_size(), w_type, r_type),
            .weights = fmt::format("{}, {}, {}, {}, {}, {}", w, r, ih, hh, ph, projection(recurrent, suffix)),
            .gate = {}};
  }

  // What follows the weights: the learned states of a layer one after another; without them no numbers at all.
  std::string start_of(const Recurrent& recurrent, const Cell& cell, std::int64_t layer) {
    if (cell.has_matrix()) return "";
    if (!recurrent.options().learned_initial_state) return ", nullptr";
    std::vector<float> all;
    for (int k = 0; k < recurrent.state_count(); ++k) {
      const std::span<const float> row = initial_state(recurrent, layer, 0, k);
      all.insert(all.end(), row.begin(), row.end());
      all.resize(static_cast<std::size_t>((k + 1) * recurrent.options().hidden_size));
    }
    return ", " + floats(all);
  }

  std::pair<std::string, std::int64_t> recurrent_layers(Recurrent& recurrent, std::string input) {
    const RecurrentOptions& o = recurrent.options();
    if (o.bidirectional) fail(Code::kUsage, "export: a bidirectional network needs the whole sequence");
    const Cell& top = find_cell(o.cell);
    if (o.transitions > 1) fail(Code::kUsage, "export: a layer with transitions cannot be exported to a header");
    if (mean_zoneout(o).active()) fail(Code::kUsage, "export: a layer with zoneout cannot be exported to a header");
    if (top.program) fail(Code::kUsage, "export: cell '{}' is an expression, which no header holds", o.cell);
    if (top.has_matrix() && o.learned_initial_state)
      fail(Code::kUsage, "export: cell '{}' with a learned initial state cannot be exported to a header", o.cell);
    const std::int64_t H = o.hidden_size, P = recurrent.output_size();
    std::string lower;
    if (top.entry) {
      const std::string w = floats(recurrent.parameter("weight_in")->value.span());
      const std::string b = numbers(recurrent, "bias_in", 2 * H);
      input = call(fmt::format("linear<{}, {}>({}, {}, ", 2 * H, o.input_size, w, b), input, 2 * H).first;
      lower = fmt::format("{} + {}", input, H);
    }
    LayerText text;  // of tied layers that of the lowest one
    for (std::int64_t l = 0; l < o.layers; ++l) {
      if (l == 0 || !o.tied) text = layer_text(recurrent, l);
      const Cell& cell = cell_of_layer(top, l);
      const std::string name = fmt::format("layer{}_", next_++), output = fmt::format("y{}", next_++);
      members += fmt::format("  {} {}{{{}{}}};\n", text.type, name, text.weights, start_of(recurrent, cell, l));
      resets += fmt::format("    {}.reset();\n", name);
      const std::string also = cell.lower ? ", " + lower : "";
      steps += fmt::format("    const float* {} = {}.step({}{});\n", output, name, input, also);
      lower = name + ".upper()";
      const std::string past = fmt::format("{}<{}>({}{}, ", o.connection, P, text.gate, output);
      input = is_connected(o, l) ? call(past, input, P).first : output;
    }
    return {input, P};
  }

  bool int8_;
  int next_ = 0;
  std::string layer_;                  // that is being written
  std::string table_;                  // of the embedding that the network begins with
  const Tensor* embedding_ = nullptr;  // the same [V, E], if an output layer may be tied to it
};

// Of the embedding that the network begins with; 0: it takes numbers. Throws for other ways from ids to numbers.
std::int64_t vocabulary_size(Sequential& network) {
  if (network.modules().empty()) return 0;
  Module& first = *network.modules().front().second;
  if (auto* inner = dynamic_cast<Sequential*>(&first)) return vocabulary_size(*inner);
  const LayerDescription description = first.describe();
  if (!is_token_input(description.type)) return 0;
  if (description.type == "one_hot" || description.type == "hashed_embedding") {
    fail(Code::kUsage, "export: a header takes numbers, or token ids through an embedding, not through '{}'",
         description.type);
  }
  return std::get<std::int64_t>(description.settings.at("vocabulary_size"));
}

// How step() is called, and what of.
struct StepText {
  std::string constants;   // "kInputSize = 3"
  std::string parameters;  // "const float* x"
  std::string call;        // "x, y);  // x [3]"
};

StepText step_text(const Writer& writer, const CHeaderOptions& options) {
  if (options.tables.empty() && writer.vocabulary_size == 0) {
    return {fmt::format("kInputSize = {}", writer.input_size), "const float* x",
            fmt::format("x, y);  // x [{}]", writer.input_size)};
  }
  if (options.tables.empty()) {
    return {fmt::format("kVocabularySize = {}", writer.vocabulary_size), "int token",
            fmt::format("token, y);  // an id below {}", writer.vocabulary_size)};
  }
  StepText text;
  std::string names, limits;
  for (const auto& [name, table] : options.tables) {
    const std::string comma = text.constants.empty() ? "" : ", ";
    const auto first = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
    text.constants += fmt::format("{}k{}{}Count = {}", comma, first, name.substr(1), table->shape()[0]);
    text.parameters += comma + "int " + name;
    names += name + ", ";
    limits += fmt::format("{}below {}", comma, table->shape()[0]);
  }
  text.call = fmt::format("{}y);  // ids {}", names, limits);
  return text;
}

bool is_identifier(const std::string& name) {
  const auto fits = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 && std::ranges::all_of(name, fits);
}

}  // namespace

std::string to_c_header(Sequential& network, const CHeaderOptions& options) {
  if (!is_identifier(options.name)) fail(Code::kUsage, "export: '{}' is no name for a namespace", options.name);
  if (options.dtype != "f32" && options.dtype != "int8") {
    fail(Code::kUsage, "export: --dtype {}, a header can hold f32 or int8", options.dtype);
  }
  Writer writer(options.dtype == "int8");
  std::string input = "x";
  std::int64_t input_size = -1;
  if (options.tables.empty()) {
    writer.vocabulary_size = vocabulary_size(network);
    if (writer.vocabulary_size > 0) input = "token";
  } else {
    std::tie(input, input_size) = writer.table_rows(options.tables);
  }
  const auto [output, output_size] = writer.network(network, input, input_size);
  if (writer.input_size < 0) fail(Code::kUsage, "export: the network has no layer with weights");
  const StepText step = step_text(writer, options);
  std::string text = fmt::format(
      "// A model trained with Carousel, exported as a C++17 header without dependencies ({} weights).\n"
      "//\n"
      "//   {}::Model model;  // owns the state of one sequence\n"
      "//   model.step({} -> y [{}], what the network gives for the sequence so far\n"
      "//   model.reset();  // back to the start\n"
      "#pragma once\n\n#include <array>\n#include <cmath>\n#include <cstdint>\n#include <string_view>\n\n"
      "namespace {} {{\n\n"
      "inline constexpr int kMaxGates = {}, kMaxStates = {}, kMaxExtras = {}, kMaxUnitWeights = {};\n\n",
      options.dtype, options.name, step.call, output_size, options.name, kMaxGates, kMaxStates, kMaxExtras,
      kMaxUnitWeights);
  text += values_text();
  for (const std::string& cell : writer.cells) text += "\n" + cell;
  text += "\n" + std::string(runtime_text()) + "\n" + writer.constants;
  text += fmt::format(
      "\nclass Model {{\n public:\n  static constexpr int {}, kOutputSize = {};\n\n"
      "  void step({}, float* y) {{\n{}"
      "    for (int j = 0; j < kOutputSize; ++j) y[j] = {}[j];\n  }}\n\n"
      "  void reset() {{\n{}  }}\n\n private:\n{}}};\n\n}}  // namespace {}\n",
      step.constants, output_size, step.parameters, writer.steps, output, writer.resets, writer.members, options.name);
  return text;
}

}  // namespace carousel
