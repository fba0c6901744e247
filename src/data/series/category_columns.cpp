#include "data/series/category_columns.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "data/nearest.h"

namespace carousel {

std::vector<std::string> CategoryColumn::columns() const {
  std::vector<std::string> names;
  for (const std::string& category : categories) names.push_back(name + " = " + category);
  return names;
}

CategoryCodes::CategoryCodes(const CategoryColumn& known) : known_(true) {
  for (const std::string& category : known.categories) codes_.try_emplace(category, std::ssize(codes_));
}

double CategoryCodes::code(const std::string& text, const std::string& path, std::int64_t line,
                           const std::string& column) {
  constexpr std::int64_t kMost = 200;
  const auto found = codes_.find(text);
  if (found != codes_.end()) return static_cast<double>(found->second);
  if (known_) {
    if (unseen_++ == 0) first_unseen_ = fmt::format("'{}' in line {}", shortened(text), line);
    return -1;
  }
  if (std::ssize(codes_) == kMost) {
    fail(Code::kData, "{}:{}: column '{}' holds more than {} different texts, the last one '{}'; leave it out", path,
         line, column, kMost, shortened(text));
  }
  return static_cast<double>(codes_.emplace(text, std::ssize(codes_)).first->second);
}

std::vector<std::string> CategoryCodes::categories() const {
  std::vector<std::string> names;
  for (const auto& [text, code] : codes_) names.push_back(text);
  return names;
}

void CategoryCodes::append(double code, std::vector<double>& values) const {
  for (const auto& [text, its_code] : codes_) {
    values.push_back(std::isnan(code) ? code : code == static_cast<double>(its_code) ? 1 : 0);
  }
}

std::string CategoryCodes::note(const std::string& column) const {
  if (unseen_ == 0) return "";
  return fmt::format("column '{}': {} {} of no category known, the first {}: 0 in all of its columns", column, unseen_,
                     unseen_ == 1 ? "text" : "texts", first_unseen_);
}

std::vector<std::string> drop_untrained_categories(std::vector<Series>& series, std::span<const SeriesSplit> splits,
                                                   std::vector<CategoryColumn>& categories) {
  std::vector<std::string> dropped;
  const auto is_trained = [&](const std::string& name) {
    const std::int64_t c = column_positions(series.front(), std::span(&name, 1)).front();
    for (std::size_t k = 0; k < series.size(); ++k) {
      for (std::int64_t t = splits[k].train.begin(); t < splits[k].train.end(); ++t) {
        if (series[k].at(t, c) == 1) return true;
      }
    }
    return false;
  };
  for (CategoryColumn& column : categories) {
    std::erase_if(column.categories, [&](const std::string& category) {
      const std::string name = CategoryColumn{column.name, {category}}.columns().front();
      if (is_trained(name)) return false;
      dropped.push_back(name);
      return true;
    });
  }
  if (dropped.empty()) return dropped;
  const auto is_dropped = [&](const std::string& name) { return std::ranges::count(dropped, name) > 0; };
  for (Series& one : series) {
    std::vector<double> values;
    for (std::size_t i = 0; i < one.values.size(); ++i) {
      if (!is_dropped(one.columns[i % one.columns.size()])) values.push_back(one.values[i]);
    }
    one.values = std::move(values);
    std::erase_if(one.columns, is_dropped);
  }
  return dropped;
}

}  // namespace carousel
