#include "store/incs.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <filesystem>
#include <iterator>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/holds.hpp"
#include "store/inc_verify.hpp"
#include "store/journal.hpp"
#include "store/store_lock.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Mounted over a directory of a jail, whose files an inc then cannot have.
class OtherFileSystem {
 public:
  explicit OtherFileSystem(std::string path) : path_(std::move(path)) {
    if (::mount("tmpfs", path_.c_str(), "tmpfs", 0, nullptr) != 0) ADD_FAILURE() << "mounting";
    root_ = Fd(::open(path_.c_str(), O_PATH | O_CLOEXEC));
  }
  OtherFileSystem(const OtherFileSystem&) = delete;
  OtherFileSystem& operator=(const OtherFileSystem&) = delete;
  /// By its root, wherever that was moved.
  ~OtherFileSystem() {
    ::umount2(("/proc/self/fd/" + std::to_string(root_.get())).c_str(), MNT_DETACH);
  }

 private:
  std::string path_;
  Fd root_;
};

/// Without the capabilities that let root read what modes forbid, as a damaged disk does.
class WithoutOverride {
 public:
  WithoutOverride() {
    ::syscall(SYS_capget, &header_, before_.data());
    auto less = before_;
    less[0].effective &= ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH);
    if (::syscall(SYS_capset, &header_, less.data()) != 0) ADD_FAILURE() << "capset";
  }
  WithoutOverride(const WithoutOverride&) = delete;
  WithoutOverride& operator=(const WithoutOverride&) = delete;
  ~WithoutOverride() { ::syscall(SYS_capset, &header_, before_.data()); }

 private:
  __user_cap_header_struct header_{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

class IncsTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  StoreWorld world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(All, IncsTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

TEST_P(IncsTest, HoldsWhatTheJailHeld) {
  world_.make_jail("web1");
  const auto outcome = world_.take("web1", "2026-01-01-00");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  EXPECT_FALSE(outcome.record.partial);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00") + "/data"),
            describe_tree(world_.data("web1")));
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-01-00"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(IncsTest, ChangesInTheJailDoNotReachThem) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  const std::string first = describe_tree(world_.inc("web1", "2026-01-01-00"));
  const std::string second = describe_tree(world_.inc("web1", "2026-01-01-01"));
  const std::string data = world_.data("web1");
  {
    const Fd file(::open((data + "/changed").c_str(), O_WRONLY));
    ASSERT_EQ(::pwrite(file.get(), "EVIL", 4, 0), 4);
  }
  ASSERT_EQ(::truncate((data + "/dir/deep").c_str(), 1), 0);
  ASSERT_EQ(::chmod((data + "/kept").c_str(), 0600), 0);
  ASSERT_EQ(::chown((data + "/kept").c_str(), 33, 33), 0);
  ASSERT_EQ(world_.take("web1", "2026-01-01-02").status, IncStatus::taken);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00")), first);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-01")), second);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-01-02") + "/data/changed"), "EVILre\n");
}

TEST_P(IncsTest, ShareNoInodeWithTheJail) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  const auto live = inodes(JailPaths(world_.host, "web1").jail_dir);
  ASSERT_FALSE(live.empty());
  for (const char* inc : {"2026-01-01-00", "2026-01-01-01"}) {
    const auto frozen = inodes(world_.inc("web1", inc));
    ASSERT_EQ(frozen.size(), live.size());
    std::vector<std::pair<std::uint64_t, std::uint64_t>> shared;
    std::ranges::set_intersection(live, frozen, std::back_inserter(shared));
    EXPECT_THAT(shared, IsEmpty());
  }
}

TEST_P(IncsTest, SecondOfTheHourIsSkipped) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  write_file(world_.data("web1") + "/changed", "after\n");
  EXPECT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::exists);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-01-00") + "/data/changed"), "before\n");
}

TEST_P(IncsTest, WithoutAPolicyNoneIsTaken) {
  world_.make_jail("web1");
  std::filesystem::remove(JailPaths(world_.host, "web1").incs_policy);
  EXPECT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::no_policy);
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").incs_dir));
}

TEST_P(IncsTest, OneJailsErrorDoesNotStopTheOthers) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  world_.make_jail("web3");
  const auto lock = lock_store(world_.host, "web2");
  ASSERT_TRUE(lock);
  const std::vector<IncRequest> requests{
      {.jail = "none"}, {.jail = "web1"}, {.jail = "web2"}, {.jail = "../x"}, {.jail = "web3"}};
  std::size_t done = 0;
  const auto outcomes = take_incs(world_.host, requests, "2026-01-01-00", {},
                                  [&done](const IncProgress& state) { done = state.done; });
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(done, 5U);
  EXPECT_EQ(outcomes[0].status, IncStatus::failed);
  EXPECT_EQ(outcomes[0].error->kind(), ErrorKind::no_such_jail);
  EXPECT_EQ(outcomes[1].status, IncStatus::taken);
  EXPECT_EQ(outcomes[2].status, IncStatus::failed);
  EXPECT_THAT(outcomes[2].error->message(), HasSubstr("held by pid"));
  EXPECT_EQ(outcomes[3].status, IncStatus::failed);
  EXPECT_EQ(outcomes[4].status, IncStatus::taken);
}

TEST_P(IncsTest, ABusyJailIsTriedAgainBehindTheOthers) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  std::optional<FileLock> lock = lock_store(world_.host, "web1").value();
  std::size_t done = 0;
  bool other_was_there = false;
  const std::vector<IncRequest> requests{{.jail = "web1"}, {.jail = "web2"}};
  const auto outcomes =
      take_incs(world_.host, requests, "2026-01-01-00", {.lock_patience = std::chrono::hours(1)},
                [&](const IncProgress& state) {
                  done = state.done;
                  if (state.jail != "web1" || !path_exists(world_.inc("web2", "2026-01-01-00"))) {
                    return;
                  }
                  other_was_there = other_was_there || lock;
                  lock.reset();
                });
  EXPECT_EQ(outcomes[0].status, IncStatus::taken);
  EXPECT_EQ(outcomes[1].status, IncStatus::taken);
  EXPECT_TRUE(other_was_there);
  EXPECT_EQ(done, 2U);
}

/// A directory named like an inc, with a place that nothing can remove: what a disk with EIO does.
std::string make_indelible(const std::string& path) {
  std::filesystem::create_directories(path + "/data/dir");
  return path + "/data/dir";
}

TEST_P(IncsTest, WhatRmCannotDeleteDoesNotStopTheNext) {
  world_.make_jail("web1");
  const std::string old = "2025-12-30-00";
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  {
    const OtherFileSystem stuck(make_indelible(world_.inc("web1", old)));
    const auto removed = world_.remove("web1", {old});
    ASSERT_EQ(removed.size(), 1U);
    EXPECT_EQ(removed[0].status, RemovalStatus::failed);

    const auto outcome = world_.take("web1", "2026-01-02-00");
    ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
    EXPECT_FALSE(outcome.record.partial);
    ASSERT_EQ(outcome.warnings.size(), 1U);
    EXPECT_THAT(outcome.warnings[0], HasSubstr("removal of incs that was cut short"));

    // What can go goes, and the error is not forgotten.
    std::filesystem::create_directory(world_.inc("web1", "2025-12-31-00"));
    const auto others = world_.remove("web1", {"2025-12-31-00", "2026-01-01-00"});
    ASSERT_EQ(others.size(), 3U);
    EXPECT_EQ(others[0].status, RemovalStatus::removed) << others[0].error->message();
    EXPECT_EQ(others[1].status, RemovalStatus::removed) << others[1].error->message();
    EXPECT_EQ(others[2].status, RemovalStatus::failed);
    EXPECT_EQ(others[2].inc, "");
    EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-02-00"));
    EXPECT_TRUE(hold_inc(world_.host, "web1", "2026-01-02-00", "test", std::nullopt));
    // One that fails leaves the trash to the next, too.
    const std::string jail_dir = JailPaths(world_.host, "web1").jail_dir;
    std::filesystem::rename(jail_dir, jail_dir + "-away");
    EXPECT_EQ(world_.take("web1", "2026-01-03-00").status, IncStatus::failed);
    std::filesystem::rename(jail_dir + "-away", jail_dir);
    EXPECT_EQ(world_.leftovers().size(), 2U);
  }
  const auto outcome = world_.take("web1", "2026-01-03-00");
  ASSERT_EQ(outcome.status, IncStatus::taken);
  EXPECT_THAT(outcome.warnings, IsEmpty());
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(IncsTest, AHalfBuiltOneThatCannotBeDeletedDoesNotStopTheNext) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::inc;
  entry.token = "0123456789abcdef";
  entry.subject = "2026-01-02-00";
  ASSERT_TRUE(JournalDir::open(world_.host)->write("web1", entry));
  {
    const OtherFileSystem stuck(make_indelible(world_.inc("web1", entry.new_name())));
    for (const char* inc : {"2026-01-02-00", "2026-01-03-00"}) {
      const auto outcome = world_.take("web1", inc);
      ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
      EXPECT_EQ(outcome.warnings.size(), 1U);
    }
  }
  EXPECT_THAT(world_.remove("web1", {}), IsEmpty());
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  EXPECT_THAT(world_.inc_names("web1"),
              ElementsAre("2026-01-01-00", "2026-01-02-00", "2026-01-03-00"));
}

TEST_P(IncsTest, OneThatCannotBeReadDoesNotStopTheNext) {
  world_.make_jail("web1");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  if (GetParam() == FileSystem::btrfs) {
    ASSERT_TRUE(unlock_inc(world_.host, "web1", "2026-01-03-00"));
  }
  const std::string unreadable = world_.inc("web1", "2026-01-03-00");
  ASSERT_EQ(::chown(unreadable.c_str(), 4711, 4711), 0);
  ASSERT_EQ(::chmod(unreadable.c_str(), 0), 0);
  const WithoutOverride poor;
  const auto incs = list_incs(world_.host, "web1");
  ASSERT_TRUE(incs) << incs.error().message();
  ASSERT_EQ(incs->size(), 3U);
  EXPECT_TRUE((*incs)[1].complete);
  EXPECT_FALSE((*incs)[1].trouble);
  EXPECT_FALSE((*incs)[2].complete);
  EXPECT_TRUE((*incs)[2].trouble);
  EXPECT_FALSE(find_inc(world_.host, "web1", "2026-01-03-00"));

  const auto outcome = world_.take("web1", "2026-01-04-00");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  EXPECT_FALSE(outcome.full_copy);
  if (GetParam() != FileSystem::btrfs) {
    ASSERT_EQ(outcome.warnings.size(), 1U);
    EXPECT_THAT(outcome.warnings[0], HasSubstr("2026-01-03-00"));
    EXPECT_EQ(outcome.record.copied_bytes, 0U);
  }
  // It may be held, and its record must not go.
  const auto removed = world_.remove("web1", {"2026-01-01-00", "2026-01-03-00"});
  ASSERT_EQ(removed.size(), 2U);
  EXPECT_EQ(removed[0].status, RemovalStatus::removed);
  EXPECT_EQ(removed[1].status, RemovalStatus::failed);
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-04-00", "test", std::nullopt));
  EXPECT_EQ(world_.remove("web1", {"2026-01-03-00"})[0].status, RemovalStatus::held);
}

TEST_P(IncsTest, HoldsThatCannotBeReadDoNotStopTheNext) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  write_file(world_.inc("web1", ".meta") + "/holds.json", "rot");
  const auto outcome = world_.take("web1", "2026-01-02-00");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  EXPECT_FALSE(outcome.full_copy);
  EXPECT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::failed);
}

TEST_P(IncsTest, BadNameIsRefused) {
  world_.make_jail("web1");
  for (const char* name : {"2026-13-01-00", "../x", "2026-01-01", ""}) {
    EXPECT_EQ(world_.take("web1", name).status, IncStatus::failed) << name;
  }
}

TEST_P(IncsTest, RecordTellsHowItWasTaken) {
  world_.make_jail("web1");
  const auto outcome =
      world_.take("web1", "2026-01-01-00", [] { return OpenSessions{{"192.0.2.7"}, true, false}; });
  ASSERT_EQ(outcome.status, IncStatus::taken);
  const auto info = find_inc(world_.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(info);
  ASSERT_TRUE(info->record);
  EXPECT_EQ(*info->record, outcome.record);
  EXPECT_TRUE(info->record->push_in_flight);
  EXPECT_TRUE(info->record->partial);
  EXPECT_FALSE(info->complete);
  EXPECT_THAT(info->record->sessions, ElementsAre("192.0.2.7"));
  EXPECT_EQ(info->record->engine, GetParam() == FileSystem::btrfs ? "btrfs" : "tree");
  EXPECT_GT(info->record->began, 0);
  EXPECT_GE(*info->record->ended, info->record->began);
  EXPECT_EQ(info->locked, GetParam() == FileSystem::btrfs);
}

TEST_P(IncsTest, SessionsAreAskedForAroundEachInc) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  // The second jail's session begins when the first's inc is under way, its third after the
  // snapshot or walk.
  std::atomic<unsigned> first = 0;
  std::atomic<unsigned> second = 0;
  std::vector<IncRequest> requests(2);
  requests[0] = {.jail = "web1", .sessions = [&first] {
                   ++first;
                   return OpenSessions{{}, false, true};
                 }};
  requests[1] = {.jail = "web2", .sessions = [&first, &second] {
                   EXPECT_GT(first, 0U);
                   OpenSessions now{{"1: 192.0.2.7 port 1, since 2026"}, false, false};
                   if (++second > 1) {
                     now.lines[0] += ", rsync --server";
                     now.lines.emplace_back("2: 192.0.2.8 port 2, since 2026");
                     now.push_in_flight = true;
                   }
                   return now;
                 }};
  const IncOptions options;
  const auto outcomes = take_incs(world_.host, requests, "2026-01-01-00", options);
  ASSERT_EQ(outcomes[0].status, IncStatus::taken);
  ASSERT_EQ(outcomes[1].status, IncStatus::taken);
  EXPECT_EQ(first, 2U);
  EXPECT_EQ(second, 2U);
  EXPECT_FALSE(outcomes[0].record.partial);
  EXPECT_TRUE(outcomes[1].record.partial);
  EXPECT_TRUE(outcomes[1].record.push_in_flight);
  EXPECT_THAT(outcomes[1].record.sessions,
              ElementsAre("1: 192.0.2.7 port 1, since 2026, rsync --server",
                          "2: 192.0.2.8 port 2, since 2026"));
}

TEST_P(IncsTest, APushDoesNotKeepAnIncFromBeingBuiltOn) {
  if (GetParam() == FileSystem::btrfs) return;  // its incs are built on none
  world_.make_jail("web1");
  const auto pushing = [] { return OpenSessions{{"192.0.2.7"}, true, false}; };
  ASSERT_EQ(world_.take("web1", "2026-01-01-00", pushing).status, IncStatus::taken);
  const auto second = world_.take("web1", "2026-01-02-00", pushing);
  ASSERT_EQ(second.status, IncStatus::taken);
  EXPECT_TRUE(second.record.partial);
  EXPECT_FALSE(second.full_copy);
  EXPECT_EQ(second.record.copied_bytes, 0U);
  EXPECT_EQ(second.record.linked, 3U);
  // What changed under the eyes of both is not linked.
  write_file(world_.data("web1") + "/changed", "affter\n");
  const auto third = world_.take("web1", "2026-01-03-00", pushing);
  EXPECT_EQ(third.record.linked, 2U);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-02-00") + "/data/changed"), "before\n");
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-03-00") + "/data/changed"), "affter\n");
}

TEST_P(IncsTest, AnIncThatLacksSomethingIsNotBuiltOn) {
  if (GetParam() == FileSystem::btrfs) return;  // nothing there can fail to be read
  world_.make_jail("web1");
  {
    const OtherFileSystem other(world_.data("web1") + "/dir");
    const auto first = world_.take("web1", "2026-01-01-00");
    ASSERT_EQ(first.status, IncStatus::taken);
    EXPECT_TRUE(first.record.partial);
    EXPECT_FALSE(first.full_copy);
    const auto second = world_.take("web1", "2026-01-02-00");
    EXPECT_TRUE(second.full_copy);
    EXPECT_EQ(second.record.linked, 0U);
  }
  const auto third = world_.take("web1", "2026-01-03-00");
  EXPECT_TRUE(third.full_copy);
  EXPECT_FALSE(third.record.partial);
  const auto fourth = world_.take("web1", "2026-01-04-00");
  EXPECT_FALSE(fourth.full_copy);
  EXPECT_EQ(fourth.record.copied_bytes, 0U);
}

TEST_P(IncsTest, RecordFollowsAnIncThatIsRenamed) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  std::filesystem::rename(world_.inc("web1", "2026-01-01-00"), world_.inc("web1", "2025-12-31-23"));
  const auto info = find_inc(world_.host, "web1", "2025-12-31-23");
  ASSERT_TRUE(info);
  ASSERT_TRUE(info->record);
  EXPECT_EQ(info->record->inc, "2026-01-01-00");
  // An inc that takes the old name is another one.
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  EXPECT_NE(find_inc(world_.host, "web1", "2026-01-01-00")->identity, info->identity);
}

TEST_P(IncsTest, DamagedRecordHidesNothing) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const auto identity = find_inc(world_.host, "web1", "2026-01-01-00")->identity;
  write_file(JailPaths(world_.host, "web1").meta_dir + "/incs/" + identity + ".json", "{");
  const auto incs = list_incs(world_.host, "web1");
  ASSERT_TRUE(incs);
  ASSERT_EQ(incs->size(), 1U);
  EXPECT_FALSE(incs->front().record);
  EXPECT_FALSE(incs->front().complete);
}

TEST_P(IncsTest, SettingsAndKeysAreMirrored) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const JailPaths paths(world_.host, "web1");
  const std::string mirror = paths.meta_dir + "/settings";
  EXPECT_EQ(read_text(mirror + "/ssh_host_ed25519_key"), "key\n");
  EXPECT_EQ(read_text(mirror + "/jail.conf"), read_text(paths.conf));
  struct stat st{};
  ASSERT_EQ(::stat((mirror + "/ssh_host_ed25519_key").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  ASSERT_TRUE(replace_settings(world_.host, "web1", "PORT=2300\n"));
  std::filesystem::remove(paths.check_policy);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  EXPECT_EQ(read_text(mirror + "/jail.conf"), "PORT=2300\n");
  EXPECT_FALSE(path_exists(mirror + "/check_policy"));
  // They are beside the incs, not in them.
  EXPECT_FALSE(path_exists(world_.inc("web1", "2026-01-01-01") + "/settings"));
}

TEST_P(IncsTest, RemovalTakesTheNamedOnes) {
  world_.make_jail("web1");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  const std::string second = describe_tree(world_.inc("web1", "2026-01-02-00"));
  const auto outcomes = world_.remove("web1", {"2026-01-03-00", "2026-01-01-00", "2020-01-01-00"});
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0].status, RemovalStatus::removed);
  EXPECT_EQ(outcomes[1].status, RemovalStatus::removed);
  EXPECT_EQ(outcomes[2].status, RemovalStatus::missing);
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-02-00"));
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-02-00")), second);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  const auto records = JailPaths(world_.host, "web1").meta_dir + "/incs";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(records), {}), 1);
  // And the next inc is built on what is left.
  EXPECT_EQ(world_.take("web1", "2026-01-04-00").status, IncStatus::taken);
}

TEST_P(IncsTest, DirectoryLeftEmptyGoes) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").incs_dir));
  std::filesystem::create_directory(JailPaths(world_.host, "gone").incs_dir);
  EXPECT_THAT(world_.remove("gone", {}), IsEmpty());
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "gone").incs_dir));
}

TEST_P(IncsTest, WhatIsNotNamedLikeAnIncStays) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  std::filesystem::create_directory(world_.inc("web1", "before-migration"));
  write_file(world_.inc("web1", "2026-01-01-05"), "a file\n");
  const auto incs = list_incs(world_.host, "web1");
  ASSERT_TRUE(incs);
  ASSERT_EQ(incs->size(), 3U);
  EXPECT_TRUE((*incs)[0].dated);
  EXPECT_FALSE((*incs)[1].dated);
  EXPECT_FALSE((*incs)[2].dated);
  const auto outcomes =
      world_.remove("web1", {"before-migration", "2026-01-01-05", ".meta", "2026-01-01-00"});
  EXPECT_EQ(outcomes[0].status, RemovalStatus::failed);
  EXPECT_EQ(outcomes[1].status, RemovalStatus::failed);
  EXPECT_EQ(outcomes[2].status, RemovalStatus::missing);
  EXPECT_EQ(outcomes[3].status, RemovalStatus::removed);
  EXPECT_TRUE(path_exists(world_.inc("web1", "before-migration")));
  EXPECT_TRUE(path_exists(world_.inc("web1", "2026-01-01-05")));
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

TEST_P(IncsTest, LockIsTheReadOnlyPropertyOfBtrfs) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const bool btrfs = GetParam() == FileSystem::btrfs;
  EXPECT_EQ(unlock_inc(world_.host, "web1", "2026-01-01-00").value(), btrfs);
  EXPECT_FALSE(find_inc(world_.host, "web1", "2026-01-01-00")->locked);
  EXPECT_EQ(lock_inc(world_.host, "web1", "2026-01-01-00").value(), btrfs);
  EXPECT_EQ(find_inc(world_.host, "web1", "2026-01-01-00")->locked, btrfs);
  EXPECT_FALSE(lock_inc(world_.host, "web1", "2026-09-09-00"));
}

TEST_P(IncsTest, VerifyTellsWhetherAnIncIsWhatWasTaken) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const auto sound = verify_inc(world_.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(sound) << sound.error().message();
  EXPECT_EQ(sound->proof, GetParam() == FileSystem::btrfs ? IncVerification::Proof::snapshot
                                                          : IncVerification::Proof::manifest);
  EXPECT_TRUE(sound->unchanged);
  EXPECT_THAT(sound->troubles, IsEmpty());

  // Opened, changed, closed again: nothing that anybody would see.
  ASSERT_TRUE(unlock_inc(world_.host, "web1", "2026-01-01-00"));
  write_file(world_.inc("web1", "2026-01-01-00") + "/data/kept", "forged\n");
  ASSERT_TRUE(lock_inc(world_.host, "web1", "2026-01-01-00"));
  ::sync();
  const auto forged = verify_inc(world_.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(forged) << forged.error().message();
  EXPECT_FALSE(forged->unchanged);
  EXPECT_FALSE(forged->troubles.empty());
  EXPECT_FALSE(verify_inc(world_.host, "web1", "2026-09-09-00"));
  const auto nobody = verify_inc(world_.host, "nosuch", "2026-01-01-00");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind(), ErrorKind::no_such_jail);
  // Another directory of INCDIR's by a way round is no jail's name.
  EXPECT_FALSE(verify_inc(world_.host, "../incs/web1", "2026-01-01-00"));
}

TEST_P(IncsTest, AnIncThatIsRemovedWhileItIsVerifiedIsNotTakenForDamaged) {
  if (GetParam() == FileSystem::btrfs) return;  // there a look is one call
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  VerifyOptions options;
  options.threads = 1;
  bool removed = false;
  options.progress = [&](const TreeProgress&) {
    if (removed) return;
    removed = true;
    EXPECT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  };
  const auto verified = verify_inc(world_.host, "web1", "2026-01-01-00", options);
  ASSERT_TRUE(removed);
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().message(), HasSubstr("was removed while it was verified"));
}

TEST_P(IncsTest, MissingDataIsAnErrorThatLeavesNothing) {
  world_.make_jail("web1");
  ASSERT_TRUE(rename_jail(world_.host, "web1", "web2"));
  std::filesystem::rename(JailPaths(world_.host, "web2").jail_dir, world_.volume.path() + "/away");
  const auto outcome = world_.take("web2", "2026-01-01-00");
  EXPECT_EQ(outcome.status, IncStatus::failed);
  EXPECT_THAT(outcome.error->message(), HasSubstr("web2"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web2").incs_dir));
}

TEST_P(IncsTest, ReadOnlyVolumeLeavesOlderIncsAlone) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string before = describe_tree(world_.inc("web1", "2026-01-01-00"));
  world_.volume.remount(MS_RDONLY);
  const auto outcome = world_.take("web1", "2026-01-02-00");
  EXPECT_EQ(outcome.status, IncStatus::failed);
  EXPECT_EQ(outcome.error->code(), EROFS) << outcome.error->message();
  EXPECT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::failed);
  EXPECT_FALSE(remove_jail(world_.host, "web1", true));
  EXPECT_FALSE(create_jail(world_.host, "web2", new_jail(2222)));
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00")), before);
  world_.volume.remount(0);
  EXPECT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::taken);
  EXPECT_TRUE(load_jail(world_.host, "web1"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

}  // namespace
}  // namespace evojail::test
