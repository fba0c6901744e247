#include "tasks/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "carousel/error.h"

namespace carousel {
namespace {

const Option& option(std::string_view key) {
  const Option* found = find_option(key);
  EXPECT_NE(found, nullptr) << key;
  return *found;
}

std::string message_of(std::string_view key, const std::vector<std::string>& values, const std::string& place) {
  Options options;
  try {
    assign(options, option(key), values, place);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUsage);
    return error.what();
  }
  return "no error";
}

// Oracle: the rule that one word names one option everywhere.
TEST(OptionTable, EveryKeyFlagAndVariableIsThereOnce) {
  std::set<std::string> names;
  for (const Option& entry : option_table()) {
    EXPECT_TRUE(names.insert(std::string(entry.key)).second) << entry.key;
    EXPECT_TRUE(names.insert(entry.flag()).second) << entry.flag();
    EXPECT_TRUE(names.insert(entry.environment()).second) << entry.environment();
    EXPECT_FALSE(entry.help.empty()) << entry.key;
  }
}

// Oracle: the fields of Options counted by their size; a field without an entry makes the structs larger than the sum.
TEST(OptionTable, EveryEntryHasAFieldOfItsOwn) {
  Options options;
  std::set<const void*> fields;
  for (const Option& entry : option_table()) {
    std::visit([&](auto* field) { EXPECT_TRUE(fields.insert(field).second) << entry.key; }, entry.field(options));
  }
  EXPECT_EQ(fields.size(), option_table().size());
}

// Oracle: reading a value back gives what was written, for every option and its default.
TEST(OptionTable, EveryDefaultCanBeWrittenAndReadAgain) {
  for (const Option& entry : option_table()) {
    Options options;
    const std::vector<std::string> values = option_values(Options(), entry);
    assign(options, entry, values, "test");
    EXPECT_EQ(option_values(options, entry), values) << entry.key;
    EXPECT_TRUE(options.is_given(entry.key));
  }
}

// Oracle: the bounds of the entry itself, tried from both sides.
TEST(OptionTable, EveryRangeIncludesItsEndsAndNothingBeyond) {
  for (const Option& entry : option_table()) {
    if (entry.type() != "integer" && entry.type() != "number") continue;
    for (const double end : {entry.low, entry.high}) {
      ASSERT_TRUE(std::isfinite(end)) << entry.key;
      const std::string text = entry.type() == "integer" ? std::to_string(static_cast<std::int64_t>(end))
                                                         : option_values(
                                                               [&] {
                                                                 Options options;
                                                                 *std::get<double*>(entry.field(options)) = end;
                                                                 return options;
                                                               }(),
                                                               entry)[0];
      Options options;
      EXPECT_NO_THROW(assign(options, entry, {text}, "test")) << entry.key << " " << text;
    }
    EXPECT_NE(message_of(entry.key, {std::to_string(static_cast<std::int64_t>(entry.high) + 1)}, "--x"), "no error");
    // The number that stands for "auto" in the options, as 0 for a size, is none that a user may give.
    EXPECT_NE(message_of(entry.key, {std::to_string(static_cast<std::int64_t>(entry.low) - 1)}, "--x"), "no error")
        << entry.key;
  }
}

// Oracle: written out by hand.
TEST(Assign, MessagesNamePlaceValueAndWhatWasExpected) {
  EXPECT_EQ(message_of("train.epochs", {"many"}, "--epochs"),
            "--epochs is 'many', expected a whole number from 1 to 1000000, or auto");
  EXPECT_EQ(message_of("model.dropout", {"2"}, "run.toml:3:7"),
            "run.toml:3:7: model.dropout is '2', expected a number from 0 to 0.95, or auto");
  EXPECT_EQ(
      message_of("train.optimizer", {"adma"}, "CAROUSEL_TRAIN_OPTIMIZER"),
      "CAROUSEL_TRAIN_OPTIMIZER is 'adma', expected one of sgd, adam, adamw, rmsprop, adagrad, or auto, did you mean "
      "adam?");
  EXPECT_EQ(message_of("output.force", {"yes"}, "--set output.force"),
            "--set output.force is 'yes', expected true or false");
  EXPECT_EQ(message_of("train.max_memory", {"2 bananas"}, "--max-memory"),
            "--max-memory is '2 bananas', expected a number with a unit, as 512MB, 2GB or 1GiB");
  EXPECT_EQ(message_of("train.lr", {"0.1", "0.2"}, "--lr"), "--lr has 2 values, expected one");
}

// Oracle: written out by hand.
TEST(SplitEntries, SplitsColumnsAtCommasAndLeavesPathsWhole) {
  EXPECT_EQ(split_entries(option("data.target"), {"a,b", "c"}), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(split_entries(option("data.target"), {"a,"}), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(split_entries(option("data.data"), {"a,b.csv"}), (std::vector<std::string>{"a,b.csv"}));
}

// Oracle: slips of the pen whose correction is plain to a reader.
TEST(SuggestKey, FindsTheKeyThatWasMeant) {
  EXPECT_EQ(suggest_key("train.lrr"), ", did you mean train.lr?");
  EXPECT_EQ(suggest_key("lr"), ", did you mean train.lr?");
  EXPECT_EQ(suggest_key("train.hidden_size"), ", did you mean model.hidden_size?");
  EXPECT_EQ(suggest_key("model.hiden_szie"), ", did you mean model.hidden_size?");
  EXPECT_EQ(suggest_key("qwertyuiop"), "");
}

// Oracle: the table's own list of tasks.
TEST(AppliesTo, MatchesWholeNamesOfTasksOnly) {
  EXPECT_TRUE(option("data.target").applies_to("regress"));
  EXPECT_FALSE(option("data.target").applies_to("classify"));
  EXPECT_FALSE(option("data.target").applies_to("cast"));
  EXPECT_TRUE(option("train.lr").applies_to("anything"));
}

}  // namespace
}  // namespace carousel
