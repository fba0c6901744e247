// console.h: where the program's words go. Results go to standard output, everything else to standard error.
//
// Standard output is buffered here; a write error there is an error of the program (disk full: exit status 5), a closed
// pipe ends it quietly. Errors on standard error are ignored: they must not stop a training run.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace carousel::cli {

class CommandLine;

// Thrown when nobody reads standard output any more. The exit status is that of a program that SIGPIPE ended.
struct BrokenPipe {
  static constexpr int kExitStatus = 141;
};

enum class Style { kPlain, kBold, kGreen, kYellow, kRed };

class Console {
 public:
  Console() = default;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Errors found before the command line is understood are printed as JSON, too.
  void expect_json() { json_ = true; }
  // Takes over --json, --quiet, --verbose and --color.
  void configure(const CommandLine& line);

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }
  bool verbose() const { return verbose_; }

  void out(std::string_view text);                        // a result; no line end is added
  void out_json(const nlohmann::ordered_json& document);  // one line; bytes that are not UTF-8 are replaced
  void flush();                                           // throws Error{kIo}, BrokenPipe

  void note(std::string_view line) const;     // standard error, unless --quiet
  void warning(std::string_view line) const;  // standard error, also with --quiet
  // One line on standard error and, with --json, one object on standard output. Never throws.
  // (The object is left out if a result was printed already.)
  void error(std::string_view code, std::string_view message) noexcept;

  std::string paint(Style style, std::string_view text) const;  // for standard output, if it shows colours
  void write_error_stream(std::string_view text) const;         // as it is

 private:
  std::string paint_error(Style style, std::string_view text) const;

  bool json_ = false, quiet_ = false, verbose_ = false;
  bool color_out_ = false, color_error_ = false;
  bool wrote_ = false;  // something went to standard output
  std::string buffer_;
};

// Control characters (a hostile file's escape sequences, line ends) as spaces or \xNN, and those that change the
// direction of what follows as \uNNNN: the text stays on one line, and where it is.
std::string one_line(std::string_view text);

// The text and as many spaces as it needs to be `columns` columns of a terminal wide.
std::string padded(std::string_view text, std::size_t columns, bool right = false);

// Rows of cells in aligned columns; the first row is the heading. Every column but the first is right-aligned if
// `numbers`. Ends in a line end.
std::string text_table(const std::vector<std::vector<std::string>>& rows, bool numbers);

}  // namespace carousel::cli
