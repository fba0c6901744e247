// help.h: the texts of `carousel --help` and `carousel VERB --help`, made from the verbs' own descriptions.
#pragma once

#include <string>

#include "verb.h"

namespace carousel::cli {

std::string overview_text();
std::string help_text(const Verb& verb);

}  // namespace carousel::cli
