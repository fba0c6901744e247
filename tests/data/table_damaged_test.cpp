// Oracle: whatever is done to a file, its reader gives rows or an Error{kData}. Files are held in memory here, because
// there are thousands of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "base/file.h"
#include "data/sequences.h"
#include "data/table.h"

namespace carousel {
namespace {

// Every path is this one file.
class MemoryFileSystem final : public FileSystem {
 public:
  MemoryFileSystem() : before_(set_file_system(this)) {}
  ~MemoryFileSystem() override { set_file_system(before_); }

  std::string content;

  std::unique_ptr<File> open_read(const std::string&) override { return std::make_unique<Reading>(content); }
  std::unique_ptr<File> open_write(const std::string& path) override { refuse(path); }
  std::unique_ptr<File> open_append(const std::string& path) override { refuse(path); }
  void rename(const std::string& path, const std::string&) override { refuse(path); }
  void remove(const std::string& path) override { refuse(path); }
  void sync_folder(const std::string& path) override { refuse(path); }
  void make_folders(const std::string& path) override { refuse(path); }
  bool exists(const std::string&) override { return true; }
  bool is_folder(const std::string&) override { return false; }
  std::int64_t size(const std::string&) override { return static_cast<std::int64_t>(content.size()); }

 private:
  [[noreturn]] static void refuse(const std::string& path) { fail(Code::kIo, "{}: only reading is possible", path); }

  class Reading final : public File {
   public:
    explicit Reading(std::string content) : content_(std::move(content)) {}
    std::size_t read(std::span<std::byte> out) override {
      const std::size_t count = std::min(out.size(), content_.size() - at_);
      std::memcpy(out.data(), content_.data() + at_, count);
      at_ += count;
      return count;
    }
    void write(std::span<const std::byte>) override { refuse("memory"); }
    void sync() override {}
    void close() override {}

   private:
    std::string content_;
    std::size_t at_ = 0;
  };

  FileSystem* before_;
};

// Calls `read` on the file with every byte changed in eight ways and cut at every place; how often it gave rows.
template <class F>
std::int64_t read_damaged(const std::string& content, F&& read) {
  MemoryFileSystem files;
  std::int64_t read_well = 0;
  for (std::size_t at = 0; at < content.size(); ++at) {
    std::vector<std::string> damaged = {content.substr(0, at)};
    for (const char replacement : {'\0', '"', '\n', '{', ']', ',', '\xC3', '\xFF'}) {
      damaged.push_back(content);
      damaged.back()[at] = replacement;
    }
    for (const std::string& text : damaged) {
      files.content = text;
      try {
        read();
        ++read_well;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kData) << error.what();
        EXPECT_TRUE(std::string_view(error.what()).starts_with("a.")) << error.what();
      }
    }
  }
  return read_well;
}

std::int64_t read_damaged_table(const std::string& name, const std::string& content) {
  return read_damaged(content, [&] {
    TableReader reader(name);
    std::size_t bytes = 0;
    for (Row row; reader.next(row);) {
      for (const std::string_view cell : row.cells) bytes += std::string(cell).size();
    }
    EXPECT_LE(bytes, 8 * content.size());
  });
}

TEST(DamagedFile, ATableGivesRowsOrAnError) {
  EXPECT_GT(read_damaged_table("a.csv", "a,\"b\"\n\"x\"\"y\",\"1\n2\"\n3,4\n"), 40);
  EXPECT_GT(read_damaged_table("a.tsv", "a\t\"b\"\n\"x\"\"y\"\t\"1\n2\"\n\"3\" u\t4\n"), 40);
  EXPECT_GT(read_damaged_table("a.jsonl", "{\"a\": \"x\\u00e9\", \"b\": [1, {\"c\": 2}]}\n{\"a\": null, \"b\": {}}\n"),
            30);
  EXPECT_GT(read_damaged_table("a.txt", "__label__a b c\n__label__d e\n"), 40);
  EXPECT_GT(read_damaged_table("a.data", " 1 2  3\n4 5 NA\n"), 10);
}

TEST(DamagedFile, SequencesAreReadOrRefused) {
  const std::string ts = "# c\n@dimensions 2\n@seriesLength 2\n@classLabel true a b\n@data\n1,2:3,?:a\n4,5:6,7:b\n";
  EXPECT_GT(read_damaged(ts, [] { EXPECT_LE(read_sequences("a.ts").samples.size(), 2U); }), 40);
  EXPECT_GT(read_damaged("1\t2\t3\n2\t4\tNaN\n", [] { EXPECT_LE(read_sequences("a.tsv").samples.size(), 3U); }), 20);
}

}  // namespace
}  // namespace carousel
