#include "train/metrics_file.h"

#include <fmt/format.h>

#include "base/file.h"

namespace carousel {
namespace {

std::string heading(const EpochEvent& epoch) {
  std::string text =
      "epoch,step,training_loss,validation_loss,metric,learning_rate,gradient_norm,seconds,largest_gradient_norm,"
      "clipped_steps,batch_seconds";
  for (const auto& [layer, share] : epoch.gate_saturation) text += ",saturated_gates_" + layer;
  return text + "\n";
}

}  // namespace

MetricsFile::MetricsFile(const std::string& run_dir) {
  if (run_dir.empty()) return;
  file_system().make_folders(run_dir);
  path_ = run_dir + "/metrics.csv";
}

void MetricsFile::add(const PastEpoch& past) {
  if (path_.empty()) return;
  const EpochEvent& epoch = past.event;
  if (text_.empty()) text_ = heading(epoch);
  const auto cell = [&](double value) { return past.validation ? fmt::format("{}", value) : std::string(); };
  text_ += fmt::format("{},{},{},{},{},{},{},{:.3f},{},{},{:.6f}", epoch.epoch, epoch.step, epoch.training_loss,
                       cell(epoch.validation_loss), cell(epoch.metric_value), past.last_step.learning_rate,
                       past.last_step.gradient_norm, epoch.seconds, epoch.largest_gradient_norm, epoch.clipped_steps,
                       epoch.batch_seconds);
  for (const auto& [layer, share] : epoch.gate_saturation) text_ += fmt::format(",{:.6f}", share);
  text_ += '\n';
}

void MetricsFile::write() const {
  if (!path_.empty()) write_file_atomically(path_, text_);
}

}  // namespace carousel
