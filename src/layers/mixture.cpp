#include "layers/mixture.h"

#include <algorithm>
#include <string>

#include "autograd/ops/add.h"
#include "autograd/ops/expand.h"
#include "autograd/ops/multiply.h"
#include "autograd/ops/select_columns.h"
#include "base/fail.h"
#include "layers/fuzzy/fuzzy_memberships.h"
#include "layers/module.h"

namespace carousel {

Mixture::Mixture(Sequential gate, std::vector<Sequential> networks) {
  if (networks.empty()) fail(Code::kUsage, "mixture: needs at least one network");
  branches_.push_back(std::move(gate));
  for (Sequential& network : networks) branches_.push_back(std::move(network));
}

std::vector<Parameter*> Mixture::parameters() {
  std::vector<Parameter*> list;
  for (Sequential& branch : branches_) {
    for (Parameter* parameter : branch.parameters()) list.push_back(parameter);
  }
  return list;
}

std::vector<Parameter*> Mixture::buffers() {
  std::vector<Parameter*> list;
  for (Sequential& branch : branches_) {
    for (Parameter* buffer : branch.buffers()) list.push_back(buffer);
  }
  return list;
}

void Mixture::initialize(std::uint64_t seed) {
  for (std::size_t k = 0; k < branches_.size(); ++k) branches_[k].initialize(seed + k);
}

LayerDescription Mixture::describe() const {
  LayerDescription description{"mixture", {}, {}};
  for (const Sequential& branch : branches_) description.branches.push_back(branch.describe().branches[0]);
  return description;
}

void Mixture::forward(detail::Flow& flow) {
  const std::int64_t samples = flow.layout->samples(), networks = std::ssize(branches_) - 1;
  Variable gate, total;
  detail::run_branches(flow, branches_, "mixture", [&](std::size_t k, Variable value, bool is_sequence) {
    if (is_sequence) fail(Code::kUsage, "mixture: branch {} gives a sequence, expected one row per sample", k);
    if (k == 0) {
      gate = value;
      if (!(gate.shape() == Shape{samples, networks})) {
        fail(Code::kUsage, "mixture: the gate gives {}, expected [{}, {}] for {} networks", gate.shape().to_string(),
             samples, networks, networks);
      }
      return;
    }
    const Variable weight = expand(select_columns(gate, static_cast<std::int64_t>(k) - 1, 1), value.shape());
    const Variable weighted = multiply(value, weight);
    total = total ? add(total, weighted) : weighted;
  });
  flow.x = total;
}

Memberships::Memberships(Tensor cluster_centers, double fuzzifier)
    : centers("centers", std::move(cluster_centers)), fuzzifier_(fuzzifier) {
  if (centers.value.shape().rank() != 2) {
    fail(Code::kUsage, "memberships: centers are {}, expected [clusters, time_steps x features]",
         centers.value.shape().to_string());
  }
  require_fuzzifier(fuzzifier);
}

LayerDescription Memberships::describe() const {
  return {"memberships",
          {{"clusters", centers.value.shape()[0]}, {"inputs", centers.value.shape()[1]}, {"fuzzifier", fuzzifier_}},
          {}};
}

void Memberships::forward(detail::Flow& flow) {
  const Variable rows = flow.rows("memberships");
  const std::int64_t T = flow.layout->time_steps(), N = flow.layout->samples(), C = rows.shape().back();
  const std::int64_t clusters = centers.value.shape()[0], inputs = centers.value.shape()[1];
  if (!flow.is_sequence || !flow.layout->uniform() || T * C != inputs) {
    fail(Code::kUsage, "memberships: expected sequences of {} values each, got {} steps of {}", inputs, T, C);
  }
  // Row (t, n) of the packed form is one step of sample n.
  float* points = flow.tape->arena().allocate<float>(N * inputs);
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t t = 0; t < T; ++t) {
      std::copy_n(rows.value().data + (t * N + n) * C, C, points + n * inputs + t * C);
    }
  }
  float* shares = flow.tape->arena().allocate<float>(N * clusters);
  memberships<float>({points, {N, inputs}}, static_cast<const Tensor&>(centers.value).view(), fuzzifier_,
                     {shares, {N, clusters}});
  flow.x = flow.tape->constant({shares, {N, clusters}});
  flow.is_sequence = false;
}

}  // namespace carousel
