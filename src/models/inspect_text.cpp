#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "models/inspect.h"

namespace carousel {
namespace {

constexpr std::size_t kColumns = 100;

// "time T", "sample 4", "hidden 128"; a free size is the letter of its axis.
std::string sized(const std::string& axis, std::int64_t size) {
  if (size != kAnySize) return fmt::format("{} {}", axis, size);
  return fmt::format("{} {}", axis, axis == "time" ? "T" : axis == "sample" ? "N" : "?");
}

std::string shape_text(const TensorInfo& tensor) {
  std::vector<std::string> list;
  for (std::size_t k = 0; k < tensor.axes.size(); ++k) list.push_back(sized(tensor.axes[k], tensor.shape[k]));
  return fmt::format("[{}]", fmt::join(list, ", "));
}

// The words on lines of at most kColumns; every line but the first starts with `indent` blanks.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string lines, line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at + 1), text.size());  // a word with the blank before it
    if (!line.empty() && line.size() + (end - at) > kColumns) {
      lines += line + "\n";
      line.assign(indent, ' ');
      ++at;
    }
    line += text.substr(at, end - at);
    at = end;
  }
  return lines + line + "\n";
}

struct Widths {
  std::size_t name = 0, shape = 0;
};

// One line per tensor in aligned columns; the meaning goes to a line of its own where it does not fit.
std::string tensor_lines(const std::vector<TensorInfo>& tensors, std::size_t indent) {
  Widths widths;
  for (const TensorInfo& tensor : tensors) {
    widths.name = std::max(widths.name, tensor.name.size());
    widths.shape = std::max(widths.shape, shape_text(tensor).size());
  }
  std::string text;
  for (const TensorInfo& tensor : tensors) {
    const std::string type = tensor.type == "float32" ? "" : tensor.type + "  ";
    std::string line =
        fmt::format("{:{}}{:<{}}  {:<{}}", "", indent, tensor.name, widths.name, shape_text(tensor), widths.shape);
    const std::string meaning = type + tensor.meaning;
    if (!meaning.empty() && line.size() + 2 + meaning.size() > kColumns) {
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n" + std::string(indent + 4, ' ') + wrapped(meaning, indent + 4);
      continue;
    }
    line += "  " + meaning;
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string layer_text(const LayerInfo& layer) {
  const std::string type = layer.name == layer.type ? "" : "type " + layer.type;
  const char* between = type.empty() || layer.settings.empty() ? "" : ", ";
  std::string text = wrapped(fmt::format("  {}: {}{}{}", layer.name, type, between, layer.settings), 6);
  text += "    in\n" + tensor_lines(layer.inputs, 6) + "    out\n" + tensor_lines(layer.outputs, 6);
  if (!layer.parameters.empty()) {
    text += fmt::format("    parameters ({} trained)\n", layer.parameter_count) + tensor_lines(layer.parameters, 6);
  }
  for (const std::string& note : layer.notes) text += wrapped("    - " + note, 6);
  return text;
}

// "111110000" or, if that is long, "1 x 120, 0 x 30".
std::string mask_text(std::int64_t length, std::int64_t time_steps) {
  constexpr std::int64_t kShown = 60;
  const auto ones = static_cast<std::size_t>(length), zeros = static_cast<std::size_t>(time_steps - length);
  if (time_steps <= kShown) return std::string(ones, '1') + std::string(zeros, '0');
  return zeros == 0 ? fmt::format("1 x {}", ones) : fmt::format("1 x {}, 0 x {}", ones, zeros);
}

std::string padding_text(const InspectResult& result) {
  const std::int64_t T = result.mask.shape()[0], N = result.mask.shape()[1];
  std::string text = fmt::format("padding\n  mask [time {}, sample {}]: 1 a step of the sample, 0 padding\n", T, N);
  for (std::size_t n = 0; n < result.lengths.size(); ++n) {
    text += fmt::format("  sample {:<4} length {:<6} mask {}\n", n, result.lengths[n], mask_text(result.lengths[n], T));
  }
  return text;
}

std::string numbers(const std::vector<double>& values) {
  constexpr std::size_t kShown = 6;
  std::vector<std::string> list;
  for (std::size_t k = 0; k < values.size() && k < kShown; ++k) list.push_back(fmt::format("{:.6g}", values[k]));
  if (values.size() > kShown) list.push_back(fmt::format("... {} numbers", values.size()));
  return fmt::format("[{}]", fmt::join(list, ", "));
}

std::string step_text(const WorkedStep& step) {
  std::string text = fmt::format("worked step: {} ({}), layer 0, forward, sample {}, step {}, unit {}\n", step.layer,
                                 step.cell, step.sample, step.time_step, step.unit);
  for (std::size_t at = 0; at < step.equations.size();) {
    const std::size_t end = std::min(step.equations.find('\n', at), step.equations.size());
    text += "    " + step.equations.substr(at, end - at) + "\n";
    at = end + 1;
  }
  const std::int64_t t = step.time_step;
  text += wrapped(fmt::format("  x[{}] = {}", t, numbers(step.x)), 4);
  text += wrapped(fmt::format("  h[{}] = {}", t - 1, numbers(step.h_before)), 4);
  text += fmt::format("  {:<6}{:>14}{:>14}{:>14}{:>14}\n", "gate", step.normalised ? "LN(W x) + b" : "W x + b_ih",
                      step.normalised ? "LN(R h) + b" : "R h + b_hh", step.adds_parts ? "their sum" : "", "value");
  for (const GateValue& gate : step.gates) {
    const std::string sum = step.adds_parts ? fmt::format("{:.8f}", gate.from_input + gate.from_state) : "";
    text += fmt::format("  {:<6}{:>14.8f}{:>14.8f}{:>14}{:>14.8f}\n", gate.name, gate.from_input, gate.from_state, sum,
                        gate.value);
  }
  text += fmt::format("  {:<6}{:>14}{:>14}{:>14}{:>14}\n", "state", "before", "after", "network's", "difference");
  for (std::size_t k = step.states.size(); k-- > 0;) {
    text += fmt::format("  {:<6}{:>14.8f}{:>14.8f}{:>14.8f}{:>14.1e}\n", step.states[k], step.before[k], step.after[k],
                        step.network[k], step.after[k] - step.network[k]);
  }
  if (step.unprojected) {
    text += fmt::format("  h is projected: row {} of weight_hr_l0 times all units; before it this unit has {:.8f}\n",
                        step.unit, *step.unprojected);
  }
  return text + fmt::format("  largest difference over all units and states: {:.1e}\n", step.largest_difference);
}

}  // namespace

std::string inspect_text(const InspectResult& result) {
  std::string text = "inputs\n" + tensor_lines(result.inputs, 2) + "outputs\n" + tensor_lines(result.outputs, 2);
  text += "states\n";
  text += result.states.empty() ? "  none: nothing is carried from step to step\n" : tensor_lines(result.states, 2);
  text += fmt::format("layers ({} trained numbers)\n", result.parameter_count);
  for (const LayerInfo& layer : result.layers) text += layer_text(layer);
  if (result.mask.elements() > 0) text += padding_text(result);
  if (result.step) text += step_text(*result.step);
  return text;
}

}  // namespace carousel
