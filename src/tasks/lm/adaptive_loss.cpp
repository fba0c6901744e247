#include "tasks/lm/adaptive_loss.h"

#include <vector>

#include "autograd/ops/add.h"
#include "autograd/ops/linear.h"
#include "autograd/ops/linear_cross_entropy.h"
#include "autograd/ops/scale.h"
#include "autograd/ops/select_rows.h"
#include "autograd/tape.h"

namespace carousel {
namespace {

// The rows whose label stands in a cluster, and their labels in it.
struct ClusterRows {
  std::vector<std::int64_t> rows;
  std::vector<std::int32_t> labels;
};

}  // namespace

Variable adaptive_loss(AdaptiveSoftmax& output, const Variable& rows, std::span<const std::int32_t> labels,
                       std::span<double> losses) {
  const auto& clusters = output.clusters();
  std::vector<std::int32_t> head_labels(labels.begin(), labels.end());
  std::vector<ClusterRows> members(clusters.size());
  for (std::size_t r = 0; r < labels.size(); ++r) {
    for (std::size_t k = 0; k < clusters.size(); ++k) {
      const std::int64_t place = labels[r] - clusters[k]->begin;
      if (place < 0 || place >= clusters[k]->count) continue;
      head_labels[r] = static_cast<std::int32_t>(output.head_size() + static_cast<std::int64_t>(k));
      members[k].rows.push_back(static_cast<std::int64_t>(r));
      members[k].labels.push_back(static_cast<std::int32_t>(place));
    }
  }
  Tape<float>& tape = rows.tape();
  Variable total = linear_cross_entropy<float>(rows, tape.parameter(output.head()), {}, head_labels, losses);
  for (std::size_t k = 0; k < clusters.size(); ++k) {
    const ClusterRows& member = members[k];
    if (member.rows.empty()) continue;
    const Variable chosen = select_rows<float>(rows, std::span<const std::int64_t>(member.rows));
    const Variable features = linear<float>(chosen, tape.parameter(clusters[k]->projection));
    std::vector<double> of_cluster(losses.empty() ? 0 : member.rows.size());
    const Variable loss =
        linear_cross_entropy<float>(features, tape.parameter(clusters[k]->weight), {}, member.labels, of_cluster);
    const double share = static_cast<double>(member.rows.size()) / static_cast<double>(labels.size());
    total = add<float>(total, scale<float>(loss, share));
    for (std::size_t j = 0; j < of_cluster.size(); ++j)
      losses[static_cast<std::size_t>(member.rows[j])] += of_cluster[j];
  }
  return total;
}

}  // namespace carousel
