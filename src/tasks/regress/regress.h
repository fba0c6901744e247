// regress.h: the task "regress": one or more numbers for a row of numbers or for a sequence.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& regress_task();

}  // namespace carousel
