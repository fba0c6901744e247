#include "carousel/error.h"

#include "base/fail.h"

namespace carousel {

int exit_status(Code code) noexcept {
  switch (code) {
    case Code::kInternal:
      return 1;
    case Code::kUsage:
      return 2;
    case Code::kData:
    case Code::kModel:
      return 3;
    case Code::kDiverged:
      return 4;
    case Code::kIo:
      return 5;
    case Code::kBound:
      return 6;
  }
  return 1;
}

void detail::fail_with(Code code, fmt::string_view format, fmt::format_args arguments) {
  throw Error(code, fmt::vformat(format, arguments));
}

}  // namespace carousel
