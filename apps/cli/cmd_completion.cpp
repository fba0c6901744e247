
#include "base/json.h"
#include "command_line.h"
#include "commands.h"
#include "completion.h"
#include "console.h"

namespace carousel::cli {
namespace {

int run_completion(const CommandLine& line, Console& console) {
  const std::string shell = line.text("SHELL");
  const std::string script = shell == "bash"  ? bash_completion()
                             : shell == "zsh" ? zsh_completion()
                                              : fish_completion();
  if (console.json()) {
    console.out_json({{"schema", 1}, {"shell", shell}, {"script", script}});
  } else {
    console.out(script);
  }
  return 0;
}

}  // namespace

const Verb kCompletionVerb{
    .name = "completion",
    .purpose = "Set up",
    .usage = "bash|zsh|fish",
    .summary = "prints a script that completes commands and options in your shell",
    .examples = {"completion bash >> ~/.bashrc", "completion zsh > \"${fpath[1]}/_carousel\"",
                 "completion fish > ~/.config/fish/completions/carousel.fish"},
    .arguments =
        [] {
          return std::vector<Argument>{
              {.name = "SHELL", .help = "your shell", .allowed = {"bash", "zsh", "fish"}, .required = true}};
        },
    .run = run_completion};

}  // namespace carousel::cli
