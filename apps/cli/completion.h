// completion.h: completion scripts for shells, made from the verbs' own descriptions.
#pragma once

#include <string>

namespace carousel::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace carousel::cli
