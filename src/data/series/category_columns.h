// category_columns.h: past and future columns of text, as columns of 1 and 0 (CategoryColumn of series.h).
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/series/series_split.h"

namespace carousel {

// The texts of one column of a file as they are read. Used by read_series only.
class CategoryCodes {
 public:
  CategoryCodes() = default;                            // every text is a category
  explicit CategoryCodes(const CategoryColumn& known);  // no other texts are

  // The code of a text; -1 if it is no category. `column` is its name. Throws Error{kData} with path and line if there
  // are more than 200.
  double code(const std::string& text, const std::string& path, std::int64_t line, const std::string& column);
  std::vector<std::string> categories() const;
  // Appends the numbers of a code: 1 for its category and 0 for the others, or what is missing (NaN).
  void append(double code, std::vector<double>& values) const;
  // A note on texts that are no category; empty if there are none.
  std::string note(const std::string& column) const;

 private:
  std::map<std::string, std::int64_t> codes_;
  bool known_ = false;
  std::int64_t unseen_ = 0;
  std::string first_unseen_;
};

// Takes away the columns of categories that no training part has, since nothing can be learnt of them; their names.
std::vector<std::string> drop_untrained_categories(std::vector<Series>& series, std::span<const SeriesSplit> splits,
                                                   std::vector<CategoryColumn>& categories);

}  // namespace carousel
