// fail.h: throwing an Error with a formatted message, and the check for a caller's own bug.
#pragma once

#include <fmt/format.h>

#include "carousel/error.h"

namespace carousel {

namespace detail {
// As fail(): the formatting is compiled once, not in every file.
[[noreturn]] void fail_with(Code code, fmt::string_view format, fmt::format_args arguments);
}  // namespace detail

// Throws Error(code, message). The message names thing, expected, got and place:
//   fail(Code::kUsage, "{}: h0 has {} columns, expected hidden_size {}", "gru", 5, 4);
template <class... Args>
[[noreturn]] void fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  detail::fail_with(code, format, fmt::make_format_args(args...));
}

}  // namespace carousel

// A caller's bug (not bad input). Checked in the `dev` and `tsan` builds, absent from `release`.
#ifdef CAROUSEL_ASSERTIONS
#define CAROUSEL_ASSERT(condition)                                                                                \
  do {                                                                                                            \
    if (!(condition)) ::carousel::fail(::carousel::Code::kInternal, "{}:{}: {}", __FILE__, __LINE__, #condition); \
  } while (false)
#else
#define CAROUSEL_ASSERT(condition) static_cast<void>(0)
#endif
