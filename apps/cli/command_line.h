// command_line.h: the words behind the verb, parsed by its list of arguments.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verb.h"

namespace carousel::cli {

// What was given for each argument of the verb. Names are those of Argument::name.
class CommandLine {
 public:
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  bool is_on(std::string_view name) const;  // a switch that was given (and not as --name=false)
  std::string text(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::string> texts(std::string_view name) const;
  // Throws Error{kUsage} that names the argument if the text is no whole number from low to high.
  std::int64_t integer(std::string_view name, std::int64_t low, std::int64_t high, std::int64_t fallback) const;
  double number(std::string_view name, double low, double high, double fallback) const;  // the same for any number
  void set(const std::string& name, std::vector<std::string> values) { values_[name] = std::move(values); }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// Throws Error{kUsage}: unknown flag (with the nearest one), missing or surplus value, value that is not allowed,
// missing positional. Throws Error{kData} for a text that is not UTF-8. With --help only the flags are checked.
CommandLine parse_command_line(const Verb& verb, const std::vector<std::string>& words);

}  // namespace carousel::cli
