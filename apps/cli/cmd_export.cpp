#include "base/fail.h"
#include "base/file.h"
#include "base/json.h"
#include "carousel/model.h"
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "formats/c_header.h"
#include "output_file.h"
#include "tasks/tag/tag_model.h"
#include "tasks/tag/tag_network.h"

namespace carousel::cli {
namespace {

// What a step of a tagger looks up. Throws Error{kUsage} naming what of it one step does not have.
std::vector<std::pair<std::string, const Tensor*>> tagger_tables(const Model& model) {
  const auto refuse = [](std::string_view what) {
    fail(Code::kUsage,
         "--to: {}; a header is for a tagger that takes a word at a time: --bidirectional=false --crf=false "
         "--characters none --token-pairs=false, without intents",
         what);
  };
  const Sequential& network = model.network();
  if (tagger_crf(network)) refuse("the CRF chooses the tags of a whole sentence together");
  if (tagger_part(network, "characters")) refuse("the tagger reads the characters of a word");
  if (tagger_part(network, "pairs")) refuse("the tagger reads pairs of words");
  if (tagger_part(network, "intent")) refuse("the intent is that of a whole sentence");
  if (TagInfo::from_model(model).word_window > 1) refuse("the tagger reads a window of words");
  std::vector<std::pair<std::string, const Tensor*>> tables;
  for (const auto& [name, part] : {std::pair("word", "words"), std::pair("shape", "shapes")}) {
    Sequential* rows = tagger_part(network, part);
    const std::string type = rows && rows->size() == 1 ? rows->modules()[0].second->describe().type : "";
    if (type != "embedding" && type != "fixed_embedding") refuse("the words are not rows of a table");
    tables.emplace_back(name, &rows->named_tensors().front().second->value);
  }
  return tables;
}

// Writes the header; returns what to do with it.
std::string export_header(const Model& model, const std::string& to, const CommandLine& line) {
  if (model.task() == "translate") {
    fail(Code::kUsage,
         "--to: a header holds one chain of layers, the network of a model for 'translate' has parts side by side; "
         "models for other tasks can be exported to one, if they run step by step");
  }
  CHeaderOptions options{.name = line.text("--name", "model"), .dtype = line.text("--dtype", "f32")};
  if (model.task() == "tag") {
    options.tables = tagger_tables(model);
    Sequential chain = tagger_chain(model.network());
    write_file_atomically(to, to_c_header(chain, options));
  } else {
    write_file_atomically(to, to_c_header(model.network(), options));
  }
  return fmt::format("include it and make a {}::Model", options.name);
}

// Writes the model file; returns what to do with it.
std::string export_model(const Model& model, const std::string& to, const CommandLine& line) {
  if (!line.text("--name").empty()) fail(Code::kUsage, "--name is for a header, but --to is {}", to);
  model.save(to, line.text("--dtype", "f32"));
  return "a model file, as train writes them";
}

int run_export(const CommandLine& line, Console& console) {
  const std::string to = line.text("--to");
  if (to.empty()) fail(Code::kUsage, "--to is missing: the file to write, FILE.h or FILE.safetensors");
  const bool header = to.ends_with(".h");
  if (!header && !to.ends_with(".safetensors")) {
    fail(Code::kUsage, "--to: {} is of no known kind, expected a name that ends in .h or .safetensors", to);
  }
  check_output_file("--to", to, line.is_on("--force"));
  const Model model = Model::load(line.text("MODEL"));
  const std::string use = header ? export_header(model, to, line) : export_model(model, to, line);
  const auto bytes = file_system().size(to);
  if (console.json()) {
    console.out_json({{"schema", 1}, {"file", to}, {"bytes", bytes}});
  } else {
    console.out(fmt::format("{}: {} bytes; {}\n", to, bytes, use));
  }
  return 0;
}

std::vector<Argument> export_arguments() {
  return {{.name = "MODEL", .help = "model file that train wrote", .required = true},
          {.name = "--to",
           .value = "FILE",
           .help = "file to write; .h: a C++17 header without dependencies; .safetensors: a model file"},
          {.name = "--name", .value = "NAME", .help = "namespace of the header [default model]"},
          {.name = "--dtype",
           .value = "TYPE",
           .help = "format of recurrent weights; bf16: model file only",
           .allowed = {"f32", "bf16", "int8"}},
          {.name = "--force", .help = "replace an existing file"}};
}

}  // namespace

const Verb kExportVerb{
    .name = "export",
    .purpose = "Train and use models",
    .usage = "MODEL --to FILE [options]",
    .summary = "writes a model in another form: a C++ header, or a model file with bf16 or int8 weights",
    .examples = {"export filter.safetensors --to filter.h",
                 "export filter.safetensors --to filter.h --name filter --dtype int8",
                 "export filter.safetensors --to small.safetensors --dtype int8"},
    .arguments = export_arguments,
    .run = run_export};

}  // namespace carousel::cli
