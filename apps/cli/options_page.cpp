#include "options_page.h"

#include <fmt/format.h>

#include "tasks/options.h"

namespace carousel::cli {
namespace {

constexpr const char* kIntroduction = R"(# Options

This page is printed by `carousel config docs`; a test compares the two.

Every option has one name in four places. The learning rate, for example, is

| place | spelling |
| --- | --- |
| flag | `--lr 0.01` |
| TOML file, read with `--config FILE` | `[train]` and below it `lr = 0.01` |
| environment | `CAROUSEL_TRAIN_LR=0.01` |
| `--set` | `--set train.lr=0.01` |

Where several say something, the later one in this order wins: default, file, environment, `--set`, flag.
`carousel config show` prints what comes out, `carousel config check FILE` what is wrong with a file. `auto` means that
the task picks a value from the data and prints what it picked. Lists are `["a", "b"]` in TOML; as flags, files are
written one after another (`--data a b`) and columns with commas (`--target a,b`).
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '<') out += '\\';
    out += c;
  }
  return out;
}

std::string verbs_of(const Option& option) {
  std::string text;
  const auto add = [&](unsigned verb, const char* name) {
    if ((option.verbs & verb) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  };
  add(kTrain, "train");
  add(kEvaluate, "evaluate");
  add(kPredict, "predict");
  add(kCheck, "data check");
  return text;
}

std::string default_of(const Option& option) {
  std::string text;
  for (const std::string& value : option_values(Options(), option)) text += (text.empty() ? "" : ", ") + value;
  return text.empty() ? "none" : "`" + text + "`";
}

}  // namespace

std::string options_page() {
  std::string text = kIntroduction, section;
  for (const Option& option : option_table()) {
    if (option.section() != section) {
      section = option.section();
      text +=
          fmt::format("\n## [{}]\n\n| key | flag | type | default | values | commands | tasks | meaning |\n", section);
      text += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    }
    text += fmt::format("| `{}` | `{}` | {} | {} | {} | {} | {} | {} |\n", option.name(), option.flag(), option.type(),
                        default_of(option), option.values(), verbs_of(option),
                        option.tasks.empty() ? "all" : option.tasks, escaped(option.help));
  }
  return text;
}

}  // namespace carousel::cli
