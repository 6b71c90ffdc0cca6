// Incs, their removal and holds through the program.

#include <gmock/gmock.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"
#include "store/store_lock.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Incs : public Program {
 protected:
  using Program::Program;
  void SetUp() override { must({"init", "web1"}); }

  /// The name of an inc taken so many days ago.
  static std::string days_ago(int days) {
    const std::time_t then = std::time(nullptr) - days * 86400;
    std::tm time{};
    ::localtime_r(&then, &time);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d-%H", &time)};
  }
};

TEST_F(Incs, AreTakenListedAndThinned) {
  const std::string older = days_ago(2);
  must({"inc", "--at", older});
  const json taken = json::parse(must({"inc", "--json"}).out);
  EXPECT_EQ(taken["jails"][0]["status"], "taken");
  EXPECT_EQ(taken["jails"][0]["record"]["engine"], "btrfs");
  const Ended again = must({"inc", "--at", older});
  EXPECT_EQ(again.err,
            "evojail: warning: inc 'web1/" + older + "' exists already, nothing was done\n");
  EXPECT_THAT(again.out, HasSubstr("0 incs named " + older + " taken"));

  const json incs = json::parse(must({"list-incs", "web1", "--json"}).out);
  ASSERT_EQ(incs["incs"].size(), 2U);
  EXPECT_EQ(incs["incs"][0]["name"], older);
  EXPECT_EQ(incs["incs"][0]["complete"], true);

  write(conf("web1", "incs_policy"), "+%Y-%m-%d.-0day\n");
  EXPECT_EQ(must({"rm", "--dry-run"}).out, "remove web1/" + older + "\n");
  const std::string explained = must({"rm", "--explain"}).out;
  EXPECT_THAT(explained, StartsWith("remove web1/" + older + ": nothing keeps it\n"));
  EXPECT_THAT(explained, HasSubstr("line 1: +%Y-%m-%d.-0day; goes on "));
  const json plan = json::parse(must({"rm", "--explain", "--json"}).out)["jails"][0];
  EXPECT_EQ(plan["jail"], "web1");
  EXPECT_TRUE(plan["incs"][0]["until"].is_null());
  EXPECT_TRUE(
      explained.ends_with("; goes on " + plan["incs"][1]["until"].get<std::string>() + "\n"))
      << plan;
  EXPECT_EQ(must({"rm"}).out, "1 inc removed, 1 jail looked at\n");
  EXPECT_EQ(json::parse(must({"list-incs", "web1", "--json"}).out)["incs"].size(), 1U);
}

TEST_F(Incs, OfAJailThatIsNotThereAreSaidSoOnce) {
  const std::string none =
      "evojail: no such jail: 'nosuch'\nhint: evojail list shows the jails, evojail init makes "
      "one\n";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"inc", "nosuch"},
           {"rm", "nosuch"},
           {"list-incs", "nosuch"},
           {"verify", "nosuch", "2026-01-01-00"},
           {"inc-lock", "nosuch"},
           {"inc-hold", "nosuch/2026-01-01-00", "--reason", "audit"},
           {"inc-release", "nosuch"}}) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.code, 2) << testing::PrintToString(words);
    EXPECT_EQ(ended.err, none) << testing::PrintToString(words);
  }
  const Ended some = run({"inc", "nosuch", "web1", "--json"});
  EXPECT_EQ(some.code, 1);
  const json jails = json::parse(some.out)["jails"];
  ASSERT_EQ(jails.size(), 2U);
  EXPECT_EQ(jails[0]["status"], "taken");
  EXPECT_EQ(jails[1]["error"], "no such jail: 'nosuch'");
}

TEST_F(Incs, OfADamagedRecordAreSaidToBe) {
  must({"inc", "--at", days_ago(1)});
  for (const auto& entry :
       std::filesystem::directory_iterator(host().incdir + "/web1/.meta/incs")) {
    write(entry.path(), "{");
  }
  EXPECT_THAT(must({"list-incs", "web1"}).out,
              AllOf(HasSubstr(" partial "), HasSubstr("its record is damaged")));
  const json inc = json::parse(must({"list-incs", "web1", "--json"}).out)["incs"][0];
  EXPECT_EQ(inc["complete"], false);
  EXPECT_EQ(inc["record"], nullptr);
  EXPECT_THAT(std::string(inc["record_error"]), HasSubstr("/.meta/incs/"));
}

TEST_F(Incs, AreNotNamedAfterTheFuture) {
  const Ended failed = run({"inc", "--at", days_ago(-2)});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("lies in the future"));
  EXPECT_EQ(run({"inc", "--at", "2026-02-30-00"}).code, 1);
  EXPECT_EQ(run({"inc", "--wait", "soon"}).code, 1);
}

TEST_F(Incs, WhoseRemovalWasCutShortGoAlsoWhereNoOtherDoes) {
  must({"inc"});
  const std::string incs = host().incdir + "/web1";
  const std::string trash = incs + "/.trash-0123456789abcdef-2026-01-01-00";
  const std::string journal = host().incdir + "/.journal/web1";
  std::filesystem::create_directory(trash);
  std::filesystem::create_symlink("rm 0123456789abcdef - 0 whole", journal);
  must({"rm", "--dry-run"});
  EXPECT_TRUE(std::filesystem::exists(trash));
  {
    // Whoever is at work on the jail does that.
    const auto busy = lock_store(host(), "web1");
    ASSERT_TRUE(busy);
    must({"rm"});
    EXPECT_TRUE(std::filesystem::exists(trash));
  }
  must({"rm"});
  EXPECT_FALSE(std::filesystem::exists(trash));
  EXPECT_FALSE(std::filesystem::is_symlink(journal));
}

TEST_F(Incs, OfABrokenPolicyStayAndTheOthersGo) {
  must({"init", "db1"});
  must({"inc", "--at", days_ago(2)});
  write(conf("web1", "incs_policy"), "nonsense\n");
  write(conf("db1", "incs_policy"), "none\n");
  const Ended removed = run({"rm"});
  EXPECT_EQ(removed.code, 1);
  EXPECT_THAT(removed.err, HasSubstr("incs_policy' line 1"));
  EXPECT_EQ(removed.out, "1 inc removed, 1 jail looked at\n");
  EXPECT_EQ(json::parse(must({"list-incs", "web1", "--json"}).out)["incs"].size(), 1U);
  EXPECT_EQ(json::parse(must({"list-incs", "db1", "--json"}).out)["incs"].size(), 0U);
}

TEST_F(Incs, ThatAreHeldStay) {
  const std::string inc = days_ago(2);
  must({"inc", "--at", inc});
  write(conf("web1", "incs_policy"), "none\n");
  EXPECT_EQ(run({"inc-hold", "web1/" + inc}).code, 1);
  must({"inc-hold", "web1/" + inc, "--reason", "audit"});
  EXPECT_EQ(must({"rm", "--dry-run"}).out, "");
  must({"rm"});
  EXPECT_THAT(must({"list-incs", "web1"}).out, HasSubstr("held: audit"));
  const Ended refused = run({"remove", "web1", "--force"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("audit"));
  must({"inc-release", "web1/" + inc});
  EXPECT_EQ(must({"rm", "--dry-run"}).out, "remove web1/" + inc + "\n");
  must({"remove", "web1", "--force"});
}

TEST_F(Incs, AreAllHeldByAFreeze) {
  must({"inc", "--at", days_ago(2)});
  must({"inc", "--at", days_ago(1)});
  must({"start", "web1"});
  EXPECT_EQ(must({"freeze", "web1", "--reason", "broken into"}).out,
            "jail 'web1' is stopped, 0 sessions ended; 2 incs held\n");
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
  write(conf("web1", "incs_policy"), "none\n");
  EXPECT_EQ(must({"rm", "--dry-run"}).out, "");
  // And let go together.
  EXPECT_EQ(must({"inc-release", "web1"}).out, "inc 'web1/" + days_ago(2) +
                                                   "' is held no more\ninc 'web1/" + days_ago(1) +
                                                   "' is held no more\n");
  EXPECT_THAT(must({"rm", "--dry-run"}).out, HasSubstr(days_ago(1)));
  EXPECT_EQ(run({"inc-release", "web1"}).code, 1);
}

TEST_F(Incs, SayHowLongTheyAreHeld) {
  must({"inc", "--at", days_ago(1)});
  const std::string day = days_ago(-3).substr(0, 10);
  must({"inc-hold", "web1/" + days_ago(1), "--reason", "audit", "--until", day});
  EXPECT_THAT(must({"list-incs", "web1"}).out, HasSubstr("held until " + day + ": audit"));
}

TEST_F(Incs, OfAFrozenJailMayBeNone) {
  must({"start", "web1"});
  EXPECT_EQ(must({"freeze", "web1", "--reason", "broken into"}).out,
            "jail 'web1' is stopped, 0 sessions ended; 0 incs held\n");
}

TEST_F(Incs, OfABrokenPolicyAreNamedInJsonToo) {
  must({"inc", "--at", days_ago(1)});
  write(conf("web1", "incs_policy"), "");
  const Ended removal = run({"rm", "--json"});
  EXPECT_EQ(removal.code, 1);
  const json failed = json::parse(removal.out)["incs"];
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0]["jail"], "web1");
  EXPECT_TRUE(failed[0]["inc"].is_null());
  EXPECT_EQ(failed[0]["status"], "failed");
  const json plans = json::parse(run({"rm", "--dry-run", "--json"}).out)["jails"];
  ASSERT_EQ(plans.size(), 1U);
  EXPECT_TRUE(plans[0]["stopped"].is_string());
  EXPECT_EQ(plans[0]["incs"], json::array());
}

TEST_F(Incs, ThatCannotBeHeldLeaveTheirJailOff) {
  must({"inc", "--at", days_ago(1)});
  must({"start", "web1"});
  // No holds can be written where their file's place is taken.
  std::filesystem::create_directory(host().incdir + "/web1/.meta/holds.json");
  const Ended frozen = run({"freeze", "web1", "--reason", "broken into"});
  EXPECT_EQ(frozen.code, 1);
  EXPECT_THAT(frozen.err, HasSubstr("jail 'web1' is off, but its incs are not held"));
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
}

TEST_F(Incs, AreHeldAlsoWhereTheirJailCannotBeStopped) {
  must({"inc", "--at", days_ago(1)});
  must({"start", "web1"});
  // Its supervisor cannot be asked.
  const std::string control = host().rundir + "/web1/control";
  std::filesystem::rename(control, control + ".away");
  std::filesystem::create_symlink("control", control);
  const Ended frozen = run({"freeze", "web1", "--reason", "broken into"});
  std::filesystem::rename(control + ".away", control);
  EXPECT_EQ(frozen.code, 1);
  EXPECT_THAT(frozen.err, HasSubstr("stopping jail 'web1'"));
  EXPECT_EQ(frozen.out, "jail 'web1': 1 inc held\n");
  write(conf("web1", "incs_policy"), "none\n");
  EXPECT_EQ(must({"rm", "--dry-run"}).out, "");
}

TEST_F(Incs, ThatWereHeldAndDeletedByHandDoNotKeepTheirJail) {
  const std::string inc = days_ago(1);
  must({"inc", "--at", inc});
  must({"inc-hold", "web1/" + inc, "--reason", "audit"});
  EXPECT_EQ(run({"remove", "web1", "--force"}).code, 1);
  must({"inc-unlock", "web1/" + inc});
  std::filesystem::remove_all(host().incdir + "/web1/" + inc);
  must({"remove", "web1", "--force"});
}

TEST_F(Incs, OfAnArchivedJailAreThinnedUnattended) {
  must({"inc", "--at", days_ago(5)});
  write(conf("web1", "incs_policy"), "none\n");
  // Before, as every other jail's, they wait for a fresh one.
  EXPECT_THAT(must({"rm", "--if-fresh"}).err, HasSubstr("no complete inc is younger"));
  must({"archive", "web1"});
  const Ended removed = must({"rm", "--if-fresh"});
  EXPECT_EQ(removed.err, "");
  EXPECT_EQ(removed.out, "1 inc removed, 1 jail looked at\n");
}

// Whose data somebody has taken away for good, or to a tape.
TEST_F(Incs, OfAnArchivedJailKeepWhatProtectsThem) {
  must({"inc", "--at", days_ago(5)});
  add_setting("web1", "MIN_AGE=30");
  must({"inc"});
  write(conf("web1", "incs_policy"), "none\n");
  must({"archive", "web1"});
  std::filesystem::remove_all(host().archivesdir + "/web1");
  EXPECT_EQ(must({"rm", "--dry-run"}).out, "");
}

TEST_F(Incs, AreLockedAndUnlocked) {
  const std::string inc = days_ago(1);
  must({"inc", "--at", inc});
  EXPECT_EQ(must({"inc-unlock", "web1/" + inc}).out, "web1/" + inc + ": writable\n");
  write(host().incdir + "/web1/" + inc + "/note", "by hand\n");
  EXPECT_EQ(must({"inc-lock", "all"}).out, "web1/" + inc + ": read-only\n");
  EXPECT_THROW(write(host().incdir + "/web1/" + inc + "/note", "again\n"), std::runtime_error);
}

TEST_F(Incs, OfBtrfsAreVerifiedByTheirSnapshot) {
  const std::string inc = days_ago(1);
  must({"inc", "--at", inc});
  EXPECT_EQ(must({"verify", "web1", inc}).out,
            "inc 'web1/" + inc + "' is as it was taken: nothing was written to the snapshot\n");
  EXPECT_EQ(json::parse(must({"verify", "web1", inc, "--json"}).out)["proof"], "snapshot");

  must({"inc-unlock", "web1/" + inc});
  write(host().incdir + "/web1/" + inc + "/data/intruder", "two\n");
  must({"inc-lock", "web1/" + inc});
  ::sync();
  const Ended changed = run({"verify", "web1", inc});
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.err, StartsWith("evojail: inc 'web1/" + inc + "' is no longer what was"));
  EXPECT_EQ(run({"verify", "web1", "2026-01-01-00"}).code, 1);
  EXPECT_EQ(run({"verify", "nosuch", inc}).code, 2);
  EXPECT_EQ(run({"verify", "../incs/web1", inc}).code, 1);
}

class TreeIncs : public Incs {
 protected:
  TreeIncs() : Incs(FileSystem::ext4) {}
};

TEST_F(TreeIncs, AreVerifiedAgainstTheirManifest) {
  const std::string inc = days_ago(1);
  write(host().jaildir + "/web1/data/document", "one\n");
  must({"inc", "--at", inc});
  EXPECT_THAT(must({"verify", "web1", inc, "--contents"}).out,
              StartsWith("inc 'web1/" + inc + "' is as it was taken: "));
  EXPECT_EQ(json::parse(must({"verify", "web1", inc, "--json"}).out)["unchanged"], true);

  write(host().incdir + "/web1/" + inc + "/data/intruder", "two\n");
  const Ended changed = run({"verify", "web1", inc});
  EXPECT_EQ(changed.code, 1);
  EXPECT_THAT(changed.out, HasSubstr("data/intruder: "));
  EXPECT_THAT(changed.err, StartsWith("evojail: inc 'web1/" + inc + "' differs from its manifest"));
  EXPECT_EQ(json::parse(run({"verify", "web1", inc, "--json"}).out)["unchanged"], false);
}

TEST_F(Incs, AreLeftAloneWithoutAFreshOne) {
  must({"inc", "--at", days_ago(5)});
  write(conf("web1", "incs_policy"), "none\n");
  const Ended stopped = must({"rm", "--if-fresh"});
  EXPECT_THAT(stopped.err, StartsWith("evojail: warning: web1: no complete inc is younger"));
  EXPECT_EQ(json::parse(must({"list-incs", "web1", "--json"}).out)["incs"].size(), 1U);
  must({"rm"});
  EXPECT_EQ(json::parse(must({"list-incs", "web1", "--json"}).out)["incs"].size(), 0U);
}

}  // namespace
}  // namespace evojail::test
