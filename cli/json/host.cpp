#include "cli/json/host.hpp"

#include <nlohmann/json.hpp>

namespace evojail {
namespace {

using json = nlohmann::ordered_json;

/// schema_version in front; bytes that are no UTF-8 are replaced.
std::string print_document(const json& members) {
  json document = {{"schema_version", 1}};
  document.update(members);
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

std::string_view level_word(Finding::Level level) {
  switch (level) {
    case Finding::Level::good:
      return "good";
    case Finding::Level::note:
      return "note";
    case Finding::Level::missing:
      break;
  }
  return "missing";
}

}  // namespace

std::string findings_json(const Findings& findings) {
  json list = json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"subject", finding.subject},
                    {"level", level_word(finding.level)},
                    {"text", finding.text},
                    {"cure", text_or_null(finding.cure)}});
  }
  return print_document({{"findings", std::move(list)}});
}

std::string update_json(const BuildReport& build, const std::vector<std::string>& pruned) {
  return print_document({{"base_image", build.id},
                         {"built", build.built},
                         {"files", build.files},
                         {"bytes", build.bytes},
                         {"added", build.changes.added},
                         {"removed", build.changes.removed},
                         {"changed", build.changes.changed},
                         {"left_out", build.left_out},
                         {"pruned", pruned}});
}

std::string profiles_json(const std::vector<std::string>& names,
                          const std::vector<Profile>& profiles) {
  json list = json::array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    list.push_back(
        {{"name", names[i]}, {"file", profiles[i].file}, {"description", profiles[i].description}});
  }
  return print_document({{"profiles", std::move(list)}});
}

}  // namespace evojail
