#include "store/inc_record.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <type_traits>

namespace evojail {
namespace {

using Json = nlohmann::ordered_json;

constexpr int schema_version = 1;

template <class T>
Json nullable(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
std::optional<T> optional_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<T>();
}

}  // namespace

std::string format_inc_record(const IncRecord& record) {
  Json json;
  json["schema_version"] = schema_version;
  json["identity"] = record.identity;
  json["inc"] = record.inc;
  json["engine"] = record.engine;
  json["began"] = record.began;
  json["ended"] = nullable(record.ended);
  json["sessions"] = record.sessions;
  json["partial"] = record.partial;
  json["push_in_flight"] = record.push_in_flight;
  json["troubles"] = record.troubles;
  json["entries"] = nullable(record.entries);
  json["linked"] = nullable(record.linked);
  json["copied_bytes"] = nullable(record.copied_bytes);
  json["compared_bytes"] = nullable(record.compared_bytes);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<IncRecord> parse_inc_record(const std::string& text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema_version").get<int>() != schema_version) {
      return fail(fmt::format("reading '{}': written by another version", file));
    }
    IncRecord record;
    record.identity = json.at("identity").get<std::string>();
    record.inc = json.at("inc").get<std::string>();
    record.engine = json.at("engine").get<std::string>();
    record.began = json.at("began").get<std::int64_t>();
    record.ended = optional_of<std::int64_t>(json.at("ended"));
    record.sessions = json.at("sessions").get<std::vector<std::string>>();
    record.partial = json.at("partial").get<bool>();
    record.push_in_flight = json.at("push_in_flight").get<bool>();
    record.troubles = json.at("troubles").get<std::vector<std::string>>();
    record.entries = optional_of<std::uint64_t>(json.at("entries"));
    record.linked = optional_of<std::uint64_t>(json.at("linked"));
    record.copied_bytes = optional_of<std::uint64_t>(json.at("copied_bytes"));
    record.compared_bytes = optional_of<std::uint64_t>(json.at("compared_bytes"));
    return record;
  } catch (const Json::exception& error) {
    return fail(fmt::format("reading '{}': {}", file, error.what()));
  }
}

}  // namespace evojail
