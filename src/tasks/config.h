// config.h: the configuration of a run, put together from file, environment, --set and flags.
//
// A configuration file is TOML with one table per section of the options ([data], [model], [train], [output]) and the
// task's name as `task`. resolved.toml, which training writes into its run folder, is such a file; it also carries what
// the run was made with ([run]: version and the SHA-256 of the data files), which is compared, not set.
// Everything here throws Error{kUsage} with file, line and column, or with the name of flag or variable.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tasks/options.h"

namespace carousel {

// One option given on the command line: `place` is the flag as the user knows it.
struct Setting {
  const Option* option = nullptr;
  std::vector<std::string> values;
  std::string place;
};

struct ConfigSources {
  std::string file = {};               // path of a TOML file; empty: none
  std::vector<std::string> set = {};   // "train.lr=0.01"
  std::vector<Setting> settings = {};  // flags
  bool environment = true;             // whether its variables count
};

struct Config {
  std::string task;  // empty: the file does not say
  Options options;
  std::string version;                             // [run] version: of the program that wrote the file
  std::map<std::string, std::string> data_sha256;  // [run.data_sha256]: path -> hash when the file was written
};

// default < file < environment < --set < flags. The first problem found is thrown.
Config load_config(const ConfigSources& sources);

// Every problem of a configuration file, each with file:line:column; empty: it is fine. Throws Error{kIo} if the file
// cannot be read.
std::vector<std::string> check_config_file(const std::string& path);

// Throws Error{kUsage} if flag, --set or file give an option that has no meaning for the task. (The environment may: it
// is shared by several runs.)
void check_options_fit_task(const Options& options, const std::string& task);

// TOML text of the configuration, every option of the task (empty: of all) in the order of the table.
struct TomlStyle {
  bool origins = false;  // a comment behind each value that is not a default: where it came from
  bool output = true;    // with the section [output]
  bool given = false;    // only options that somebody set: read back, they are the options that were given
};
std::string config_to_toml(const Config& config, const TomlStyle& style);

}  // namespace carousel
