#include "tasks/config.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "carousel/error.h"
#include "tests/support/temporary_folder.h"

namespace carousel {
namespace {

// The configuration of a file with this text.
Config config_from(const std::string& text) {
  const TemporaryFolder folder;
  put_file(folder / "config.toml", text);
  return load_config({.file = folder / "config.toml"});
}

// Oracle: the other road: the configuration that was written out.
TEST(ConfigToml, ReadsBackWhatItWrote) {
  Config config;
  config.task = "classify";
  config.version = "9.8.7";
  config.data_sha256 = {{"a \"quoted\"\\path\n.csv", "0123"}};
  assign(config.options, *find_option("data.data"), {"a \"quoted\"\\path\n.csv", "b.csv"}, "--data");
  assign(config.options, *find_option("train.lr"), {"0.1"}, "--lr");
  assign(config.options, *find_option("model.bidirectional"), {"true"}, "--bidirectional");
  assign(config.options, *find_option("train.seed"), {"9000000000000000"}, "--seed");
  const Config again = config_from(config_to_toml(config, {}));
  EXPECT_EQ(again.task, "classify");
  EXPECT_EQ(again.version, "9.8.7");
  EXPECT_EQ(again.data_sha256, config.data_sha256);
  for (const Option& option : option_table()) {
    if (!option.applies_to("classify")) continue;
    EXPECT_EQ(option_values(again.options, option), option_values(config.options, option)) << option.key;
  }
}

// Oracle: the default, as Options has it; every number that double holds must survive text.
TEST(ConfigToml, NumbersKeepTheirBits) {
  Config config;
  config.options.train.lr = 0.1 + 0.2;
  const Config again = config_from(config_to_toml(config, {}));
  EXPECT_EQ(again.options.train.lr, 0.1 + 0.2);
}

// Oracle: hostile files must end in an Error, never in anything else.
TEST(LoadConfig, RefusesFilesThatAreNoConfiguration) {
  const std::string deep(100000, '[');
  for (const std::string& text : {std::string("data = 3"), std::string("task = 1"), std::string("[[train]]\nlr = 1"),
                                  std::string("[train]\nlr = 1\nlr = 2"), std::string("[data]\ndata = [1]"),
                                  std::string("[run]\nseed = 1"), std::string("\xff\xfe"), "x = " + deep,
                                  std::string("[train]\nlr = inf"), std::string("[train]\nepochs = 1e3")}) {
    EXPECT_THROW(config_from(text), Error) << text.substr(0, 40);
  }
}

// Oracle: the rule that options of another task are refused, except from the environment, which several runs share.
TEST(CheckOptionsFitTask, NamesThePlaceOfAnOptionOfAnotherTask) {
  Options options;
  assign(options, *find_option("data.horizon"), {"3"}, "CAROUSEL_DATA_HORIZON");
  EXPECT_NO_THROW(check_options_fit_task(options, "classify"));
  assign(options, *find_option("data.horizon"), {"3"}, "run.toml:2:1");
  EXPECT_NO_THROW(check_options_fit_task(options, "forecast"));
  try {
    check_options_fit_task(options, "classify");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "run.toml:2:1: data.horizon has no meaning for classify, only for forecast");
  }
}

}  // namespace
}  // namespace carousel
