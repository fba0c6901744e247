// options_page.h: docs/options.md, made from the table of options.
#pragma once

#include <string>

namespace carousel::cli {

std::string options_page();

}  // namespace carousel::cli
