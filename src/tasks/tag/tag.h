// tag.h: a tag for every token of a sentence: slots, named entities, parts of speech, word segmentation.
#pragma once

#include "tasks/task.h"

namespace carousel {

const Task& tag_task();

}  // namespace carousel
