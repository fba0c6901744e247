#include "picture_files.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/fail.h"

extern char** environ;

namespace carousel::cli {
namespace {

// The exit status of the program, found along PATH; 127 if it is not there.
int run_program(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));  // as C wants them
  arguments.push_back(nullptr);
  pid_t process = 0;
  const int error = posix_spawnp(&process, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error == ENOENT) return 127;
  if (error != 0) fail(Code::kIo, "{} cannot be started (error {})", words[0], error);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

void check_plots_folder(const std::string& folder, bool force) {
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) return;
  if (!std::filesystem::is_directory(folder, error)) {
    fail(Code::kUsage, "--plots: {} is a file, expected the name of a folder", folder);
  }
  if (!std::filesystem::is_empty(folder, error) && !force) {
    fail(Code::kUsage, "--plots: the folder {} is not empty; choose another one or write into it with --force", folder);
  }
}

std::optional<int> write_png_files(const std::string& folder) {
  std::vector<std::filesystem::path> pictures;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".svg") pictures.push_back(std::filesystem::absolute(entry.path()));
  }
  std::sort(pictures.begin(), pictures.end());
  for (const std::filesystem::path& picture : pictures) {
    const std::string png = std::filesystem::path(picture).replace_extension(".png").string();
    const int status = run_program({"rsvg-convert", "--zoom", "2", "--output", png, picture.string()});
    if (status == 127) return std::nullopt;
    if (status != 0) fail(Code::kIo, "rsvg-convert could not convert {} (exit status {})", picture.string(), status);
  }
  return static_cast<int>(pictures.size());
}

std::string pictures_text(const std::string& folder) {
  const auto count = write_png_files(folder);
  if (!count) return fmt::format("Pictures: {} (SVG; for PNG install rsvg-convert, Debian's librsvg2-bin)", folder);
  return fmt::format("Pictures: {} ({}, each as SVG and PNG)", folder, *count);
}

}  // namespace carousel::cli
