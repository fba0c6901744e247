#include "command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "base/fail.h"
#include "data/text/utf8.h"
#include "tasks/options.h"

namespace carousel::cli {
namespace {

constexpr int kMostValues = 1 << 20;  // of one list; below the count from which CLI11 reads [a,b] as a list

[[noreturn]] void fail_unknown(const Verb& verb, const std::vector<Argument>& arguments, const std::string& word) {
  if (word == "true" || word == "false") {
    fail(Code::kUsage, "unexpected argument '{0}': a switch has its value behind '=', as in --bidirectional={0}", word);
  }
  if (!word.starts_with("-") || word == "-") {
    fail(Code::kUsage, "unexpected argument '{}' (carousel {} --help shows the usage)", word, verb.name);
  }
  const std::string flag = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const Argument& argument : arguments) {
    if (argument.is_flag()) known.push_back(argument.name);
  }
  std::string hint = did_you_mean(flag, known);
  if (hint.empty()) hint = fmt::format(" (carousel {} --help lists the options)", verb.name);
  fail(Code::kUsage, "unknown option {}{}", flag, hint);
}

void add_argument(CLI::App& app, const Argument& argument) {
  const std::string names =
      argument.letter == 0 ? argument.name : fmt::format("-{},{}", argument.letter, argument.name);
  if (argument.is_switch()) {
    app.add_flag(names)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    return;
  }
  CLI::Option* option = app.add_option(names);
  option->type_size(1);
  if (argument.many) {
    option->expected(1, kMostValues)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  } else {
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  }
}

void check_values(const Argument& argument, const std::vector<std::string>& values) {
  if (values.size() > 1 && !argument.many && !argument.repeat) {
    fail(Code::kUsage, "{} is given {} times, expected once", argument.name, values.size());
  }
  for (const std::string& value : values) {
    const auto bad_byte = argument.value == "TEXT" ? find_invalid_utf8(value) : std::nullopt;
    if (bad_byte) {
      fail(Code::kData, "{}: not UTF-8 at byte {} (0x{:02x})", argument.name, *bad_byte + 1,
           static_cast<unsigned char>(value[static_cast<std::size_t>(*bad_byte)]));
    }
    const auto& allowed = argument.allowed;
    const auto fits = [&](const std::string& one) { return is_value(value, one); };
    if (allowed.empty() || std::any_of(allowed.begin(), allowed.end(), fits)) continue;
    fail(Code::kUsage, "{} is '{}', expected one of {}{}", argument.name, value, fmt::join(allowed, ", "),
         did_you_mean(value, allowed));
  }
}

// A list such as --data takes every word up to the next flag, also a positional that was meant to follow it.
std::string missing_hint(const std::vector<Argument>& arguments, const CommandLine& line) {
  for (const Argument& argument : arguments) {
    if (argument.is_flag() && argument.many && line.texts(argument.name).size() > 1) {
      return fmt::format(" (write it before {})", argument.name);
    }
  }
  return {};
}

}  // namespace

bool CommandLine::is_on(std::string_view name) const {
  const auto found = values_.find(name);
  return found != values_.end() && found->second.back() != "false";
}

std::string CommandLine::text(std::string_view name, std::string_view fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(fallback) : found->second.back();
}

std::vector<std::string> CommandLine::texts(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::int64_t CommandLine::integer(std::string_view name, std::int64_t low, std::int64_t high,
                                  std::int64_t fallback) const {
  if (!has(name)) return fallback;
  const std::string word = text(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value < low || value > high) {
    fail(Code::kUsage, "{} is '{}', expected a whole number from {} to {}", name, word, low, high);
  }
  return value;
}

double CommandLine::number(std::string_view name, double low, double high, double fallback) const {
  if (!has(name)) return fallback;
  const std::string word = text(name);
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !(value >= low && value <= high)) {
    fail(Code::kUsage, "{} is '{}', expected a number from {} to {}", name, word, low, high);
  }
  return value;
}

CommandLine parse_command_line(const Verb& verb, const std::vector<std::string>& words) {
  const std::vector<Argument> arguments = every_argument(verb);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const Argument& argument : arguments) add_argument(app, argument);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();
    fail(Code::kUsage, "{} needs a value", text.substr(0, text.find(':')));
  } catch (const CLI::ParseError& error) {
    fail(Code::kUsage, "{}", error.what());
  }
  const std::vector<std::string> extras = app.remaining();
  const auto flag = std::find_if(extras.begin(), extras.end(), [](const auto& word) { return word.starts_with("-"); });
  if (!extras.empty()) fail_unknown(verb, arguments, flag == extras.end() ? extras.front() : *flag);

  CommandLine line;
  for (const Argument& argument : arguments) {
    const CLI::Option* option = app.get_option(argument.name);
    if (option->count() > 0) line.set(argument.name, option->results());
  }
  if (line.is_on("--help")) return line;
  for (const Argument& argument : arguments) {
    check_values(argument, line.texts(argument.name));
    if (argument.required && !line.has(argument.name)) {
      fail(Code::kUsage, "{} is missing{} (usage: carousel {} {})", argument.name, missing_hint(arguments, line),
           verb.name, verb.usage);
    }
  }
  return line;
}

}  // namespace carousel::cli
