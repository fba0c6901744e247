#include "data/audio/manifest.h"

#include "base/fail.h"
#include "data/audio/audio_file.h"
#include "data/number.h"
#include "data/table.h"

namespace carousel {
namespace {

void read_manifest(const std::string& path, const ManifestSources& sources, std::vector<ManifestRow>& rows) {
  TableReader table(path, parse_table_format(sources.format));
  const std::int64_t audio = table.column_index(sources.audio_column, "--audio-column names another");
  const bool has_text = sources.texts_required || table.has_column(sources.text_column);
  const std::int64_t text = has_text ? table.column_index(sources.text_column, "--text-column names another") : -1;
  const std::string folder = path.substr(0, path.rfind('/') + 1);  // "" if there is none
  for (Row row; table.next(row);) {
    const std::string place = fmt::format("{}:{}", path, row.line);
    const std::string file(trim_blanks(row.cells[static_cast<std::size_t>(audio)]));
    if (file.empty()) fail(Code::kData, "{}: column '{}' is empty, expected a path", place, sources.audio_column);
    rows.push_back({file.starts_with('/') ? file : folder + file,
                    text < 0 ? "" : std::string(trim_blanks(row.cells[static_cast<std::size_t>(text)])), place});
  }
}

}  // namespace

std::vector<ManifestRow> read_manifests(const ManifestSources& sources) {
  std::vector<ManifestRow> rows;
  for (const std::string& path : sources.paths) {
    if (!is_audio_file(path) && !path.ends_with(".npy")) {
      read_manifest(path, sources, rows);
    } else if (sources.texts_required) {
      fail(Code::kData, "{}: is a recording without its text; give a table with the columns '{}' and '{}'", path,
           sources.audio_column, sources.text_column);
    } else {
      rows.push_back({path, "", path});
    }
  }
  return rows;
}

}  // namespace carousel
