#include "row_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "carousel/error.h"

namespace carousel::cli {
namespace {

// Oracle: RFC 4180, section 2.
TEST(CsvLine, QuotesWhatNeedsIt) {
  EXPECT_EQ(csv_line({"a", "b c", "1.5"}), "a,b c,1.5");
  EXPECT_EQ(csv_line({"a,b", "say \"x\"", "two\nlines", ""}), "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",");
}

// Oracle: the types that the columns are declared to have.
TEST(JsonLine, NumbersAreNumbersExceptInColumnsOfNames) {
  EXPECT_EQ(json_line({"label", "p_1", "n", "x"}, {"1", "0.25", "7", "n/a"}),
            R"({"schema":1,"label":"1","p_1":0.25,"n":7,"x":"n/a"})");
  EXPECT_EQ(json_line({"x", "y"}, {"nan", ""}), R"({"schema":1,"x":"nan","y":null})");
}

// Oracle: any JSON parser must read the line, whatever bytes stand in a cell.
TEST(JsonLine, ReplacesBytesThatAreNotText) {
  const std::string line = json_line({"text"}, {"a\xff\"\n"});
  EXPECT_EQ(nlohmann::json::parse(line)["text"].get<std::string>(), "a\xEF\xBF\xBD\"\n");
}

// Oracle: the header that was given.
TEST(RowWriter, RefusesARowThatDoesNotFitTheHeader) {
  std::string text, notes;
  RowWriter writer(
      RowFormat::kCsv, [&](std::string_view line) { text += line; }, [&](std::string_view note) { notes += note; });
  writer.note("two columns");
  writer.header({"a", "b"});
  writer.row({"1", "2"});
  EXPECT_THROW(writer.row({"1"}), Error);
  EXPECT_EQ(text, "a,b\n1,2\n");
  EXPECT_EQ(notes, "two columns");
}

}  // namespace
}  // namespace carousel::cli
