#include "tasks/translate/translate_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "tasks/report/heatmap.h"
#include "tasks/report/report_files.h"
#include "tasks/report/run_report.h"

namespace carousel {
namespace {

constexpr std::size_t kShown = 4;

Figure alignment_figure(const TranslateData& data, std::int64_t sample, const WrittenText& written,
                        const Alignment& alignment) {
  const auto pair = static_cast<std::size_t>(data.groups[static_cast<std::size_t>(sample)].front());
  const std::string& source = data.pairs.sources[pair];
  const Heatmap map{alignment.output, alignment.source, alignment.weights.span(),
                    fmt::format("what each token of the output for {} looked at", source)};
  return {fmt::format("Alignment of \"{}\"", source),
          fmt::format("Written: \"{}\"; expected: \"{}\". Rows: the tokens written, columns: those read; the darker, "
                      "the more the decoder looked there when it wrote.",
                      written.text, data.pairs.targets[pair]),
          heatmap_svg(map)};
}

}  // namespace

void write_translate_report(const Options& options, const TrainResult& result, const CurveRecorder& curves,
                            std::span<const Translator> models, const TranslateInfo& info, const TranslateData& data,
                            std::span<const std::int64_t> samples) {
  const DataOptions& files = options.data;
  Report report =
      training_report(fmt::format("Translation of {}", file_names(files.source.empty() ? files.data : files.source)),
                      {"cell", result.options.model.cell}, "samples", result, curves);
  const auto first = samples.first(std::min(kShown, samples.size()));
  const std::vector<WrittenText> written = best_of(write_texts(models, info, data, first, {}));
  const std::vector<Alignment> alignments = align(models, info, data, first, written);
  for (std::size_t k = 0; k < first.size(); ++k) {
    report.figures.push_back(alignment_figure(data, first[k], written[k], alignments[k]));
  }
  write_report_files(options.output, report);
}

}  // namespace carousel
