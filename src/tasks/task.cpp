#include "tasks/task.h"

#include "base/fail.h"
#include "tasks/classify.h"
#include "tasks/forecast.h"
#include "tasks/regress.h"

namespace carousel {

const std::vector<const Task*>& all_tasks() {
  static const std::vector<const Task*> tasks{&forecast_task(), &classify_task(), &regress_task()};
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
