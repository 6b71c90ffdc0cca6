#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/json/host.hpp"
#include "cli/json/incs.hpp"
#include "cli/json/jails.hpp"

namespace evojail {
namespace {

using nlohmann::json;

/// Every document has its version in front.
json read(const std::string& text) {
  EXPECT_TRUE(text.starts_with("{\n  \"schema_version\": 1,\n")) << text;
  return json::parse(text);
}

TEST(Json, SimpleFacts) {
  EXPECT_EQ(read(names_json({"a", "b"}))["jails"], json({"a", "b"}));
  EXPECT_EQ(read(names_json({}))["jails"], json::array());
  EXPECT_EQ(read(port_json("a", 2222))["port"], 2222);
  EXPECT_EQ(read(keys_json("a", {"ssh-ed25519 x"}))["keys"][0], "ssh-ed25519 x");
}

// `name` is an inc's or a profile's; a jail is `jail` wherever it is not one of a plain list.
TEST(Json, CallsAJailAJail) {
  JailStatus status;
  status.name = "a";
  RemovalPlan plan;
  plan.owner = "a";
  IncOutcome outcome;
  outcome.jail = "a";
  for (const std::string& text :
       {port_json("a", 2222), keys_json("a", {}), allow_json("a", {}), new_jail_json("a", 2222, {}),
        incs_json("a", {}, {}), verification_json("a", "2026-03-22-11", {})}) {
    EXPECT_EQ(read(text)["jail"], "a") << text;
    EXPECT_FALSE(read(text).contains("name")) << text;
  }
  for (const std::string& text :
       {statuses_json({status}), firewall_json({{"a", {}}}), removal_plans_json({plan}),
        inc_outcomes_json("2026-03-22-11", {outcome})}) {
    EXPECT_EQ(read(text)["jails"][0]["jail"], "a") << text;
    EXPECT_FALSE(read(text)["jails"][0].contains("name")) << text;
  }
  EXPECT_EQ(
      read(removal_outcomes_json({{"a", "b", RemovalStatus::removed, {}}}))["incs"][0]["jail"],
      "a");
}

TEST(Json, AddressesAreAList) {
  JailSettings settings;
  EXPECT_EQ(read(allow_json("a", settings))["allow"], json::array({"all"}));
  settings.allow_all = false;
  EXPECT_EQ(read(allow_json("a", settings))["allow"], json::array());
  settings.allow.push_back(*parse_prefix("192.0.2.0/24"));
  EXPECT_EQ(read(allow_json("a", settings))["allow"], json({"192.0.2.0/24"}));
}

TEST(Json, StatusHasNullForWhatIsNotKnown) {
  JailStatus jail;
  jail.name = "a";
  jail.answered = false;
  const json value = read(statuses_json({jail}))["jails"][0];
  for (const char* key :
       {"state", "port", "allow", "supervisor", "last_session", "incs", "newest_inc", "firewall"}) {
    ASSERT_TRUE(value.contains(key)) << key;
    EXPECT_TRUE(value[key].is_null()) << key;
  }
  jail.answered = true;
  EXPECT_EQ(read(statuses_json({jail}))["jails"][0]["state"], "off");
}

TEST(Json, StatusHasTimesInUtcAndBytesAsIntegers) {
  JailStatus jail;
  jail.name = "a";
  SupervisorStatus supervisor;
  supervisor.since = 1763847607;
  SessionStatus session;
  session.received = 5000000000;
  supervisor.sessions.push_back(session);
  jail.supervisor = supervisor;
  const json value = read(statuses_json({jail}))["jails"][0];
  EXPECT_EQ(value["state"], "on");
  EXPECT_EQ(value["supervisor"]["since"], "2025-11-22T21:40:07Z");
  const json shown = value["supervisor"]["sessions"][0];
  EXPECT_EQ(shown["received_bytes"], 5000000000);
  EXPECT_TRUE(shown["claimed_command"].is_null());
}

TEST(Json, IncsHaveRecordAndHold) {
  IncInfo inc;
  inc.name = "2026-03-22-11";
  inc.identity = "abc";
  inc.held = true;
  inc.record.emplace();
  inc.record->began = 1763847607;
  inc.record->partial = true;
  IncInfo bare;
  bare.name = "stray";
  bare.dated = false;
  bare.record_trouble = Error("reading 'r': no");
  const json value =
      read(incs_json("a", {inc, bare}, {{"abc", "2026-03-22-11", "why", 1763847607, {}}}));
  const json shown = value["incs"][0];
  EXPECT_EQ(shown["hold"]["reason"], "why");
  EXPECT_TRUE(shown["hold"]["until"].is_null());
  EXPECT_EQ(shown["record"]["began"], "2025-11-22T21:40:07Z");
  EXPECT_TRUE(shown["record"]["ended"].is_null());
  EXPECT_EQ(shown["record"]["partial"], true);
  EXPECT_TRUE(shown["record_error"].is_null());
  EXPECT_TRUE(value["incs"][1]["record"].is_null());
  EXPECT_EQ(value["incs"][1]["record_error"], "reading 'r': no");
  EXPECT_TRUE(value["incs"][1]["hold"].is_null());
}

TEST(Json, Outcomes) {
  IncOutcome failed;
  failed.jail = "a";
  failed.error = Error("no");
  const json value = read(inc_outcomes_json("2026-03-22-11", {failed}))["jails"][0];
  EXPECT_EQ(value["status"], "failed");
  EXPECT_EQ(value["error"], "no");
  EXPECT_TRUE(value["record"].is_null());
  const json removal =
      read(removal_outcomes_json({{"a", "2026-03-22-11", RemovalStatus::removed, {}}}))["incs"][0];
  EXPECT_EQ(removal["status"], "removed");
  EXPECT_TRUE(removal["error"].is_null());
}

TEST(Json, AnIncGoesOnADate) {
  RemovalPlan plan;
  plan.owner = "a";
  const Fate now{.kind = Fate::Kind::now, .day = {}};
  const Fate on{.kind = Fate::Kind::on, .day = {.year = 2026, .month = 12, .day = 31}};
  plan.incs = {{.name = "2026-03-20-11", .removed = true, .reason = {}, .fate = now},
               {.name = "2026-03-21-11", .removed = false, .reason = "held", .fate = Fate()},
               {.name = "2026-03-22-11", .removed = false, .reason = "line 1", .fate = on},
               {.name = "2026-03-23-11", .removed = false, .reason = "line 1"}};
  const json incs = read(removal_plans_json({plan}))["jails"][0]["incs"];
  EXPECT_TRUE(incs[0]["until"].is_null());
  EXPECT_TRUE(incs[1]["until"].is_null());
  EXPECT_EQ(incs[2]["until"], "2026-12-31");
  EXPECT_TRUE(incs[3]["until"].is_null());
}

TEST(Json, StatusSaysWhyNoIncIsRemoved) {
  JailStatus jail;
  jail.has_incs_policy = true;
  EXPECT_TRUE(read(statuses_json({jail}))["jails"][0]["incs_policy_error"].is_null());
  jail.policy_trouble = Error("it is empty");
  EXPECT_EQ(read(statuses_json({jail}))["jails"][0]["incs_policy_error"], "it is empty");
}

TEST(Json, WhatCannotBeVerifiedIsNotKnownToHaveChanged) {
  EXPECT_TRUE(read(verification_json("a", "2026-03-22-11", {}))["unchanged"].is_null());
  IncVerification changed;
  changed.proof = IncVerification::Proof::snapshot;
  EXPECT_EQ(read(verification_json("a", "2026-03-22-11", changed))["unchanged"], false);
}

TEST(Json, BytesThatAreNoTextDoNotBreakADocument) {
  const json value = read(findings_json({note("volume", "name \xff\xfe", "mend it")}));
  EXPECT_EQ(value["findings"][0]["level"], "note");
  EXPECT_EQ(value["findings"][0]["cure"], "mend it");
}

TEST(Json, UpdateSaysWhatChanged) {
  BuildReport build;
  build.id = "0123456789abcdef";
  build.built = true;
  build.changes.added = {"/usr/bin/rsync"};
  const json value = read(update_json(build, {"fedcba9876543210"}));
  EXPECT_EQ(value["built"], true);
  EXPECT_EQ(value["added"], json({"/usr/bin/rsync"}));
  EXPECT_EQ(value["pruned"], json({"fedcba9876543210"}));
}

}  // namespace
}  // namespace evojail
