// model.h: a trained network together with everything needed to use it, and its file.
//
// The file is valid safetensors: the tensors carry PyTorch's names and gate order, the description (task, network,
// vocabulary, scaling, labels, checksums) is JSON under the metadata key "carousel". It holds no code. A damaged or
// hostile file gives Error{kModel}, never anything else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "carousel/layers.h"

namespace carousel {

class Model {
 public:
  // `task` names what the model is for ("forecast", "classify", "regress"; any other word for networks of your own).
  Model(std::string task, Sequential network);

  static Model load(const std::string& path);  // Error{kIo}: cannot be read; Error{kModel}: damaged
  // Atomic; Error{kIo}. The input and recurrent matrices of recurrent layers are stored in `dtype`: "f32", or rounded
  // to "bf16" or "int8" as a Stream of this dtype rounds them, in half or a quarter of the space; a Stream or
  // set_inference_dtype() of the same dtype then gives the same bits after loading as before. Error{kUsage} for another
  // dtype, or for numbers to be rounded that are not finite.
  void save(const std::string& path, const std::string& dtype = "f32") const;

  const std::string& task() const noexcept { return task_; }
  Sequential& network() const& noexcept { return *network_; }  // lives as long as the model
  Sequential& network() const&& = delete;
  std::int64_t parameter_count() const;  // trained numbers

  // What the task keeps beside the network (vocabulary, labels, split ...) and how the model was trained: JSON objects
  // as text. Throws Error{kUsage} if the text is not a JSON object.
  const std::string& task_data() const noexcept { return task_data_; }
  void set_task_data(const std::string& json);
  const std::string& training() const noexcept { return training_; }
  void set_training(const std::string& json);

 private:
  std::string task_, task_data_ = "{}", training_ = "{}";
  std::unique_ptr<Sequential> network_;
};

}  // namespace carousel
