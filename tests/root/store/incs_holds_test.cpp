// Holds and freezes.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <stdio.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "root/store/incs_fixture.hpp"
#include "store/holds.hpp"
#include "store/store_lock.hpp"

namespace evojail::test {
namespace {

TEST_P(IncsTest, HoldsWaitForWhoeverIsAtWork) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  std::optional<FileLock> at_work;
  std::string said;
  const auto lock = [&] {
    auto taken = lock_store(world_.host, "web1");
    ASSERT_TRUE(taken);
    at_work = std::move(*taken);
  };
  const auto ends = [&](const Error& busy) {
    said += busy.message();
    at_work.reset();
  };
  lock();
  EXPECT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "court order", {}, ends));
  EXPECT_THAT(std::exchange(said, ""), testing::HasSubstr("held by pid"));
  lock();
  EXPECT_TRUE(release_inc(world_.host, "web1", "2026-01-01-00", ends));
  EXPECT_THAT(std::exchange(said, ""), testing::HasSubstr("held by pid"));
  lock();
  EXPECT_TRUE(hold_all_incs(world_.host, "web1", "intrusion", {}, ends));
  EXPECT_THAT(std::exchange(said, ""), testing::HasSubstr("held by pid"));
  EXPECT_TRUE(hold_all_incs(world_.host, "web1", "intrusion", {}, ends));
  EXPECT_EQ(said, "") << "nobody was at work";
}

TEST_P(IncsTest, HoldsBind) {
  world_.make_jail("web1");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "court order"));
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-02-00", "over", 1));
  EXPECT_FALSE(hold_inc(world_.host, "web1", "2026-09-09-00", "none"));
  EXPECT_FALSE(hold_inc(world_.host, "web1", "2026-01-01-00", ""));
  // A second hold shortens none.
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "court order", 1));
  // By identity: another name does not get it out of its hold.
  std::filesystem::rename(world_.inc("web1", "2026-01-01-00"), world_.inc("web1", "2025-01-01-00"));
  auto outcomes = world_.remove("web1", {"2025-01-01-00", "2026-01-02-00"});
  EXPECT_EQ(outcomes[0].status, RemovalStatus::held);
  EXPECT_EQ(outcomes[1].status, RemovalStatus::removed);
  const auto holds = list_holds(world_.host, "web1");
  ASSERT_TRUE(holds);
  ASSERT_EQ(holds->size(), 1U);
  EXPECT_EQ(holds->front().reason, "court order");
  ASSERT_TRUE(release_inc(world_.host, "web1", "2025-01-01-00"));
  EXPECT_FALSE(release_inc(world_.host, "web1", "2025-01-01-00"));
  EXPECT_EQ(world_.remove("web1", {"2025-01-01-00"})[0].status, RemovalStatus::removed);
}

TEST_P(IncsTest, WhatIsKnownOfIncsFollowsThemToAnotherVolume) {
  world_.make_jail("web1");
  const auto pushing = [] { return OpenSessions{{"192.0.2.7"}, true, false}; };
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc, pushing).status, IncStatus::taken);
  }
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "court order"));
  // As rsync brings them there: the same names, other inodes and subvolumes.
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00"}) {
    const std::string path = world_.inc("web1", inc);
    std::filesystem::copy(path, path + "-copy", std::filesystem::copy_options::recursive);
    ASSERT_TRUE(unlock_inc(world_.host, "web1", inc));
    std::filesystem::remove_all(path);
    std::filesystem::rename(path + "-copy", path);
  }
  for (const auto detail : {ListDetail::names, ListDetail::full}) {
    const auto incs = list_incs(world_.host, "web1", detail).value();
    EXPECT_TRUE(incs.at(0).held);
    EXPECT_FALSE(incs.at(1).held);
    EXPECT_FALSE(incs.at(2).held);
  }
  const auto all = list_incs(world_.host, "web1").value();
  EXPECT_TRUE(std::ranges::none_of(all, &IncInfo::complete));
  // What the policy removes meanwhile takes nothing along.
  auto outcomes = world_.remove("web1", {"2026-01-01-00", "2026-01-03-00"});
  EXPECT_EQ(outcomes[0].status, RemovalStatus::held);
  EXPECT_EQ(outcomes[1].status, RemovalStatus::removed);
  EXPECT_FALSE(find_inc(world_.host, "web1", "2026-01-02-00")->complete);
  const auto holds = list_holds(world_.host, "web1").value();
  ASSERT_EQ(holds.size(), 1U);
  EXPECT_EQ(holds.front().identity, find_inc(world_.host, "web1", "2026-01-01-00")->identity);
  // Another hold does not undo the first.
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-02-00", "more"));
  EXPECT_EQ(list_holds(world_.host, "web1")->size(), 2U);
  ASSERT_TRUE(release_inc(world_.host, "web1", "2026-01-01-00"));
  EXPECT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
}

// Incs that somebody moves out of the way for a while, or that are still on their way to a new
// volume, on which .meta came first.
TEST_P(IncsTest, HoldsOutlastAnRmOfTheEmptyDirectory) {
  world_.make_jail("web1");
  const std::string inc = "2026-01-01-00";
  const auto pushing = [] { return OpenSessions{{"192.0.2.7"}, true, false}; };
  ASSERT_EQ(world_.take("web1", inc, pushing).status, IncStatus::taken);
  ASSERT_TRUE(hold_inc(world_.host, "web1", inc, "court order"));
  ASSERT_TRUE(unlock_inc(world_.host, "web1", inc));
  const std::string away = world_.volume.path() + "/away";
  std::filesystem::rename(world_.inc("web1", inc), away);
  EXPECT_THAT(world_.remove("web1", {}), ::testing::IsEmpty());
  std::filesystem::rename(away, world_.inc("web1", inc));
  EXPECT_EQ(world_.remove("web1", {inc})[0].status, RemovalStatus::held);
  EXPECT_FALSE(find_inc(world_.host, "web1", inc)->complete);
  // What is deleted by hand holds nothing when its jail is removed.
  std::filesystem::remove_all(world_.inc("web1", inc));
  EXPECT_THAT(world_.remove("web1", {}), ::testing::IsEmpty());
  ASSERT_TRUE(remove_jail(world_.host, "web1", false));
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").incs_dir));
}

// On an ext4 of old an inc's identity is a bare inode number, and after a copy to another volume
// what one inc had can be another's. Whose the hold was cannot be told: neither goes.
TEST(IncsWithoutBirthTimes, WhoseNumbersWereExchangedStay) {
  LoopVolume::Options options;
  options.mkfs_options = {"-I", "128"};
  StoreWorld world(FileSystem::ext4, options);
  world.make_jail("web1");
  const std::string one = "2026-01-01-00";
  const std::string two = "2026-01-02-00";
  const auto pushing = [] { return OpenSessions{{"192.0.2.7"}, true, false}; };
  ASSERT_EQ(world.take("web1", one).status, IncStatus::taken);
  ASSERT_EQ(world.take("web1", two, pushing).status, IncStatus::taken);
  ASSERT_TRUE(hold_inc(world.host, "web1", two, "court order"));
  ASSERT_EQ(::renameat2(AT_FDCWD, world.inc("web1", one).c_str(), AT_FDCWD,
                        world.inc("web1", two).c_str(), RENAME_EXCHANGE),
            0);
  for (const std::string& inc : {one, two}) {
    EXPECT_EQ(world.remove("web1", {inc})[0].status, RemovalStatus::held) << inc;
    EXPECT_FALSE(find_inc(world.host, "web1", inc)->complete) << inc;
  }
  // Names that are gone were given up for others.
  std::filesystem::rename(world.inc("web1", one), world.inc("web1", "2025-01-02-00"));
  std::filesystem::rename(world.inc("web1", two), world.inc("web1", "2025-01-01-00"));
  EXPECT_TRUE(find_inc(world.host, "web1", "2025-01-01-00")->complete);
}

TEST_P(IncsTest, FreezeHoldsAll) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::taken);
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "mine"));
  const auto held = hold_all_incs(world_.host, "web1", "intrusion");
  ASSERT_TRUE(held);
  EXPECT_EQ(*held, 2U);
  const auto incs = list_incs(world_.host, "web1", ListDetail::names);
  ASSERT_TRUE(incs);
  EXPECT_TRUE(std::ranges::all_of(*incs, &IncInfo::held));
  EXPECT_EQ(list_holds(world_.host, "web1")->front().reason, "mine; intrusion");
  // The reason is there already.
  ASSERT_TRUE(hold_all_incs(world_.host, "web1", "intrusion"));
  EXPECT_EQ(list_holds(world_.host, "web1")->front().reason, "mine; intrusion");
}

TEST_P(IncsTest, FreezeOutlastsHoldsThatEndEarlier) {
  world_.make_jail("web1");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  const std::int64_t day = 86400;
  const std::int64_t end = std::time(nullptr) + 10 * day;
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "audit", end - 9 * day));
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-02-00", "law", end + day));
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-03-00", "for ever"));
  ASSERT_EQ(hold_all_incs(world_.host, "web1", "intrusion", end).value(), 3U);
  auto holds = list_holds(world_.host, "web1").value();
  ASSERT_EQ(holds.size(), 3U);
  EXPECT_EQ(holds[0].until, end);
  EXPECT_EQ(holds[0].reason, "audit; intrusion");
  EXPECT_EQ(holds[1].until, end + day);
  EXPECT_EQ(holds[2].until, std::nullopt);
  ASSERT_TRUE(hold_all_incs(world_.host, "web1", "intrusion"));
  holds = list_holds(world_.host, "web1").value();
  for (const Hold& hold : holds) {
    EXPECT_EQ(hold.until, std::nullopt) << hold.inc;
  }
}

TEST_P(IncsTest, FreezeOfAJailWithoutIncsHoldsNone) {
  world_.make_jail("web1");
  const auto held = hold_all_incs(world_.host, "web1", "intrusion");
  ASSERT_TRUE(held) << held.error().message();
  EXPECT_EQ(*held, 0U);
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").incs_dir));
}

TEST_P(IncsTest, WhatIsKeptOfAnIncThatPeopleDeletedGoes) {
  world_.make_jail("web1");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "audit"));
  ASSERT_TRUE(unlock_inc(world_.host, "web1", "2026-01-01-00"));
  std::filesystem::remove_all(world_.inc("web1", "2026-01-01-00"));
  // An inc under a name that is none keeps what is known of it.
  std::filesystem::rename(world_.inc("web1", "2026-01-02-00"), world_.inc("web1", "before-march"));
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-03-00", "law"));
  EXPECT_EQ(list_holds(world_.host, "web1")->size(), 1U);
  ASSERT_TRUE(release_inc(world_.host, "web1", "2026-01-03-00"));
  ASSERT_EQ(world_.remove("web1", {"2026-01-03-00"})[0].status, RemovalStatus::removed);
  const auto records = JailPaths(world_.host, "web1").meta_dir + "/incs";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(records), {}), 1);
  std::filesystem::rename(world_.inc("web1", "before-march"), world_.inc("web1", "2026-01-02-00"));
  EXPECT_TRUE(find_inc(world_.host, "web1", "2026-01-02-00")->record);
}

}  // namespace
}  // namespace evojail::test
