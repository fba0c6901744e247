#include "tasks/report/report_files.h"

#include "base/fail.h"
#include "base/file.h"
#include "tasks/report/chart_style.h"

namespace carousel {
namespace {

// "OT: error by step" as "ot-error-by-step"; what is no ASCII letter or digit is a dash.
std::string file_stem(const std::string& heading) {
  std::string stem;
  for (const char character : heading) {
    const bool upper = character >= 'A' && character <= 'Z';
    const bool kept = upper || (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
    if (kept) stem += upper ? static_cast<char>(character - 'A' + 'a') : character;
    if (!kept && !stem.empty() && stem.back() != '-') stem += '-';
  }
  while (!stem.empty() && stem.back() == '-') stem.pop_back();
  return stem.substr(0, 60);
}

}  // namespace

bool wants_report(const OutputOptions& output) { return !output.report.empty() || !output.plots.empty(); }

void write_report_files(const OutputOptions& output, const Report& report) {
  if (!output.report.empty()) write_file_atomically(output.report, report_page(report));
  if (output.plots.empty()) return;
  file_system().make_folders(output.plots);
  int number = 0;
  for (const Figure& figure : report.figures) {
    if (figure.body.rfind("<svg ", 0) != 0) continue;  // a table
    write_file_atomically(fmt::format("{}/{:02}-{}.svg", output.plots, ++number, file_stem(figure.heading)),
                          svg_file(figure.body));
  }
}

}  // namespace carousel
