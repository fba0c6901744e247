// lm.h: the task "lm": the probability of every next token of a text.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& lm_task();

}  // namespace carousel
