// forecast.h: the task "forecast": the next values of one or several series.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& forecast_task();

}  // namespace carousel
