#include "tasks/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fail.h"
#include "base/file.h"

namespace carousel {
namespace {

constexpr std::int64_t kLargestFile = 16 << 20;
constexpr std::string_view kVariablePrefix = "CAROUSEL_";

// Reads a parsed file into a Config. Problems are collected, each with its place.
class FileReader {
 public:
  FileReader(const std::string& path, Config& config) : path_(path), config_(config) {}

  void read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      const std::string name(key.str());
      const bool is_section = name == "data" || name == "model" || name == "train" || name == "output";
      guarded(key, [&, k = &key, n = &node] {
        if (name == "task") {
          config_.task = text_of(*n, "task");
        } else if (name == "run") {
          read_run(table_of(*n, name));
        } else if (is_section) {
          read_section(name, table_of(*n, name));
        } else {
          unknown(name, k->source());
        }
      });
    }
  }
  // In the order of the file.
  std::vector<std::string> problems() const {
    std::vector<std::string> texts;
    for (const auto& [line_and_column, text] : problems_) texts.push_back(text);
    return texts;
  }

 private:
  using Position = std::pair<toml::source_index, toml::source_index>;

  // Runs the action; an Error is a problem at the place of `key`.
  template <class Action>
  void guarded(const toml::key& key, const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      problems_.emplace(Position(key.source().begin.line, key.source().begin.column), error.what());
    }
  }

  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}:{}", path_, source.begin.line, source.begin.column);
  }

  [[noreturn]] void unknown(const std::string& key, const toml::source_region& source) const {
    const std::string section = did_you_mean(key, {"data", "model", "train", "output", "run", "task"});
    fail(Code::kUsage, "{}: unknown key {}{}", place(source), key, section.empty() ? suggest_key(key) : section);
  }

  const toml::table& table_of(const toml::node& node, const std::string& key) const {
    if (const toml::table* table = node.as_table()) return *table;
    fail(Code::kUsage, "{}: {} is a section, write [{}] and its keys below", place(node.source()), key, key);
  }

  std::string text_of(const toml::node& node, const std::string& key) const {
    if (const auto text = node.value_exact<std::string>()) return *text;
    fail(Code::kUsage, "{}: {} is not a text, write it in quotation marks", place(node.source()), key);
  }

  void read_run(const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name = "run." + std::string(key.str());
      guarded(key, [&, k = &key, n = &node] {
        if (name == "run.version") {
          config_.version = text_of(*n, name);
        } else if (name == "run.data_sha256") {
          for (const auto& [path, hash] : table_of(*n, name)) {
            config_.data_sha256[std::string(path.str())] = text_of(hash, name);
          }
        } else {
          unknown(name, k->source());
        }
      });
    }
  }

  void read_section(const std::string& section, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name = section + "." + std::string(key.str());
      guarded(key, [&, k = &key, n = &node] {
        const Option* option = find_option(name);
        if (option == nullptr) unknown(name, k->source());
        assign(config_.options, *option, values_of(*option, *n), place(n->source()));
      });
    }
  }

  // The value as texts for assign(), after a check that its TOML type suits the option.
  std::vector<std::string> values_of(const Option& option, const toml::node& node) const {
    if (const toml::array* array = node.as_array(); array != nullptr && option.is_list()) {
      std::vector<std::string> values;
      for (const toml::node& entry : *array) values.push_back(text_of(entry, std::string(option.key)));
      return values;
    }
    const std::string type = option.type();
    const auto text = node.value_exact<std::string>();
    if (text && type == "list") return split_entries(option, {*text});
    if (text && (type == "text" || *text == "auto" || option.is_switch())) return {*text};
    if (const auto flag = node.value_exact<bool>(); flag && option.is_switch()) return {*flag ? "true" : "false"};
    if (const auto number = node.value_exact<std::int64_t>(); number && (type == "integer" || type == "number")) {
      return {fmt::format("{}", *number)};
    }
    if (const auto number = node.value_exact<double>(); number && type == "number") {
      return {fmt::format("{}", *number)};
    }
    fail(Code::kUsage, "{}: {} has the wrong type, expected {} {}", place(node.source()), option.key,
         type == "integer" ? "an" : "a", type == "true or false" ? "value true or false" : type);
  }

  const std::string& path_;
  Config& config_;
  std::multimap<Position, std::string> problems_;
};

std::vector<std::string> read_config_file(const std::string& path, Config& config) {
  const std::string text = read_text(path, kLargestFile);
  try {
    FileReader reader(path, config);
    reader.read(toml::parse(text));
    return reader.problems();
  } catch (const toml::parse_error& error) {
    return {
        fmt::format("{}:{}:{}: {}", path, error.source().begin.line, error.source().begin.column, error.description())};
  }
}

// CAROUSEL_TRAIN_LRR: an unknown variable of one of our sections is a slip of the pen; other CAROUSEL_ names are free.
void check_unknown_variable(const std::string& name) {
  std::vector<std::string> known;
  bool ours = false;
  for (const Option& option : option_table()) {
    const std::string variable = option.environment();
    if (variable == name) return;
    known.push_back(variable);
    ours = ours || name.starts_with(variable.substr(0, kVariablePrefix.size() + option.section().size() + 1));
  }
  if (ours) fail(Code::kUsage, "environment: unknown variable {}{}", name, did_you_mean(name, known));
}

void read_environment(Config& config) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with(kVariablePrefix)) check_unknown_variable(std::string(text.substr(0, text.find('='))));
  }
  for (const Option& option : option_table()) {
    const std::string name = option.environment();
    const char* value = std::getenv(name.c_str());
    if (value != nullptr) assign(config.options, option, split_entries(option, {value}), name);
  }
}

void read_set(const std::string& text, Config& config) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) fail(Code::kUsage, "--set {}: expected KEY=VALUE, as in train.lr=0.01", text);
  const std::string key = text.substr(0, equals);
  const Option* option = find_option(key);
  if (option == nullptr) fail(Code::kUsage, "--set: unknown key {}{}", key, suggest_key(key));
  assign(config.options, *option, split_entries(*option, {text.substr(equals + 1)}), "--set " + key);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string toml_value(const Options& options, const Option& option) {
  const std::vector<std::string> values = option_values(options, option);
  const bool is_auto = option.automatic && values == std::vector<std::string>{"auto"};
  if (option.is_list() && !is_auto) {
    std::string list;
    for (const std::string& value : values) list += (list.empty() ? "" : ", ") + quoted(value);
    return "[" + list + "]";
  }
  const bool bare = option.type() != "text" && option.type() != "list" && !is_auto;
  return bare ? values[0] : quoted(values[0]);
}

}  // namespace

Config load_config(const ConfigSources& sources) {
  Config config;
  if (!sources.file.empty()) {
    const std::vector<std::string> problems = read_config_file(sources.file, config);
    if (!problems.empty()) fail(Code::kUsage, "{}", problems.front());
  }
  if (sources.environment) read_environment(config);
  for (const std::string& text : sources.set) read_set(text, config);
  for (const Setting& setting : sources.settings) {
    assign(config.options, *setting.option, split_entries(*setting.option, setting.values), setting.place);
  }
  return config;
}

std::vector<std::string> check_config_file(const std::string& path) {
  Config config;
  return read_config_file(path, config);
}

void check_options_fit_task(const Options& options, const std::string& task) {
  for (const auto& [key, place] : options.given) {
    const Option* option = find_option(key);
    if (option == nullptr || option->applies_to(task) || place.starts_with(kVariablePrefix)) continue;
    fail(Code::kUsage, "{}{} has no meaning for {}, only for {}", place, place.starts_with("--") ? "" : ": " + key,
         task, option->tasks);
  }
}

std::string config_to_toml(const Config& config, const TomlStyle& style) {
  std::string text, section;
  if (!config.task.empty()) text += fmt::format("task = {}\n", quoted(config.task));
  for (const Option& option : option_table()) {
    if (!config.task.empty() && !option.applies_to(config.task)) continue;
    if (option.section() == "output" && !style.output) continue;
    if (style.given && !config.options.is_given(option.key)) continue;
    if (option.section() != section) {
      section = option.section();
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    text += fmt::format("{} = {}", option.name(), toml_value(config.options, option));
    const auto given = config.options.given.find(option.key);
    if (style.origins && given != config.options.given.end()) text += "  # " + given->second;
    text += "\n";
  }
  if (config.version.empty()) return text;
  text += fmt::format("\n[run]\nversion = {}\n", quoted(config.version));
  if (!config.data_sha256.empty()) text += "\n[run.data_sha256]\n";
  for (const auto& [path, hash] : config.data_sha256) text += fmt::format("{} = {}\n", quoted(path), quoted(hash));
  return text;
}

}  // namespace carousel
