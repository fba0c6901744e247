#include "train/checkpoint.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/crc32.h"
#include "base/fail.h"
#include "base/file.h"
#include "models/json_text.h"
#include "models/safetensors.h"
#include "models/safetensors_header.h"

namespace carousel {
namespace {

std::string newest_path(const std::string& run_dir) { return run_dir + "/checkpoint.safetensors"; }
std::string before_path(const std::string& run_dir) { return run_dir + "/checkpoint-before.safetensors"; }

std::string tensor_line(const std::string& name, const Shape& shape, std::uint32_t checksum) {
  return fmt::format("{} {} {:08x}\n", name, shape.to_string(), checksum);
}

std::string checksum_of(const std::string& point, const std::string& tensors) {
  const std::uint32_t first = crc32(std::as_bytes(std::span(point)));
  return fmt::format("{:08x}", crc32(std::as_bytes(std::span(tensors)), first));
}

// A checkpoint file that is open, its header read.
struct OpenFile {
  std::unique_ptr<File> file;
  ReadBytes read;
  SafetensorsHeader header;

  explicit OpenFile(const std::string& path) : file(file_system().open_read(path)) {
    read = [this](std::span<std::byte> out) { return file->read(out); };
    header = read_safetensors_header(read, static_cast<std::uint64_t>(file_system().size(path)), path);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  const std::string& text(const std::string& key, const std::string& path) const {
    const auto found = header.metadata.find(key);
    if (found == header.metadata.end()) fail(Code::kModel, "{}: is no checkpoint: it has no text '{}'", path, key);
    return found->second;
  }
};

}  // namespace

void write_checkpoint(const std::string& run_dir, const std::string& point,
                      const std::vector<CheckpointTensor>& tensors) {
  std::vector<TensorEntry> entries;
  std::string lines;
  for (const auto& [name, tensor] : tensors) {
    entries.push_back(entry_of(name, std::as_const(*tensor).view()));
    lines += tensor_line(name, tensor->shape(), crc32(entries.back().bytes));
  }
  const std::string path = newest_path(run_dir), checksum = checksum_of(point, lines);
  const std::string start = safetensors_start(entries, {{"point", point}, {"tensors", lines}, {"crc32", checksum}});
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(start)));
  for (const TensorEntry& entry : entries) file.write(entry.bytes);
  file.finish();
  if (file_system().exists(path)) file_system().rename(path, before_path(run_dir));
  file.commit();
}

void remove_checkpoints(const std::string& run_dir) {
  file_system().remove(newest_path(run_dir));
  file_system().remove(before_path(run_dir));
}

std::optional<Checkpoint> Checkpoint::newest(const std::string& run_dir, Observer& observer) {
  std::string damage;
  for (const std::string& path : {newest_path(run_dir), before_path(run_dir)}) {
    if (!file_system().exists(path)) continue;
    try {
      return Checkpoint(path);
    } catch (const Error& error) {
      if (error.code() != Code::kModel) throw;
      observer.warning(error.what());
      damage += fmt::format("{}{}", damage.empty() ? "" : "; ", error.what());
    }
  }
  if (!damage.empty()) fail(Code::kModel, "{}: no checkpoint is whole: {}", run_dir, damage);
  return std::nullopt;
}

Checkpoint::Checkpoint(const std::string& path) : path_(path) {
  OpenFile open(path);
  point_ = open.text("point", path);
  const std::string& lines = open.text("tensors", path);
  const std::string expected = checksum_of(point_, lines);
  if (open.text("crc32", path) != expected) fail(Code::kModel, "{}: its description is damaged (CRC-32)", path);
  std::string found;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (const HeaderEntry& entry : open.header.entries) {
    std::uint32_t checksum = 0;
    for (std::uint64_t left = entry.end - entry.begin; left > 0;) {
      const auto piece = std::span(buffer).first(std::min<std::uint64_t>(left, buffer.size()));
      read_exactly(open.read, piece, path);
      checksum = crc32(piece, checksum);
      left -= piece.size();
    }
    found += tensor_line(entry.name, entry.shape, checksum);
    const bool same = entry.dtype == Dtype::kF32 && lines.starts_with(found);
    if (!same) fail(Code::kModel, "{}: tensor '{}' is damaged (CRC-32)", path, printable(entry.name));
    tensors_.emplace_back(entry.name, entry.shape);
  }
  if (found != lines) fail(Code::kModel, "{}: has {} tensors, its description more", path, tensors_.size());
}

std::vector<Shape> Checkpoint::shapes(const std::string& prefix) const {
  std::vector<Shape> shapes;
  for (const auto& [name, shape] : tensors_) {
    if (name == prefix + std::to_string(shapes.size())) shapes.push_back(shape);
  }
  return shapes;
}

void Checkpoint::read(const std::vector<CheckpointTensor>& tensors) const {
  const bool same = std::ranges::equal(tensors, tensors_, [](const CheckpointTensor& a, const auto& b) {
    return a.name == b.first && a.tensor->shape() == b.second;
  });
  if (!same) {
    fail(Code::kModel,
         "{}: is of another training: its {} tensors differ from the {} of this one in names or shapes; go on with the "
         "program and the options that the training began with",
         path_, tensors_.size(), tensors.size());
  }
  OpenFile open(path_);
  for (const CheckpointTensor& one : tensors) {
    read_exactly(open.read, std::as_writable_bytes(one.tensor->span()), path_);
  }
}

}  // namespace carousel
