// series_json.h: how a model file keeps the way from a table to series: columns, layout, rules for rows; and scaling.
#pragma once

#include "base/json.h"
#include "data/series/scaler.h"
#include "data/series/series.h"

namespace carousel {

nlohmann::json scaler_to_json(const Scaler& scaler);
nlohmann::json series_to_json(const SeriesOptions& options);

// For read_task_data(): throw what nlohmann::json throws for a key that is missing or of the wrong kind, and what the
// Scaler throws for numbers out of range.
Scaler scaler_from_json(const nlohmann::json& object);
SeriesOptions series_from_json(const nlohmann::json& object);

}  // namespace carousel
