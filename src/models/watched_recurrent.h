// watched_recurrent.h: a recurrent layer run step by step, so that the gradients of its states can be looked at.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "layers/module.h"
#include "layers/scan/scan.h"
#include "models/gradient_flow.h"

namespace carousel {

// Stands in for a Recurrent, which it borrows, in one forward pass without dropout from its own initial states, zero or
// learned. The samples are in the order of the layout, the longest first.
class WatchedRecurrent final : public Module {
 public:
  WatchedRecurrent(Recurrent& inner, std::string name) : inner_(inner), name_(std::move(name)) {}
  LayerDescription describe() const override { return inner_.describe(); }
  void forward(detail::Flow& flow) override;

  // One for each layer and direction; after the backward pass, before the tape's reset().
  std::vector<ScanGradient> gradients() const;

 private:
  using StateVariables = std::array<Variable, kMaxStates>;

  struct Scan {
    std::int64_t index = 0;
    bool reverse = false;
    Variable x, lower;                   // packed rows; lower [rows, H]: of a cell that reads it
    std::vector<StateVariables> states;  // after each step, [samples, width] each
  };

  Variable run(Variable x, Variable lower, std::int64_t index, bool reverse);
  Variable join(Variable x, Variable output, std::int64_t index) const;
  Variable pack(const Scan& scan, std::size_t state) const;
  std::vector<double> norms(const Scan& scan, int state) const;
  double jacobian_norm(const Scan& scan, std::int64_t t) const;

  Recurrent& inner_;
  std::string name_;
  const SequenceLayout* layout_ = nullptr;
  std::vector<SequenceLayout> steps_;  // of one step each: who is still running
  std::vector<Scan> scans_;
};

}  // namespace carousel
