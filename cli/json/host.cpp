#include "cli/json/host.hpp"

#include <nlohmann/json.hpp>

#include "cli/json/document.hpp"
#include "config/profile_text.hpp"

namespace evojail {
namespace {

using json = nlohmann::ordered_json;

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
  return print_document(json{{"findings", std::move(list)}});
}

std::string update_json(const BuildReport& build, const std::vector<std::string>& pruned) {
  return print_document(json{{"base_image", build.id},
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
  return print_document(json{{"profiles", std::move(list)}});
}

std::string profile_check_json(const std::string& file, const std::vector<CompiledSize>& sizes) {
  json filters = json::array();
  for (const CompiledSize& size : sizes) {
    filters.push_back(
        {{"architecture", to_string(size.architecture)}, {"instructions", size.instructions}});
  }
  return print_document(json{{"file", file}, {"filters", std::move(filters)}});
}

}  // namespace evojail
