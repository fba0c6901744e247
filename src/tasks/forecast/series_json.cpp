#include "tasks/forecast/series_json.h"

namespace carousel {
namespace {

// Calls use(key, field) for every field that is kept; the format of the table is each file's own.
template <class Options, class Use>
void for_each_field(Options& options, Use use) {
  use("layout", options.layout);
  use("time_column", options.time_column);
  use("id_column", options.id_column);
  use("targets", options.targets);
  use("past", options.past);
  use("future", options.future);
  use("statics", options.statics);
  use("missing_value", options.missing_value);
  use("gaps", options.gaps);
  use("duplicates", options.duplicates);
  use("missing", options.missing);
  use("sort", options.sort);
  use("min_length", options.min_length);
}

}  // namespace

nlohmann::json scaler_to_json(const Scaler& scaler) {
  nlohmann::json columns = nlohmann::json::array();
  for (const ColumnScaling& column : scaler.columns()) {
    columns.push_back({{"shift", column.shift},
                       {"factor", column.factor},
                       {"transform", static_cast<int>(column.transform)},
                       {"lambda", column.lambda},
                       {"lag", column.lag}});
  }
  return columns;
}

Scaler scaler_from_json(const nlohmann::json& object) {
  std::vector<ColumnScaling> columns;
  for (const nlohmann::json& column : object) {
    ColumnScaling& one = columns.emplace_back();
    column.at("shift").get_to(one.shift);
    column.at("factor").get_to(one.factor);
    one.transform = static_cast<Transform>(column.at("transform").get<int>());
    column.at("lambda").get_to(one.lambda);
    column.at("lag").get_to(one.lag);
  }
  return Scaler(std::move(columns));
}

nlohmann::json series_to_json(const SeriesOptions& options) {
  nlohmann::json object;
  for_each_field(options, [&](const char* key, const auto& field) { object[key] = field; });
  object["categories"] = nlohmann::json::object();
  for (const CategoryColumn& column : options.categories) object["categories"][column.name] = column.categories;
  return object;
}

SeriesOptions series_from_json(const nlohmann::json& object) {
  SeriesOptions options;
  for_each_field(options, [&](const char* key, auto& field) { object.at(key).get_to(field); });
  const nlohmann::json categories = object.value("categories", nlohmann::json::object());
  for (const auto& [name, list] : categories.items()) {
    options.categories.push_back({name, list.get<std::vector<std::string>>()});
  }
  return options;
}

}  // namespace carousel
