// translate.h: any sequence to any sequence: translation, letters to phones, dates to another form, sums to results.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& translate_task();

}  // namespace carousel
