// help.h: the texts of `carousel --help` and `carousel VERB --help`, made from the verbs' own descriptions.
#pragma once

#include <string>
#include <string_view>

#include "verb.h"

namespace carousel::cli {

std::string overview_text();
// With a task only the options that have a meaning for it.
std::string help_text(const Verb& verb, std::string_view task = {});

}  // namespace carousel::cli
