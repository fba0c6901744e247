// classify.h: the task "classify": one class for a text or for a sequence of numbers.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& classify_task();

}  // namespace carousel
