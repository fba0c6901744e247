// Oracle: rows written out by hand, and what RFC 4180 says of quoted fields.
#include <gtest/gtest.h>

#include "base/gzip.h"
#include "data/table.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

using Cells = std::vector<std::string>;

struct Table {
  Cells columns;
  std::vector<Cells> rows;
  std::vector<std::int64_t> lines;
};

Table read_table(const std::string& path, const TableOptions& options = {}) {
  TableReader reader(path, options);
  Table table{reader.columns(), {}, {}};
  for (Row row; reader.next(row);) {
    table.rows.emplace_back(row.cells.begin(), row.cells.end());
    table.lines.push_back(row.line);
  }
  return table;
}

class TableFile : public testing::Test {
 protected:
  std::string put(const std::string& name, const std::string& content) {
    put_file(folder_ / name, content);
    return folder_ / name;
  }
  Table read(const std::string& name, const std::string& content, std::string_view format = "") {
    return read_table(put(name, content), parse_table_format(format));
  }
  void expect_refused(const std::string& name, const std::string& content,
                      std::initializer_list<std::string_view> words) {
    expect_error(Code::kData, words, [&] { read(name, content); });
  }

 private:
  TemporaryFolder folder_;
};

TEST_F(TableFile, QuotedFieldsHoldDelimitersMarksAndLineBreaks) {
  const Table table =
      read("a.csv", "label,text,n\n\"x,1\",\"say \"\"hi\"\"\",\"\"\ny,\"two\nlines\n\n\",3\nz,5\" disk,4");
  EXPECT_EQ(table.columns, (Cells{"label", "text", "n"}));
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0], (Cells{"x,1", "say \"hi\"", ""}));
  EXPECT_EQ(table.rows[1], (Cells{"y", "two\nlines\n\n", "3"}));
  EXPECT_EQ(table.rows[2], (Cells{"z", "5\" disk", "4"}));
  EXPECT_EQ(table.lines, (std::vector<std::int64_t>{2, 3, 7}));
}

TEST_F(TableFile, AFieldOfQuotationMarksOnlyIsUndoubled) {
  EXPECT_EQ(read("a.csv", "a,b\n\"\"\"\",\"\"\"\"\"\"\n").rows[0], (Cells{"\"", "\"\""}));
}

TEST_F(TableFile, ByteOrderMarkAndCrLfDisappear) {
  const Table table = read("a.csv", "\xEF\xBB\xBFlabel,text\r\nx,one\r\ny,\"two\r\nlines\"\r\n");
  EXPECT_EQ(table.columns, (Cells{"label", "text"}));
  EXPECT_EQ(table.rows, (std::vector<Cells>{{"x", "one"}, {"y", "two\nlines"}}));
}

TEST_F(TableFile, TheDelimiterOfCsvIsTheOneThatTheHeaderHasMostOfOutsideQuotes) {
  EXPECT_EQ(read("a.csv", "a;b;\"c,d,e,f\"\n1;2;3\n").columns, (Cells{"a", "b", "c,d,e,f"}));
  EXPECT_EQ(read("a.csv", "a\tb\n1\t2\n").columns, (Cells{"a", "b"}));
  EXPECT_EQ(read("a.csv", "alone\n1\n").columns, Cells{"alone"});
}

TEST_F(TableFile, WithoutHeaderTheColumnsAreNumbered) {
  const Table numbers = read("a.csv", "1,2.5,NA\n3,4,5\n");
  EXPECT_EQ(numbers.columns, (Cells{"c1", "c2", "c3"}));
  EXPECT_EQ(numbers.rows, (std::vector<Cells>{{"1", "2.5", "NA"}, {"3", "4", "5"}}));
  const Table texts = read("a.tsv", "ham\tgood day\nspam\tbuy\n", "tsv-no-header");
  EXPECT_EQ(texts.columns, (Cells{"c1", "c2"}));
  EXPECT_EQ(texts.rows[0], (Cells{"ham", "good day"}));
  EXPECT_EQ(texts.lines, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(TableFile, AnEmptyNameInTheHeaderIsNamedByItsPlace) {
  EXPECT_EQ(read("a.csv", "\"\", demand \n1,2\n").columns, (Cells{"c1", "demand"}));
}

TEST_F(TableFile, PlainTsvMayStartATextWithAQuotedWord) {
  const Table table = read("a.tsv", "label\ttext\nx\t\"Happy\" I know\ny\t\"in \"\"marks\"\"\"\n");
  EXPECT_EQ(table.rows[0][1], "\"Happy\" I know");
  EXPECT_EQ(table.rows[1][1], "in \"marks\"");
  EXPECT_EQ(read("a.tsv", "label\ttext\nx\t\"never closed\n", "tsv-no-quotes").rows[0][1], "\"never closed");
}

TEST_F(TableFile, PlainTsvDoesNotSwallowRowsBetweenTwoStrayMarks) {
  const std::string text = "label\ttext\nx\t\"one\ny\ttwo\nz\tthree\"\n";
  expect_refused("a.tsv", text,
                 {"a.tsv:2: the quoted field 2 holds tabs and runs to line 4", "--format tsv-no-quotes"});
  EXPECT_EQ(read("a.tsv", text, "tsv").rows, (std::vector<Cells>{{"x", "one\ny\ttwo\nz\tthree"}}));
  EXPECT_EQ(read("a.tsv", text, "tsv-no-quotes").rows.size(), 3U);
  EXPECT_EQ(read("a.tsv", "label\ttext\nx\t\"two\nlines\"\n").rows, (std::vector<Cells>{{"x", "two\nlines"}}));
}

TEST_F(TableFile, ColumnsBetweenRunsOfBlanksAreReadWithoutHeader) {
  const Table table = read("housing.data", " 0.006  18.00 \t 2.3\n 1 2 3  \n");
  EXPECT_EQ(table.columns, (Cells{"c1", "c2", "c3"}));
  EXPECT_EQ(table.rows, (std::vector<Cells>{{"0.006", "18.00", "2.3"}, {"1", "2", "3"}}));
  expect_refused("housing.data", "1 2 3\n1 2\n", {"housing.data:2: expected 3 fields (c1, c2, c3), got 2"});
}

TEST_F(TableFile, JsonLinesGiveColumnsInTheOrderOfTheFirstObject) {
  const Table table =
      read("a.jsonl",
           "{\"text\": \"a \\\"b\\\" \\u00e9\\n\", \"label\": \"x\", \"n\": 1.50, \"more\": {\"a\": [1, {}]}}\n"
           "{\"label\": true, \"more\": [\"text\"], \"text\": null}\n"
           "{\"n\": -3, \"label\": \"z\", \"text\": \"t\"}\n");
  EXPECT_EQ(table.columns, (Cells{"text", "label", "n"}));
  EXPECT_EQ(table.rows, (std::vector<Cells>{{"a \"b\" \xC3\xA9\n", "x", "1.50"}, {"", "true", ""}, {"t", "z", "-3"}}));
}

TEST_F(TableFile, JsonLinesNameTheKeyThatDoesNotFit) {
  expect_refused("a.jsonl", "{\"a\": 1}\n\n{\"a\": [2]}\n", {"a.jsonl:3: key 'a' holds an object or a list"});
  expect_refused("a.jsonl", "{\"a\": 1}\n{\"b\": 2}\n", {"a.jsonl:2: key 'b' does not occur in the first line"});
  expect_refused("a.jsonl", "{\"a\": 1, \"a\": 2}\n", {"a.jsonl:1: key 'a' occurs twice"});
  expect_refused("a.jsonl", "{\"a\": 1}\n{\"a\": 1\n", {"a.jsonl:2: expected a JSON object, found a fault at byte 8"});
  expect_refused("a.jsonl", "[1]\n", {"a.jsonl:1: expected a JSON object, got a list"});
  expect_refused("a.jsonl", "{}\n", {"a.jsonl:1: the object has no key"});
  const std::string path = put("b.jsonl", "{\"a\": 1, \"meta\": {\"label\": 1}}\n");
  expect_error(Code::kData, {"b.jsonl: key 'meta' holds an object or a list"},
               [&] { TableReader(path).column_index("meta"); });
}

TEST_F(TableFile, JsonNestedAMillionDeepIsRefusedOrReadWithoutHarm) {
  const std::string deep(1'000'000, '[');
  expect_refused("a.jsonl", "{\"a\": 1, \"b\": " + deep, {"a.jsonl:1: expected a JSON object"});
  EXPECT_EQ(read("a.jsonl", "{\"a\": 1, \"b\": " + deep + std::string(1'000'000, ']') + "}\n").columns, Cells{"a"});
}

TEST_F(TableFile, FastTextLinesGiveLabelAndText) {
  const Table table = read("train.txt", "__label__good a fine day\n\n__label__bad  rain \n");
  EXPECT_EQ(table.columns, (Cells{"label", "text"}));
  EXPECT_EQ(table.rows, (std::vector<Cells>{{"good", "a fine day"}, {"bad", "rain"}}));
  EXPECT_EQ(table.lines, (std::vector<std::int64_t>{1, 3}));
  expect_refused("train.txt", "__label__ text\n", {"train.txt:1: the label is empty"});
  expect_refused("train.txt", "__label__x a\nno label\n", {"train.txt:2: expected the line to start with __label__"});
  expect_refused("train.txt", "__label__x __label__y a\n", {"train.txt:1: expected one label per line"});
}

TEST_F(TableFile, BlankLinesArePassedOverAndCounted) {
  const std::string path = put("a.csv", "\n\na,b\n1,2\n  \n3,4\n\n");
  TableReader reader(path);
  Row row;
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 4);
  EXPECT_EQ(reader.blank_lines(), 2);
  ASSERT_TRUE(reader.next(row));
  EXPECT_EQ(row.line, 6);
  EXPECT_FALSE(reader.next(row));
  EXPECT_EQ(reader.blank_lines(), 4);
}

TEST_F(TableFile, RaggedRowsPassOnlyWhenAskedFor) {
  const std::string path = put("a.csv", "id,v1,v2\nA,1\nB,1,2,3\n");
  TableOptions options;
  options.ragged = true;
  EXPECT_EQ(read_table(path, options).rows, (std::vector<Cells>{{"A", "1"}, {"B", "1", "2", "3"}}));
  expect_error(Code::kData, {"a.csv:2: expected 3 fields (id, v1, v2), got 2"}, [&] { read_table(path); });
}

TEST_F(TableFile, FaultsAreNamedWithFileAndLine) {
  expect_refused("a.csv", "a,b\n1,2\n1,2,3\n", {"a.csv:3: expected 2 fields (a, b), got 3"});
  expect_refused("a.csv", "a,b\n1,\"2\n3,4\n", {"a.csv:2: the quotation mark that opens field 2 is never closed"});
  expect_refused("a.csv", "a,b\n\"1\n\"x,2\n", {"a.csv:3: text after the closing quotation mark of field 1", "'x,2'"});
  expect_refused("a.csv", "a,b,a\n1,2,3\n", {"a.csv:1: the header names column 'a' twice"});
  expect_refused("a.csv", "a,b\nok,caf\xE9 x\n", {"a.csv:2: invalid UTF-8 at byte 7 of the line (0xe9)"});
  expect_refused("a.csv", "", {"a.csv: the file is empty"});
  expect_refused("a.csv", "\n\n", {"a.csv: the file is empty"});
  expect_refused("a.bin", "just words\n", {"a.bin: neither the ending", "--format csv"});
  expect_refused("a.ts", "@data\n", {"a.ts: a .ts file holds sequences"});
}

TEST_F(TableFile, AMissingColumnIsNamedWithTheNearestAndAllThereAre) {
  const std::string path = put("reviews.csv", "label,review,stars\nx,good,3\n");
  const TableReader reader(path);
  EXPECT_EQ(reader.column_index("review"), 1);
  EXPECT_EQ(reader.column_index("stars"), 2);
  expect_error(Code::kData,
               {"reviews.csv: no column 'Reviews' (nearest: 'review'); the columns are: label, review, stars"},
               [&] { reader.column_index("Reviews"); });
  expect_error(Code::kData, {"reviews.csv: no column 'text'; the columns are: label", "--format csv-no-header"},
               [&] { reader.column_index("text"); });
}

TEST_F(TableFile, TheFormatIsRecognisedByEndingThenByFirstLine) {
  const auto format = [&](const std::string& name, const std::string& content) {
    return TableReader(put(name, content)).format();
  };
  EXPECT_EQ(format("a.CSV", "a\tb\n"), TableFormat::kCsv);
  EXPECT_EQ(format("a.tsv.gz", gzip_compress("a,b\n")), TableFormat::kTsv);
  EXPECT_EQ(format("a.jsonl.gz", gzip_compress("{\"a\":1}\n")), TableFormat::kJsonLines);
  EXPECT_EQ(format("a.txt", "{\"a\":1}\n"), TableFormat::kJsonLines);
  EXPECT_EQ(format("a.txt", "__label__x y\n"), TableFormat::kFastText);
  EXPECT_EQ(format("a.txt", "label\ttext, and more\n"), TableFormat::kTsv);
  EXPECT_EQ(format("a.txt", "label;text\n"), TableFormat::kCsv);
  EXPECT_EQ(format("a.txt", "1.5  2\n"), TableFormat::kSpace);
}

TEST_F(TableFile, AnUnknownFormatNameListsTheKnownOnes) {
  EXPECT_EQ(parse_table_format("csv-no-header-no-quotes").header, Header::kAbsent);
  EXPECT_FALSE(parse_table_format("csv-no-header-no-quotes").quotes);
  expect_error(Code::kUsage, {"format 'xml' is unknown", "csv, tsv", "jsonl, fasttext, lines, space"},
               [] { parse_table_format("xml"); });
  expect_error(Code::kUsage, {"format 'jsonl-no-header'"}, [] { parse_table_format("jsonl-no-header"); });
}

TEST_F(TableFile, ATruncatedGzipIsAnErrorThatNamesTheFile) {
  std::string text = "a,b\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919) + "," + std::to_string(i) + "\n";
  const std::string packed = gzip_compress(text);
  EXPECT_EQ(read_table(put("a.csv.gz", packed)).rows.size(), 20'000U);
  expect_error(Code::kData, {"a.csv.gz"}, [&] { read_table(put("a.csv.gz", packed.substr(0, packed.size() / 2))); });
}

TEST_F(TableFile, AFileThatIsNotThereIsAnInputOutputError) {
  expect_error(Code::kIo, {"nowhere.csv"}, [] { TableReader reader("nowhere.csv"); });
}

}  // namespace
}  // namespace carousel
