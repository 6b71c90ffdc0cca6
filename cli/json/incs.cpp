#include "cli/json/incs.hpp"

#include <nlohmann/json.hpp>

#include "cli/json/document.hpp"
#include "cli/text.hpp"

namespace evojail {
namespace {

using json = nlohmann::ordered_json;

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

/// Of one that goes now, or stays as far as can be seen, there is no day to come.
json day_or_null(const std::optional<Fate>& fate) {
  return fate && fate->kind == Fate::Kind::on ? json(to_string(fate->day)) : json(nullptr);
}

template <class T>
json value_or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

json record_value(const IncRecord& record) {
  return {{"taken_as", record.inc},
          {"engine", record.engine},
          {"began", format_utc(record.began)},
          {"ended", record.ended ? json(format_utc(*record.ended)) : json(nullptr)},
          {"partial", record.partial},
          {"push_in_flight", record.push_in_flight},
          {"sessions", record.sessions},
          {"troubles", record.troubles},
          {"entries", value_or_null(record.entries)},
          {"linked", value_or_null(record.linked)},
          {"copied_bytes", value_or_null(record.copied_bytes)},
          {"compared_bytes", value_or_null(record.compared_bytes)}};
}

json hold_value(const IncInfo& inc, const std::vector<Hold>& holds) {
  for (const Hold& hold : holds) {
    if (hold.identity != inc.identity) continue;
    return {{"reason", hold.reason},
            {"made", format_utc(hold.made)},
            {"until", hold.until ? json(format_utc(*hold.until)) : json(nullptr)}};
  }
  return nullptr;
}

std::string_view status_word(IncStatus status) {
  switch (status) {
    case IncStatus::taken:
      return "taken";
    case IncStatus::exists:
      return "exists";
    case IncStatus::no_policy:
      return "no_policy";
    case IncStatus::failed:
      break;
  }
  return "failed";
}

std::string_view status_word(RemovalStatus status) {
  switch (status) {
    case RemovalStatus::removed:
      return "removed";
    case RemovalStatus::held:
      return "held";
    case RemovalStatus::missing:
      return "missing";
    case RemovalStatus::failed:
      break;
  }
  return "failed";
}

json error_value(const std::optional<Error>& error) {
  return error ? json(error->message()) : json(nullptr);
}

}  // namespace

std::string incs_json(const std::string& name, const std::vector<IncInfo>& incs,
                      const std::vector<Hold>& holds) {
  json list = json::array();
  for (const IncInfo& inc : incs) {
    list.push_back({{"name", inc.name},
                    {"dated", inc.dated},
                    {"complete", inc.complete},
                    {"error", error_value(inc.trouble)},
                    {"read_only", inc.locked},
                    {"identity", text_or_null(inc.identity)},
                    {"hold", hold_value(inc, holds)},
                    {"record", inc.record ? record_value(*inc.record) : json(nullptr)},
                    {"record_error", error_value(inc.record_trouble)}});
  }
  return print_document(json{{"jail", name}, {"incs", std::move(list)}});
}

std::string inc_outcomes_json(const std::string& inc_name,
                              const std::vector<IncOutcome>& outcomes) {
  json list = json::array();
  for (const IncOutcome& outcome : outcomes) {
    const bool taken = outcome.status == IncStatus::taken;
    list.push_back({{"jail", outcome.jail},
                    {"status", status_word(outcome.status)},
                    {"warnings", outcome.warnings},
                    {"record", taken ? record_value(outcome.record) : json(nullptr)},
                    {"error", error_value(outcome.error)}});
  }
  return print_document(json{{"inc", inc_name}, {"jails", std::move(list)}});
}

std::string removal_plans_json(const std::vector<RemovalPlan>& plans) {
  json list = json::array();
  for (const RemovalPlan& plan : plans) {
    json incs = json::array();
    for (const PlannedInc& inc : plan.incs) {
      incs.push_back({{"name", inc.name},
                      {"removed", inc.removed},
                      {"reason", inc.reason},
                      {"until", day_or_null(inc.fate)}});
    }
    list.push_back(
        {{"jail", plan.owner}, {"stopped", text_or_null(plan.stopped)}, {"incs", std::move(incs)}});
  }
  return print_document(json{{"jails", std::move(list)}});
}

std::string removal_outcomes_json(const std::vector<RemovalOutcome>& outcomes) {
  json list = json::array();
  for (const RemovalOutcome& outcome : outcomes) {
    list.push_back({{"jail", outcome.owner},
                    {"inc", text_or_null(outcome.inc)},
                    {"status", status_word(outcome.status)},
                    {"error", error_value(outcome.error)}});
  }
  return print_document(json{{"incs", std::move(list)}});
}

std::string verification_json(const std::string& name, const std::string& inc,
                              const IncVerification& verification) {
  using Proof = IncVerification::Proof;
  json document = {
      {"jail", name},
      {"inc", inc},
      {"proof", verification.proof == Proof::snapshot   ? json("snapshot")
                : verification.proof == Proof::manifest ? json("manifest")
                                                        : json()},
      {"unchanged", verification.proof == Proof::none ? json() : json(verification.unchanged)},
      {"troubles", json(verification.troubles)}};
  if (verification.proof == Proof::manifest) {
    const VerifyOutcome& tree = verification.tree;
    document.update({{"names", tree.names},
                     {"digests", tree.digests},
                     {"without_digest", tree.without_digest},
                     {"trouble_count", tree.trouble_count}});
  }
  return print_document(document);
}

}  // namespace evojail
