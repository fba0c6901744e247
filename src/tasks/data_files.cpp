#include "tasks/data_files.h"

#include "base/fail.h"
#include "data/labelled.h"

namespace carousel {

std::vector<std::string> training_files(const DataOptions& options) {
  std::vector<std::string> paths;
  for (const auto* sources : {&options.data, &options.valid}) {
    for (const std::string& source : *sources) paths.push_back(split_source(source).second);
  }
  for (const auto* files : {&options.tags, &options.valid_tags, &options.intents, &options.valid_intents}) {
    paths.insert(paths.end(), files->begin(), files->end());
  }
  if (!options.subwords.empty()) paths.push_back(options.subwords);
  if (!options.vectors.empty()) paths.push_back(options.vectors);
  for (const std::string* path :
       {&options.subwords, &options.source_subwords, &options.target_subwords, &options.vectors}) {
    if (!path->empty()) paths.push_back(*path);
  }
  if (options.source.empty()) return paths;
  for (const auto* side : {&options.source, &options.target, &options.valid_source, &options.valid_target}) {
    paths.insert(paths.end(), side->begin(), side->end());
  }
  return paths;
}

void require_data(const DataOptions& options, std::string_view purpose) {
  if (options.data.empty() && options.source.empty()) fail(Code::kUsage, "--data is missing: {}", purpose);
}

}  // namespace carousel
