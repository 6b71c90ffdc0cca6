// Incs of several jails stand in one entry of the journal. What becomes of it when they are cut
// short, when one of them fails, or when somebody else has such an entry.

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/fd.hpp"
#include "config/layout.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/journal.hpp"
#include "store/store_lock.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void set_flag(const std::string& path, int flag, bool on) {
  const Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int flags = 0;
  ASSERT_EQ(::ioctl(dir.get(), FS_IOC_GETFLAGS, &flags), 0) << path;
  flags = on ? flags | flag : flags & ~flag;
  ASSERT_EQ(::ioctl(dir.get(), FS_IOC_SETFLAGS, &flags), 0) << path;
}

/// So far, of the volume.
std::uint64_t count_commits(const std::string& path) {
  const Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  btrfs_ioctl_fs_info_args info{};
  EXPECT_EQ(::ioctl(dir.get(), BTRFS_IOC_FS_INFO, &info), 0) << path;
  std::string uuid;
  for (std::size_t i = 0; i < std::size(info.fsid); ++i) {
    uuid += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", info.fsid[i]);
  }
  std::ifstream stats("/sys/fs/btrfs/" + uuid + "/commit_stats");
  std::string word;
  std::uint64_t commits = 0;
  EXPECT_TRUE(stats >> word >> commits) << uuid;
  return commits;
}

class IncBatchTest : public ::testing::Test {
 protected:
  IncBatchTest() {
    for (const auto& jail : jails_) {
      world_.make_jail(jail);
      requests_.push_back({.jail = jail});
    }
    entry_.operation = JournalEntry::Operation::inc;
    entry_.token = "0123456789abcdef";
    entry_.subject = cut_short;
  }
  [[nodiscard]] bool has_entry(const std::string& jail) const {
    return JournalDir::open(world_.host)->read(jail).value().has_value();
  }

  static constexpr const char* cut_short = "2026-01-01-00";
  static constexpr const char* next = "2026-01-01-01";
  StoreWorld world_{FileSystem::btrfs};
  const std::vector<std::string> jails_{"web1", "web2", "web3"};
  std::vector<IncRequest> requests_;
  JournalEntry entry_;
};

TEST_F(IncBatchTest, JailsOfOneThatWasCutShortGoOnByThemselves) {
  // One inc has its name, one is built, one is not there yet.
  ASSERT_EQ(world_.take("web1", cut_short).status, IncStatus::taken);
  ASSERT_EQ(world_.take("web2", cut_short).status, IncStatus::taken);
  std::filesystem::rename(world_.inc("web2", cut_short), world_.inc("web2", entry_.new_name()));
  ASSERT_TRUE(JournalDir::open(world_.host)->write_all(jails_, entry_).value());

  EXPECT_EQ(world_.take("web3", cut_short).status, IncStatus::taken);
  EXPECT_FALSE(has_entry("web3"));
  EXPECT_TRUE(has_entry("web1"));
  EXPECT_EQ(world_.remove("web1", {cut_short}).at(0).status, RemovalStatus::removed);
  EXPECT_FALSE(has_entry("web1"));
  EXPECT_TRUE(has_entry("web2"));
  ASSERT_TRUE(rename_jail(world_.host, "web2", "web4"));
  EXPECT_THAT(world_.inc_names("web4"), IsEmpty());
  EXPECT_THAT(world_.inc_names("web3"), ElementsAre(cut_short));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_F(IncBatchTest, AllOfOneThatWasCutShortGoOnTogether) {
  ASSERT_EQ(world_.take("web2", cut_short).status, IncStatus::taken);
  std::filesystem::rename(world_.inc("web2", cut_short), world_.inc("web2", entry_.new_name()));
  ASSERT_TRUE(JournalDir::open(world_.host)->write_all(jails_, entry_).value());
  for (const auto& outcome : take_incs(world_.host, requests_, next)) {
    EXPECT_EQ(outcome.status, IncStatus::taken) << outcome.jail;
  }
  for (const auto& jail : jails_) EXPECT_THAT(world_.inc_names(jail), ElementsAre(next));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_F(IncBatchTest, OneThatFailsTakesNoOtherWithIt) {
  const std::string web2 = JailPaths(world_.host, "web2").jail_dir;
  std::filesystem::rename(web2, web2 + "-away");
  const auto outcomes = take_incs(world_.host, requests_, next);
  std::filesystem::rename(web2 + "-away", web2);
  EXPECT_EQ(outcomes[0].status, IncStatus::taken);
  EXPECT_EQ(outcomes[1].status, IncStatus::failed);
  EXPECT_EQ(outcomes[2].status, IncStatus::taken);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_F(IncBatchTest, OneThatCannotBeUndoneStaysInTheJournal) {
  ASSERT_EQ(world_.take("web2", cut_short).status, IncStatus::taken);
  const std::string incs = JailPaths(world_.host, "web2").incs_dir;
  // Takes names in, and gives none back.
  set_flag(incs, FS_APPEND_FL, true);
  const auto outcomes = take_incs(world_.host, requests_, next);
  EXPECT_EQ(outcomes[1].status, IncStatus::failed);
  EXPECT_TRUE(has_entry("web2"));
  EXPECT_FALSE(has_entry("web1"));
  EXPECT_FALSE(has_entry("web3"));
  set_flag(incs, FS_APPEND_FL, false);
  EXPECT_EQ(world_.take("web2", next).status, IncStatus::taken);
  EXPECT_THAT(world_.inc_names("web2"), ElementsAre(cut_short, next));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

/// Trash can stay for months, and the batch does not with it.
TEST_F(IncBatchTest, OneWhoseTrashStaysLeavesIt) {
  ASSERT_EQ(world_.take("web2", cut_short).status, IncStatus::taken);
  const std::string trash = world_.inc("web2", entry_.trash_name(cut_short));
  std::filesystem::create_directories(trash + "/sub");
  set_flag(trash + "/sub", FS_IMMUTABLE_FL, true);
  ASSERT_TRUE(JournalDir::open(world_.host)->write_all(jails_, entry_).value());
  for (const auto& outcome : take_incs(world_.host, requests_, next)) {
    EXPECT_EQ(outcome.status, IncStatus::taken) << outcome.jail;
  }
  EXPECT_FALSE(std::filesystem::is_symlink(world_.host.incdir + "/.journal/.batch-0"));
  EXPECT_TRUE(has_entry("web2"));
  set_flag(trash + "/sub", FS_IMMUTABLE_FL, false);
  EXPECT_EQ(world_.take("web2", cut_short).status, IncStatus::exists);
  EXPECT_THAT(world_.inc_names("web2"), ElementsAre(cut_short, next));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

/// A push in flight stands in the jail's own entry.
TEST_F(IncBatchTest, OneThatIsPartialLeavesNoEntry) {
  requests_[1].sessions = [] {
    return OpenSessions{.lines = {"192.0.2.7"}, .push_in_flight = true};
  };
  const auto outcomes = take_incs(world_.host, requests_, next);
  for (const auto& outcome : outcomes) EXPECT_EQ(outcome.status, IncStatus::taken) << outcome.jail;
  EXPECT_TRUE(outcomes[1].record.partial);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

/// Two at once, for different jails: the second has an entry for each of them.
TEST_F(IncBatchTest, ThereCanBeAnotherOne) {
  const std::vector<std::string> others{"db1", "db2"};
  ASSERT_TRUE(JournalDir::open(world_.host)->write_all(others, entry_).value());
  bool of_its_own = false;
  requests_[0].sessions = [&] {
    of_its_own = std::filesystem::is_symlink(world_.host.incdir + "/.journal/web1");
    return OpenSessions{};
  };
  for (const auto& outcome : take_incs(world_.host, requests_, next)) {
    EXPECT_EQ(outcome.status, IncStatus::taken) << outcome.jail;
  }
  EXPECT_TRUE(of_its_own);
  EXPECT_TRUE(has_entry("db1"));
  ASSERT_TRUE(JournalDir::open(world_.host)->clear_all(others));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

/// Clients write all the time, and each look at a lock would put that on the disk.
TEST_F(IncBatchTest, WaitingForALockCommitsNothing) {
  const auto lock = lock_store(world_.host, "web1");
  ASSERT_TRUE(lock);
  const std::string file = world_.data("web2") + "/written";
  const auto before = count_commits(world_.host.incdir);
  {
    const std::jthread client([&](const std::stop_token& stop) {
      for (int i = 0; !stop.stop_requested(); ++i) {
        write_file(file, std::to_string(i));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    const auto outcomes = take_incs(world_.host, {requests_.data(), 1}, next,
                                    {.lock_patience = std::chrono::seconds(3)});
    EXPECT_EQ(outcomes[0].status, IncStatus::failed);
  }
  // Ten looks and more; the kernel's own commits are thirty seconds apart.
  EXPECT_LT(count_commits(world_.host.incdir) - before, 4U);
}

/// The control of the one before the last.
TEST_F(IncBatchTest, AJailOfOneHasNoEntryOfItsOwn) {
  bool of_its_own = true;
  bool any = false;
  requests_[0].sessions = [&] {
    of_its_own = std::filesystem::is_symlink(world_.host.incdir + "/.journal/web1");
    any = has_entry("web1");
    return OpenSessions{};
  };
  for (const auto& outcome : take_incs(world_.host, requests_, next)) {
    EXPECT_EQ(outcome.status, IncStatus::taken) << outcome.jail;
  }
  EXPECT_TRUE(any);
  EXPECT_FALSE(of_its_own);
}

}  // namespace
}  // namespace evojail::test
