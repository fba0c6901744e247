#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "formats/c_header.h"
#include "output_file.h"

namespace carousel::cli {
namespace {

int run_export(const CommandLine& line, Console& console) {
  const std::string to = line.text("--to");
  if (to.empty()) fail(Code::kUsage, "--to is missing: the file to write, FILE.h");
  if (!to.ends_with(".h")) fail(Code::kUsage, "--to: {} is of no known kind, expected a name that ends in .h", to);
  check_output_file("--to", to, line.is_on("--force"));
  const Model model = Model::load(line.text("MODEL"));
  const std::string text =
      to_c_header(model.network(), {.name = line.text("--name", "model"), .dtype = line.text("--dtype", "f32")});
  write_file_atomically(to, text);
  if (console.json()) {
    console.out_json({{"schema", 1}, {"file", to}, {"bytes", text.size()}});
  } else {
    console.out(
        fmt::format("{}: {} bytes; include it and make a {}::Model\n", to, text.size(), line.text("--name", "model")));
  }
  return 0;
}

std::vector<Argument> export_arguments() {
  return {{.name = "MODEL", .help = "model file that train wrote", .required = true},
          {.name = "--to", .value = "FILE", .help = "file to write; .h: a C++17 header without dependencies"},
          {.name = "--name", .value = "NAME", .help = "namespace of the header [default model]"},
          {.name = "--dtype", .value = "TYPE", .help = "format of recurrent weights", .allowed = {"f32", "int8"}},
          {.name = "--force", .help = "replace an existing file"}};
}

}  // namespace

const Verb kExportVerb{.name = "export",
                       .purpose = "Train and use models",
                       .usage = "MODEL --to FILE [options]",
                       .summary = "writes a model in another form: a C++ header without dependencies",
                       .examples = {"export filter.safetensors --to filter.h",
                                    "export filter.safetensors --to filter.h --name filter --dtype int8"},
                       .arguments = export_arguments,
                       .run = run_export};

}  // namespace carousel::cli
