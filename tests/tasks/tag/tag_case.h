// tag_case.h: sentences with tags that a rule made, for the tests of the tag task: behind "from" a city is a
// start, behind "to" an end.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/fail.h"
#include "base/random.h"
#include "carousel/model.h"
#include "tasks/tag/tag.h"
#include "tests/support/temporary_folder.h"

namespace carousel {

struct Sentences {
  explicit Sentences(int count) {
    const char* const kCities[][2] = {{"boston", ""}, {"new", "york"}, {"denver", ""}, {"san", "jose"}};
    std::string tokens, tags, intents;
    for (int n = 0; n < count; ++n) {
      const auto draw = [&](std::uint64_t what, std::uint64_t bound) {
        return uniform_below({3, Purpose::kTest, static_cast<std::uint64_t>(n)}, what, bound);
      };
      const bool ask = draw(0, 2) == 0;
      tokens += ask ? "which flights go" : "please book";
      tags += ask ? "O O O" : "O O";
      for (std::uint64_t k = 0; k < 1 + draw(1, 2); ++k) {
        const bool from = draw(4 + k, 2) == 0;
        const auto& city = kCities[draw(8 + k, 4)];
        const std::string type = from ? "start" : "end";
        tokens += std::string(from ? " from " : " to ") + city[0] + (*city[1] ? std::string(" ") + city[1] : "");
        tags += " O B-" + type + (*city[1] ? " I-" + type : "");
      }
      tokens += '\n';
      tags += '\n';
      intents += ask ? "ask\n" : "book\n";
    }
    put_file(folder / "in", tokens);
    put_file(folder / "out", tags);
    put_file(folder / "intents", intents);
  }
  Options options() const {
    Options o;
    o.data.data = {folder / "in"};
    o.data.tags = {folder / "out"};
    o.model.hidden_size = 8;
    o.model.embedding_size = 8;
    o.model.dropout = 0.1;
    o.train.epochs = 8;
    o.train.lr = 0.02;
    o.output.out = folder / "model.safetensors";
    return o;
  }
  TemporaryFolder folder;
};

inline double value_of(const Metrics& metrics, std::string_view name) {
  const double* value = find_metric(metrics, name);
  return value ? *value : NAN;
}

struct Notes final : Observer {
  void note(const std::string& line) override { lines.push_back(line); }
  bool have(const std::string& line) const { return std::find(lines.begin(), lines.end(), line) != lines.end(); }
  std::vector<std::string> lines;
};

struct Rows final : RowSink {
  void note(const std::string& line) override { notes.push_back(line); }
  void header(const std::vector<std::string>& names) override { columns = names; }
  void row(const std::vector<std::string>& cells) override {
    for (std::size_t k = 0; k < cells.size(); ++k) by_column[columns[k]].push_back(cells[k]);
  }
  std::vector<std::string> columns, notes;
  std::map<std::string, std::vector<std::string>> by_column;
};

inline Rows rows_for(const Model& model, Options options, const std::string& path, const std::string& content) {
  put_file(path, content);
  options.data.data = {path};
  options.data.tags.clear();
  options.data.intents.clear();
  Rows rows;
  tag_task().predict(model, options, rows);
  return rows;
}

}  // namespace carousel
