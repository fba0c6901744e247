// transcribe.h: the task "transcribe": what is said in a recording, by connectionist temporal classification.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& transcribe_task();

}  // namespace carousel
