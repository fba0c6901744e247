#include "tasks/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "cells/cell.h"
#include "cells/cell_program.h"
#include "data/nearest.h"

namespace carousel {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A default-made Options to look fields up in; the table's accessors want a mutable one.
Options& defaults() {
  static thread_local Options options;
  return options;
}

bool is_integer(const Option& option) { return std::holds_alternative<std::int64_t*>(option.field(defaults())); }
bool is_number(const Option& option) { return std::holds_alternative<double*>(option.field(defaults())); }
bool is_bool(const Option& option) { return std::holds_alternative<bool*>(option.field(defaults())); }

std::string range_text(const Option& option) {
  if (option.low == -kInfinity && option.high == kInfinity) return {};
  if (option.high == kInfinity) return fmt::format("at least {}", option.low);
  return fmt::format("{} to {}", option.low, option.high);
}

std::string expectation(const Option& option) {
  std::string text;
  if (is_integer(option) || is_number(option)) {
    const std::string range = range_text(option);
    text = is_integer(option) ? "a whole number" : "a number";
    if (!range.empty()) text += (option.high == kInfinity ? ", " : " from ") + range;
  } else if (is_bool(option)) {
    text = "true or false";
  } else if (option.memory_size) {
    text = "a number with a unit, as 512MB, 2GB or 1GiB";
  } else {
    text = fmt::format("one of {}", fmt::join(option.allowed, ", "));
  }
  return option.automatic ? text + ", or auto" : text;
}

// "--lr", "CAROUSEL_TRAIN_LR" and "--set train.lr" name the option themselves; a place in a file does not.
std::string subject(const Option& option, const std::string& place) {
  const bool names_it = place.starts_with("--") || place.starts_with("CAROUSEL_");
  return names_it ? place : fmt::format("{}: {}", place, option.key);
}

[[noreturn]] void reject(const Option& option, const std::string& value, const std::string& place) {
  std::vector<std::string> allowed(option.allowed.begin(), option.allowed.end());
  fail(Code::kUsage, "{} is '{}', expected {}{}", subject(option, place), value, expectation(option),
       did_you_mean(value, allowed));
}

template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

template <class T>
void assign_number(const Option& option, T& field, const std::string& text, const std::string& place) {
  T value{};
  if (!parse(text, value)) reject(option, text, place);
  const double number = static_cast<double>(value);
  if (!(number >= option.low && number <= option.high && std::isfinite(number))) {
    reject(option, text, place);
  }
  field = value;
}

void assign_text(const Option& option, std::string& field, const std::string& text, const std::string& place) {
  const bool is_default = text == *std::get<std::string*>(option.field(defaults()));
  const auto& allowed = option.allowed;
  if (!is_default && option.memory_size && !parse_memory_size(text)) reject(option, text, place);
  const auto fits = [&](std::string_view value) { return is_value(text, value); };
  if (!is_default && !allowed.empty() && std::none_of(allowed.begin(), allowed.end(), fits)) {
    reject(option, text, place);
  }
  if (option.key == "model.cell" && text.starts_with(kExpressionPrefix)) find_cell(text);  // throws if it is wrong
  field = text;
}

struct Assign {
  const Option& option;
  const std::vector<std::string>& values;
  const std::string& place;

  void operator()(std::vector<std::string>* field) const {
    for (const std::string& entry : values) {
      if (entry.empty()) fail(Code::kUsage, "{} has an empty entry", subject(option, place));
    }
    *field = values;
  }
  void operator()(bool* field) const {
    if (values[0] != "true" && values[0] != "false") reject(option, values[0], place);
    *field = values[0] == "true";
  }
  void operator()(std::int64_t* field) const { assign_number(option, *field, values[0], place); }
  void operator()(double* field) const { assign_number(option, *field, values[0], place); }
  void operator()(std::string* field) const { assign_text(option, *field, values[0], place); }
};

}  // namespace

std::string Option::flag() const {
  std::string text = "--" + std::string(name());
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string Option::environment() const {
  std::string text = "CAROUSEL_" + std::string(key);
  for (char& c : text) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

bool is_value(std::string_view text, std::string_view allowed) {
  constexpr std::string_view kMore = "...";
  if (!allowed.ends_with(kMore)) return text == allowed;
  return text.starts_with(allowed.substr(0, allowed.size() - kMore.size()));
}

std::string Option::type() const {
  if (is_integer(*this)) return "integer";
  if (is_number(*this)) return "number";
  if (is_switch()) return "true or false";
  return is_list() ? "list" : "text";
}

std::string Option::values() const {
  if (is_switch()) return {};
  if (is_integer(*this) || is_number(*this)) return range_text(*this);
  return memory_size ? "512MB, 2GB, 1GiB ..." : fmt::format("{}", fmt::join(allowed, ", "));
}

bool Option::is_switch() const {
  return is_bool(*this) || (allowed.size() == 2 && allowed[0] == "true" && allowed[1] == "false");
}

bool Option::is_list() const { return std::holds_alternative<std::vector<std::string>*>(field(defaults())); }

bool Option::applies_to(std::string_view task) const {
  return tasks.empty() || fmt::format(",{},", tasks).find(fmt::format(",{},", task)) != std::string::npos;
}

const Option* find_option(std::string_view key) {
  for (const Option& option : option_table()) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string candidate = nearest_word(word, known);
  return candidate.empty() ? std::string() : ", did you mean " + candidate + "?";
}

std::string suggest_key(std::string_view key) {
  std::vector<std::string> keys, names;
  for (const Option& option : option_table()) {
    keys.emplace_back(option.key);
    names.emplace_back(option.name());
  }
  const std::string whole = did_you_mean(key, keys);
  const std::string name = nearest_word(key.substr(key.rfind('.') + 1), names);
  if (!whole.empty() || name.empty()) return whole;
  const auto index = std::find(names.begin(), names.end(), name) - names.begin();
  return fmt::format(", did you mean {}?", keys[static_cast<std::size_t>(index)]);
}

std::optional<std::int64_t> parse_memory_size(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {{"kB", 1e3},       {"MB", 1e6},       {"GB", 1e9},
                                                            {"TB", 1e12},      {"KiB", 0x1.0p10}, {"MiB", 0x1.0p20},
                                                            {"GiB", 0x1.0p30}, {"TiB", 0x1.0p40}};
  for (const auto& [unit, factor] : kUnits) {
    double number = 0;
    if (!text.ends_with(unit) || !parse(text.substr(0, text.size() - unit.size()), number)) continue;
    const double bytes = number * factor;
    if (bytes >= 1 && bytes <= 1e15) return static_cast<std::int64_t>(bytes);
  }
  return std::nullopt;
}

std::vector<std::string> split_entries(const Option& option, const std::vector<std::string>& texts) {
  if (!option.commas) return texts;
  std::vector<std::string> entries;
  for (const std::string& text : texts) {
    for (std::size_t start = 0; start <= text.size();) {
      const std::size_t end = std::min(text.find(',', start), text.size());
      entries.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }
  return entries;
}

void assign(Options& options, const Option& option, const std::vector<std::string>& values, const std::string& place) {
  if (values.size() != 1 && !option.is_list()) {
    fail(Code::kUsage, "{} has {} values, expected one", subject(option, place), values.size());
  }
  const OptionField field = option.field(options);
  if (option.automatic && values.size() == 1 && values[0] == "auto") {
    std::visit([&](auto* target) { *target = *std::get<decltype(target)>(option.field(defaults())); }, field);
  } else {
    std::visit(Assign{option, values, place}, field);
  }
  options.given[std::string(option.key)] = place;
}

std::vector<std::string> option_values(const Options& options, const Option& option) {
  Options copy = options;
  const OptionField field = option.field(copy);
  const bool is_default =
      std::visit([&](auto* value) { return *value == *std::get<decltype(value)>(option.field(defaults())); }, field);
  if (option.automatic && is_default) return {"auto"};
  if (const auto* list = std::get_if<std::vector<std::string>*>(&field)) return **list;
  if (const auto* text = std::get_if<std::string*>(&field)) return {**text};
  if (const auto* flag = std::get_if<bool*>(&field)) return {**flag ? "true" : "false"};
  if (const auto* integer = std::get_if<std::int64_t*>(&field)) return {fmt::format("{}", **integer)};
  return {fmt::format("{}", *std::get<double*>(field))};
}

}  // namespace carousel
