// Oracle: what was written is what is read; after an injected fault the old content is still there and nothing else is.
#include "base/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file_lock.h"
#include "tests/support/expect_error.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

std::string bytes_of_length(std::size_t length) {
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

std::size_t files_in(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(File, WhatIsWrittenIsRead) {
  const TemporaryFolder folder;
  for (std::size_t length : {0U, 1U, 65'536U, 200'001U}) {
    const std::string content = bytes_of_length(length);
    write_file_atomically(folder / "a", content);
    EXPECT_EQ(read_file(folder / "a"), content);
    EXPECT_EQ(file_system().size(folder / "a"), static_cast<std::int64_t>(length));
  }
  EXPECT_EQ(files_in(folder), 1U);
}

TEST(File, ShortReadsGiveTheSameContent) {
  const TemporaryFolder folder;
  const std::string content = bytes_of_length(1000);
  write_file_atomically(folder / "a", content);
  FaultyFileSystem files;
  files.bytes_per_read = 7;
  EXPECT_EQ(read_file(folder / "a"), content);
  EXPECT_EQ(read_text(folder / "a"), content);
}

TEST(File, AppendingKeepsWhatIsThere) {
  const TemporaryFolder folder;
  for (const std::string part : {"one", "two"}) {
    const auto file = file_system().open_append(folder / "log");
    file->write(std::as_bytes(std::span(part)));
    file->close();
  }
  EXPECT_EQ(read_file(folder / "log"), "onetwo");
}

TEST(File, ErrorsNameThePathAndTheReason) {
  const TemporaryFolder folder;
  expect_error(Code::kIo, {"missing.csv", "No such file"}, [&] { read_file(folder / "missing.csv"); });
  expect_error(Code::kIo, {folder.path(), "directory"}, [&] { read_file(folder.path()); });
  expect_error(Code::kIo, {"no/such/a", "No such file"}, [&] { write_file_atomically(folder / "no/such/a", "x"); });
  expect_error(Code::kIo, {"missing"}, [&] { file_system().size(folder / "missing"); });
}

TEST(File, ContentLargerThanTheLimitIsRefused) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", bytes_of_length(100));
  EXPECT_EQ(read_text(folder / "a", 100).size(), 100U);
  expect_error(Code::kData, {"larger than 99"}, [&] { read_text(folder / "a", 99); });
}

TEST(AtomicWrite, WritesSyncsRenamesAndSyncsTheFolderInThisOrder) {
  const TemporaryFolder folder;
  FaultyFileSystem files;
  write_file_atomically(folder / "a", "new");
  ASSERT_EQ(files.calls.size(), 4U);
  const std::string temporary = files.calls[0].substr(6);
  EXPECT_EQ(std::filesystem::path(temporary).parent_path(), folder.path());
  EXPECT_EQ(files.calls[1], "sync " + temporary);
  EXPECT_EQ(files.calls[2], "rename " + temporary + " " + folder / "a");
  EXPECT_EQ(files.calls[3], "sync_folder " + folder.path());
}

TEST(AtomicWrite, AFaultLeavesTheOldFileAndNoTemporary) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a", "old");
  const auto attempt = [&](const char* word, auto inject) {
    FaultyFileSystem files;
    inject(files);
    expect_error(Code::kIo, {word}, [&] { write_file_atomically(folder / "a", "new content"); });
    EXPECT_EQ(read_file(folder / "a"), "old") << word;
    EXPECT_EQ(files_in(folder), 1U) << word;
  };
  attempt("No space left", [](FaultyFileSystem& files) { files.bytes_until_full = 5; });
  attempt("sync", [](FaultyFileSystem& files) { files.fail_sync = true; });
  attempt("close", [](FaultyFileSystem& files) { files.fail_close = true; });
  attempt("rename", [](FaultyFileSystem& files) { files.fail_rename = true; });
}

TEST(AtomicWrite, PiecesAreInPlaceAtOnceOrNotAtAll) {
  const TemporaryFolder folder;
  const auto write = [](AtomicFile& file, std::string_view text) { file.write(std::as_bytes(std::span(text))); };
  put_file(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    write(file, "new ");
    write(file, "text");
    EXPECT_EQ(read_file(folder / "a"), "old");
    file.finish();
    EXPECT_EQ(read_file(folder / "a"), "old");
    file.commit();
    EXPECT_EQ(read_file(folder / "a"), "new text");
  }
  {
    AtomicFile given_up(folder / "a");
    write(given_up, "half");
  }
  EXPECT_EQ(read_file(folder / "a"), "new text");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

// Oracle: the contract in file_lock.h.
TEST(FileLock, OneHoldsTheFileAtATime) {
  const TemporaryFolder folder;
  expect_error(Code::kIo, {"cannot open"}, [&] { FileLock missing(folder / "a"); });
  put_file(folder / "a", "");
  {
    const FileLock first(folder / "a");
    expect_error(Code::kIo, {"another process works with it"}, [&] { FileLock second(folder / "a"); });
  }
  const FileLock again(folder / "a");
}

TEST(AtomicWrite, ALinkKeepsItsNameAndADeviceStays) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "target", "old");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  write_file_atomically(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_file(folder / "target"), "new");
  write_file_atomically("/dev/null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

// Oracle: /dev/full, the kernel's own full disk.
TEST(File, ARealFullDiskIsReported) {
  const auto file = file_system().open_write("/dev/full");
  const std::string text = "text";
  expect_error(Code::kIo, {"/dev/full", "No space left"}, [&] { file->write(std::as_bytes(std::span(text))); });
}

TEST(FileSystem, AnswersAboutFilesAndFolders) {
  const TemporaryFolder folder;
  FileSystem& files = file_system();
  EXPECT_FALSE(files.exists(folder / "a/b"));
  files.make_folders(folder / "a/b");
  files.make_folders(folder / "a/b");
  EXPECT_TRUE(files.is_folder(folder / "a/b"));
  write_file_atomically(folder / "a/b/c", "x");
  EXPECT_TRUE(files.exists(folder / "a/b/c"));
  EXPECT_FALSE(files.is_folder(folder / "a/b/c"));
  files.remove(folder / "a/b/c");
  files.remove(folder / "a/b/c");
  EXPECT_FALSE(files.exists(folder / "a/b/c"));
}

}  // namespace
}  // namespace carousel
