#include "tasks/task.h"

#include <algorithm>

#include "base/fail.h"
#include "tasks/classify/classify.h"
#include "tasks/forecast/forecast.h"
#include "tasks/impute/impute.h"
#include "tasks/lm/lm.h"
#include "tasks/regress/regress.h"
#include "tasks/tag/tag.h"
#include "tasks/transcribe/transcribe.h"
#include "tasks/translate/translate.h"

namespace carousel {

const double* find_metric(const Metrics& metrics, std::string_view name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const auto& one) { return one.first == name; });
  return found == metrics.end() ? nullptr : &found->second;
}

const std::vector<const Task*>& all_tasks() {
  static const std::vector<const Task*> tasks{&forecast_task(),  &classify_task(),  &regress_task(),
                                              &lm_task(),        &tag_task(),       &impute_task(),
                                              &translate_task(), &transcribe_task()};
  return tasks;
}

const Task& find_task(std::string_view name) {
  std::vector<std::string> known;
  for (const Task* task : all_tasks()) {
    if (task->name() == name) return *task;
    known.emplace_back(task->name());
  }
  fail(Code::kUsage, "unknown task '{}'{}; the tasks are {}", name, did_you_mean(name, known), fmt::join(known, ", "));
}

}  // namespace carousel
