// impute.h: the task "impute": missing values of time series, filled from what is known before and behind them.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& impute_task();

}  // namespace carousel
