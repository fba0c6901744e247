#include "tasks/compare/cell_search.h"

#include <algorithm>
#include <iterator>

#include "base/fail.h"
#include "base/random.h"
#include "cells/cell_program.h"

namespace carousel {
namespace {

// One draw from the grammar.
class CellDraw {
 public:
  explicit CellDraw(const RandomKey& key) : key_(key) {}

  std::string expression() {
    const bool has_c = below(2) == 1, has_output_gate = has_c && below(3) > 0;
    const Update update = static_cast<Update>(below(5));
    const int own_gates = (update == kBothGates ? 2 : 1) + 1 + (has_output_gate ? 1 : 0);
    const std::string keep = update == kNoForget || update == kNoMemory ? "" : gate("sigmoid");
    const std::string write = update == kCoupled || update == kNoInput ? "" : gate("sigmoid");
    const std::string candidate = draw_candidate(own_gates < CellProgram::kMaxGates);
    const std::string output = has_output_gate ? gate("sigmoid") : "";
    const std::string memory = next_memory(update, has_c ? "c" : "h", {keep, write, candidate});
    if (!has_c) return gates_ + (below(4) == 0 ? "h=tanh(" + memory + ")" : "h=" + memory);
    return gates_ + "c=" + memory + "; h=" + next_output(output);
  }

 private:
  enum Update { kBothGates, kCoupled, kNoInput, kNoForget, kNoMemory };
  struct Names {
    std::string keep, write, candidate;
  };

  std::uint64_t below(std::uint64_t bound) { return uniform_below(key_, drawn_++, bound); }

  std::string gate(const std::string& formula) {
    gates_ += fmt::format("g{}={}; ", count_, formula);
    return fmt::format("g{}", count_++);
  }

  // `more`: one more gate is left for the reset.
  std::string draw_candidate(bool more) {
    constexpr const char* kActivations[] = {"tanh", "tanh", "tanh", "relu", "identity", "sigmoid"};
    const std::string activation = kActivations[below(std::size(kActivations))];
    if (below(3) > 0) return gate(activation);
    std::string factor;
    if (more && below(2) == 0) {
      factor = gate("sigmoid");
    } else {
      factor = fmt::format("g{}", below(static_cast<std::uint64_t>(count_)));
      if (below(2) == 0) factor = "(1-" + factor + ")";
    }
    return gate(activation + "(x+" + factor + "*r)");
  }

  static std::string next_memory(Update update, const std::string& memory, const Names& names) {
    const std::string kept = names.keep + "*" + memory, added = names.write + "*" + names.candidate;
    switch (update) {
      case kBothGates:
        return kept + "+" + added;
      case kCoupled:
        return kept + "+(1-" + names.keep + ")*" + names.candidate;
      case kNoInput:
        return kept + "+" + names.candidate;
      case kNoForget:
        return memory + "+" + added;
      default:
        return added;
    }
  }

  std::string next_output(const std::string& output_gate) {
    constexpr const char* kSquashed[] = {"tanh(c)", "tanh(c)", "c", "relu(c)"};
    const std::string squashed = kSquashed[below(std::size(kSquashed))];
    if (output_gate.empty()) return squashed;
    const std::string gated = output_gate + "*" + squashed;
    return below(4) == 0 ? gated + "+(1-" + output_gate + ")*h" : gated;
  }

  RandomKey key_;
  std::uint64_t drawn_ = 0;
  int count_ = 0;
  std::string gates_;
};

}  // namespace

std::vector<std::string> draw_cells(std::uint64_t seed, std::int64_t count) {
  constexpr std::uint64_t kCells = std::uint64_t{1} << 40;  // apart from the trials, which draw by their numbers
  if (count > kMostDrawnCells) fail(Code::kUsage, "--search {}: expected at most {}", count, kMostDrawnCells);
  std::vector<std::string> cells;
  for (std::uint64_t draw = 0; std::ssize(cells) < count; ++draw) {
    const std::string cell =
        std::string(kExpressionPrefix) + CellDraw({seed, Purpose::kSample, kCells + draw}).expression();
    if (std::find(cells.begin(), cells.end(), cell) == cells.end()) cells.push_back(cell);
  }
  return cells;
}

}  // namespace carousel
