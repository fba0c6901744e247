#include <cmath>

#include "base/fail.h"
#include "base/json.h"
#include "models/gradient_flow.h"

namespace carousel {
namespace {

constexpr std::int64_t kShownSteps = 24;  // of a scan; the JSON has all

std::string scan_title(const ScanGradient& scan) {
  return fmt::format("{} ({}), layer {}, {}", scan.layer, scan.cell, scan.index, scan.reverse ? "backward" : "forward");
}

// What happens to the gradient of h from the step where it comes in to the other end.
std::string journey(const ScanGradient& scan) {
  const std::vector<double>& norms = scan.states[0].norms;
  const double from = scan.reverse ? norms.front() : norms.back(), to = scan.reverse ? norms.back() : norms.front();
  double logarithms = 0;
  for (const double value : scan.jacobian_norms) logarithms += std::log(value);
  return fmt::format(
      "  |dL/dh| is {:.3g} where the sequence {} and {:.3g} where it {}\n"
      "  a step stretches a gradient at most {:.3g} times (geometric mean of the singular values)\n",
      from, scan.reverse ? "begins" : "ends", to, scan.reverse ? "ends" : "begins",
      std::exp(logarithms / static_cast<double>(norms.size())));
}

}  // namespace

std::string gradient_flow_text(const GradientFlow& flow) {
  std::string text = fmt::format("loss {:.6g}\n", flow.loss);
  for (const ScanGradient& scan : flow.scans) {
    text += fmt::format("\n{}\n{}", scan_title(scan), journey(scan));
    std::string heading = fmt::format("  {:>8}", "step");
    for (const StateGradient& state : scan.states) heading += fmt::format("  {:>12}", "|dL/d" + state.state + "|");
    text += heading + fmt::format("  {:>14}\n", "singular value");
    const auto T = std::ssize(scan.jacobian_norms);
    const std::int64_t every = (T + kShownSteps - 1) / kShownSteps;
    for (std::int64_t t = 0; t < T; ++t) {
      if (t % every != 0 && t + 1 != T) continue;
      const auto at = static_cast<std::size_t>(t);
      text += fmt::format("  {:>8}", t);
      for (const StateGradient& state : scan.states) text += fmt::format("  {:>12.4g}", state.norms[at]);
      text += fmt::format("  {:>14.4g}\n", scan.jacobian_norms[at]);
    }
    if (every > 1) text += fmt::format("  one step of {} is shown, --json has all {}\n", every, T);
  }
  return text;
}

nlohmann::ordered_json gradient_flow_json(const GradientFlow& flow) {
  nlohmann::ordered_json scans = nlohmann::ordered_json::array();
  for (const ScanGradient& scan : flow.scans) {
    nlohmann::ordered_json norms = nlohmann::ordered_json::object();
    for (const StateGradient& state : scan.states) norms[state.state] = state.norms;
    scans.push_back({{"layer", scan.layer},
                     {"cell", scan.cell},
                     {"index", scan.index},
                     {"direction", scan.reverse ? "backward" : "forward"},
                     {"gradient_norms", norms},
                     {"jacobian_norms", scan.jacobian_norms}});
  }
  return {{"loss", flow.loss}, {"scans", scans}};
}

}  // namespace carousel
