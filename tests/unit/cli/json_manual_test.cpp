// evojail-json(5) is written by hand: each member that a document has must be in it.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/file.hpp"
#include "cli/json/host.hpp"
#include "cli/json/incs.hpp"
#include "cli/json/jails.hpp"

namespace evojail {
namespace {

using nlohmann::json;

void collect(const json& value, std::set<std::string>& members) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) members.insert(name);
  }
  if (!value.is_structured()) return;
  for (const json& member : value) collect(member, members);
}

JailStatus running_jail() {
  JailStatus jail;
  jail.settings.emplace();
  jail.supervisor.emplace();
  jail.supervisor->sessions.emplace_back();
  jail.last_session.emplace();
  jail.firewall.emplace();
  return jail;
}

/// A jail's incs with all that there can be about one.
std::string held_inc() {
  IncInfo inc;
  inc.identity = "an inc";
  inc.record.emplace();
  Hold hold;
  hold.identity = inc.identity;
  return incs_json("web1", {inc}, {hold});
}

std::string planned_removal() {
  RemovalPlan plan;
  plan.incs.emplace_back();
  return removal_plans_json({plan});
}

std::string verified_by_manifest() {
  IncVerification verification;
  verification.proof = IncVerification::Proof::manifest;
  return verification_json("web1", "2026-03-22-11", verification);
}

TEST(JsonManual, HasEveryMember) {
  std::set<std::string> members;
  for (const std::string& text : {
           names_json({"web1"}),
           keys_json("web1", {}),
           port_json("web1", 2222),
           allow_json("web1", {}),
           new_jail_json("web1", 2222, {{.type = "ed25519", .private_key = {}, .public_key = {}}}),
           firewall_json({{.name = "web1", .settings = {}}}),
           statuses_json({running_jail()}),
           held_inc(),
           inc_outcomes_json("2026-03-22-11", {IncOutcome()}),
           planned_removal(),
           removal_outcomes_json({RemovalOutcome()}),
           verified_by_manifest(),
           findings_json({Finding()}),
           update_json({}, {}),
           profiles_json({"default"}, {Profile()}),
           profile_check_json("default.json", {CompiledSize()}),
       }) {
    collect(json::parse(text), members);
  }
  EXPECT_GT(members.size(), 80U);

  const auto manual = read_file(std::string(EVOJAIL_SOURCE_DIR) + "/docs/evojail-json.5");
  ASSERT_TRUE(manual);
  for (const std::string& member : members) {
    EXPECT_TRUE(manual->contains("Va " + member + "\n") || manual->contains("Va " + member + " "))
        << member;
  }
}

}  // namespace
}  // namespace evojail
