#include "completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "verb.h"

namespace carousel::cli {
namespace {

std::string verb_names() {
  std::vector<std::string_view> names;
  for (const Verb* verb : all_verbs()) names.push_back(verb->name);
  return fmt::format("{}", fmt::join(names, " "));
}

// The values of the verb's positionals: what may follow its name beside flags and files.
std::string positional_values(const std::vector<Argument>& arguments) {
  std::string values;
  for (const Argument& argument : arguments) {
    if (argument.is_flag()) continue;
    for (const std::string& value : argument.allowed) values += (values.empty() ? "" : " ") + value;
  }
  return values;
}

// Inside single quotes of a shell script.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_case(const Verb& verb) {
  const std::vector<Argument> arguments = every_argument(verb);
  std::string flags, values;
  for (const Argument& argument : arguments) {
    if (!argument.is_flag()) continue;
    flags += (flags.empty() ? "" : " ") + argument.name;
    if (argument.allowed.empty()) continue;
    values += fmt::format("        {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")); return ;;\n", argument.name,
                          fmt::join(argument.allowed, " "));
  }
  std::string text = fmt::format("    {})\n", verb.name);
  if (!values.empty()) text += "      case \"$before\" in\n" + values + "      esac\n";
  return text + fmt::format("      words=\"{}\"; flags=\"{}\" ;;\n", positional_values(arguments), flags);
}

}  // namespace

std::string bash_completion() {
  std::string text = R"(# bash completion for carousel: source <(carousel completion bash)
_carousel() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words="" flags=""
  if [ "$COMP_CWORD" -eq 1 ]; then
)";
  text += fmt::format("    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$word\")); return\n", verb_names());
  text += "  fi\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const Verb* verb : all_verbs()) text += bash_case(*verb);
  return text + R"(  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _carousel carousel
)";
}

std::string zsh_completion() {
  std::string text = R"(#compdef carousel
# zsh completion for carousel: carousel completion zsh > "${fpath[1]}/_carousel"
_carousel() {
  if (( CURRENT == 2 )); then
    local -a verbs=(
)";
  for (const Verb* verb : all_verbs()) {
    text += fmt::format("      {}\n", shell_quoted(fmt::format("{}:{}", verb->name, verb->summary)));
  }
  text += "    )\n    _describe command verbs\n    return\n  fi\n  case \"${words[2]}\" in\n";
  for (const Verb* verb : all_verbs()) {
    const std::vector<Argument> arguments = every_argument(*verb);
    text += fmt::format("    {})\n      case \"${{words[CURRENT-1]}}\" in\n", verb->name);
    std::string flags;
    for (const Argument& argument : arguments) {
      if (!argument.is_flag()) continue;
      flags += " " + argument.name;
      if (!argument.allowed.empty()) {
        text += fmt::format("        {}) compadd -- {}; return ;;\n", argument.name, fmt::join(argument.allowed, " "));
      }
    }
    text += fmt::format("      esac\n      compadd -- {}{}\n      _files ;;\n", positional_values(arguments), flags);
  }
  return text + "  esac\n}\n_carousel \"$@\"\n";
}

std::string fish_completion() {
  std::string text = "# fish completion for carousel: carousel completion fish | source\n";
  for (const Verb* verb : all_verbs()) {
    text += fmt::format("complete -c carousel -n __fish_use_subcommand -a {} -d {}\n", verb->name,
                        shell_quoted(verb->summary));
  }
  for (const Verb* verb : all_verbs()) {
    const std::vector<Argument> arguments = every_argument(*verb);
    const std::string start = fmt::format("complete -c carousel -n '__fish_seen_subcommand_from {}'", verb->name);
    const std::string values = positional_values(arguments);
    if (!values.empty()) text += fmt::format("{} -a '{}'\n", start, values);
    for (const Argument& argument : arguments) {
      if (!argument.is_flag()) continue;
      text += fmt::format("{} -l {}", start, argument.name.substr(2));
      if (argument.letter != 0) text += fmt::format(" -s {}", argument.letter);
      if (!argument.is_switch()) text += " -r";
      if (!argument.allowed.empty()) text += fmt::format(" -f -a '{}'", fmt::join(argument.allowed, " "));
      text += fmt::format(" -d {}\n", shell_quoted(argument.help));
    }
  }
  return text;
}

}  // namespace carousel::cli
