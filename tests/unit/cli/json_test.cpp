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
