// manifest.h: which recordings there are and what is said in them: a table (CSV, TSV, JSON lines) with a row for each.
//
//   audio<TAB>text
//   clips/0001.wav<TAB>four seven one
//
// A path that does not begin with '/' goes from the folder of the manifest. Errors are those of table.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carousel {

struct ManifestSources {
  std::vector<std::string> paths;  // manifests; also recordings and .npy files themselves: they have no text
  std::string format;              // a name of parse_table_format; "": recognised
  std::string audio_column = "audio", text_column = "text";
  bool texts_required = true;  // false: rows without text (to predict) get ""
};

struct ManifestRow {
  std::string path, text;
  std::string place;  // "file:line", or the path of a recording that was named itself
};

// All rows of all sources. Throws Error{kData} for a row without a path, and, with texts_required, for a recording
// named itself.
std::vector<ManifestRow> read_manifests(const ManifestSources& sources);

}  // namespace carousel
