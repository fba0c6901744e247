// checkpoint.h: a training in the middle as a file of its run folder, from which it goes on as if it had never stopped.
//
// RUN_DIR/checkpoint.safetensors is the newest and RUN_DIR/checkpoint-before.safetensors the one before it. Both are
// safetensors files with three texts as metadata: "point", where the training is; "tensors", a line with name, shape
// and CRC-32 of each tensor; and "crc32" of the two. A checkpoint takes its place by a rename after it was written to
// disk as a whole, so that a crash or a power cut at any moment leaves a good one.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "carousel/tensor.h"
#include "train/observer.h"

namespace carousel {

// Where a tensor of a checkpoint is taken from and brought to. Borrowed.
struct CheckpointTensor {
  std::string name;
  Tensor* tensor = nullptr;
};

// The checkpoint that was the newest becomes the one before. Takes no memory for the tensors. Throws Error{kIo}.
void write_checkpoint(const std::string& run_dir, const std::string& point,
                      const std::vector<CheckpointTensor>& tensors);

// Removes both; no error if there are none.
void remove_checkpoints(const std::string& run_dir);

// A checkpoint whose checksums were found right.
class Checkpoint {
 public:
  // The newest good one of the folder; the observer is told of a damaged one. Nothing if there are none at all. Throws
  // Error{kModel} if all are damaged.
  static std::optional<Checkpoint> newest(const std::string& run_dir, Observer& observer);

  const std::string& path() const noexcept { return path_; }
  const std::string& point() const noexcept { return point_; }
  // The shapes of the tensors "PREFIX0", "PREFIX1" ... as far as they go.
  std::vector<Shape> shapes(const std::string& prefix) const;
  // Fills the tensors. Throws Error{kModel} unless they are all that the file holds, in its order and with its shapes.
  void read(const std::vector<CheckpointTensor>& tensors) const;

 private:
  explicit Checkpoint(const std::string& path);

  std::string path_, point_;
  std::vector<std::pair<std::string, Shape>> tensors_;
};

}  // namespace carousel
