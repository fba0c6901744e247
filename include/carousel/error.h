// error.h: the one exception type of Carousel.
//
// The library never prints, exits or aborts: bad input, a bad file or a failed read throws Error. The message names the
// thing, what was expected, what was got and where; the code says which kind it is, so that a program can choose an
// exit status or an HTTP status without reading the text.
#pragma once

#include <stdexcept>
#include <string>

namespace carousel {

enum class Code {
  kInternal,  // a fault of Carousel itself                        exit status 1
  kUsage,     // wrong option, wrong configuration, wrong shape    exit status 2
  kData,      // a data file that cannot be used                   exit status 3
  kModel,     // a model file that cannot be used                  exit status 3
  kDiverged,  // NaN or Inf in loss or gradient                    exit status 4
  kIo,        // reading or writing failed (disk full, permission) exit status 5
  kBound,     // a stated bound was not met                        exit status 6
};

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}
  Code code() const noexcept { return code_; }

 private:
  Code code_;
};

// The exit status of a program that stops because of an error of this kind (the table above).
int exit_status(Code code) noexcept;

}  // namespace carousel
