#include "output_file.h"

#include <filesystem>

#include "base/fail.h"
#include "base/file.h"

namespace carousel::cli {
namespace {

bool is_special(const std::string& path) {
  std::error_code error;
  const auto kind = std::filesystem::status(path, error).type();
  return kind == std::filesystem::file_type::character || kind == std::filesystem::file_type::block ||
         kind == std::filesystem::file_type::fifo || kind == std::filesystem::file_type::socket;
}

}  // namespace

void check_output_file(std::string_view flag, const std::string& path, bool force) {
  FileSystem& files = file_system();
  if (path.empty()) fail(Code::kUsage, "{} is empty, expected the name of a file", flag);
  if (files.is_folder(path)) fail(Code::kUsage, "{}: {} is a folder, expected the name of a file", flag, path);
  if (files.exists(path) && !is_special(path) && !force) {
    fail(Code::kUsage, "{}: {} exists already; choose another name or overwrite it with --force", flag, path);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (!folder.empty() && !files.is_folder(folder)) fail(Code::kUsage, "{}: there is no folder {}", flag, folder);
}

}  // namespace carousel::cli
