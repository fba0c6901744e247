// report_files.h: where a report goes: one HTML page, and its pictures as files of their own.
#pragma once

#include "tasks/options.h"
#include "tasks/report/report.h"

namespace carousel {

// Whether the options ask for a page or for pictures.
bool wants_report(const OutputOptions& output);

// Writes output.report, the page, and output.plots, a folder (made if it is not there) with an SVG file for each figure
// that is a picture: "01-the-series.svg" ... Throws Error{kIo} if they cannot be written.
void write_report_files(const OutputOptions& output, const Report& report);

}  // namespace carousel
