// table_format.h: which form a table has, by the ending of its name and its first line.
#pragma once

#include <string>
#include <string_view>

#include "data/table.h"

namespace carousel {

// The ending of the file name in lower case without ".gz": "csv" of "a/b.CSV.gz"; "" if there is none.
std::string file_ending(std::string_view path);

// `options.otherwise` if neither ending nor first line tells. Throws Error{kData} that says what to do where that is
// kAuto, and for a file that is no table.
TableFormat recognise_table(const std::string& path, std::string_view first_line, const TableOptions& options);

// Of ',' ';' and tab the one that stands most often outside quotation marks; ',' if there is none.
char recognise_delimiter(std::string_view first_line);

}  // namespace carousel
