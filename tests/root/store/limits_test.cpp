#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/incs.hpp"
#include "store/journal.hpp"
#include "store/store_lock.hpp"
#include "support/fault_injection.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LoopVolume::Options small() {
  LoopVolume::Options options;
  options.size = 320ULL << 20;
  return options;
}

class LimitsTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  /// Writes until nothing goes in any more.
  static void fill(const std::string& path) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT, 0600));
    ASSERT_TRUE(file);
    std::string block(1 << 20, 'x');
    while (!block.empty()) {
      while (::write(file.get(), block.data(), block.size()) > 0) {
      }
      block.resize(block.size() / 4);
    }
    ::fsync(file.get());
  }

  StoreWorld world_{GetParam(), small()};
};

INSTANTIATE_TEST_SUITE_P(All, LimitsTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

TEST_P(LimitsTest, AFullVolumeLeavesOlderIncsAloneAndCanBeThinned) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  const std::string older = describe_tree(world_.inc("web1", "2026-01-01-00"));
  // A push whose data the next inc would have to hold as well, were there room.
  fill(world_.data("web1") + "/huge");
  const auto outcome = world_.take("web1", "2026-01-03-00");
  if (GetParam() == FileSystem::ext4) {
    // The tree has to be copied: no room. Snapshots and shared extents may still fit.
    ASSERT_EQ(outcome.status, IncStatus::failed);
    EXPECT_EQ(outcome.error->code(), ENOSPC) << outcome.error->message();
  }
  if (outcome.status == IncStatus::failed) {
    EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-01-00", "2026-01-02-00"));
  }
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00")), older);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  const auto removed = world_.remove("web1", {"2026-01-02-00"});
  EXPECT_EQ(removed[0].status, RemovalStatus::removed)
      << (removed[0].error ? removed[0].error->message() : "");
  std::filesystem::remove(world_.data("web1") + "/huge");
  if (outcome.status == IncStatus::taken) {
    EXPECT_EQ(world_.remove("web1", {"2026-01-03-00"})[0].status, RemovalStatus::removed);
  }
  auto again = world_.take("web1", "2026-01-04-00");
  // Btrfs takes back what a removed snapshot held in a thread of the kernel, which a removal wakes;
  // by itself that looks once in thirty seconds.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (again.status == IncStatus::failed && GetParam() == FileSystem::btrfs &&
         std::chrono::steady_clock::now() < deadline) {
    ASSERT_EQ(again.error->code(), ENOSPC) << again.error->message();
    ::sync();
    again = world_.take("web1", "2026-01-04-00");
  }
  EXPECT_EQ(again.status, IncStatus::taken) << (again.error ? again.error->message() : "");
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00")), older);
}

/// Each jail leaves the batch by itself, and that is a new link.
TEST_P(LimitsTest, AVolumeWithoutRoomForALinkCanBeThinnedBehindABatch) {
  if (GetParam() != FileSystem::btrfs) return;
  std::vector<std::string> jails;
  for (int i = 0; i < 40; ++i) jails.push_back(fmt::format("web{}", i));
  for (std::size_t i = 0; i < 3; ++i) {
    world_.make_jail(jails[i]);
    ASSERT_EQ(world_.take(jails[i], "2026-01-01-00").status, IncStatus::taken);
  }
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::inc;
  entry.token = "0123456789abcdef";
  entry.subject = "2026-01-02-00";
  const auto journal = JournalDir::open(world_.host);
  ASSERT_TRUE(journal->write_all(jails, entry).value());
  fill(world_.data("web1") + "/huge");
  const auto make_link = [&](unsigned number, std::size_t length) {
    return ::symlink(std::string(length, 'x').c_str(),
                     fmt::format("{}/{}", world_.data("web1"), number).c_str()) == 0;
  };
  for (unsigned number = 0, failed = 0; failed < 50; ++number) {
    if (make_link(number, failed % 2 == 0 ? 3000 : 10)) continue;
    ASSERT_EQ(errno, ENOSPC);
    ++failed;
    ::sync();
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto removed = world_.remove(jails[i], {"2026-01-01-00"});
    EXPECT_EQ(removed[0].status, RemovalStatus::removed)
        << (removed[0].error ? removed[0].error->message() : "");
  }
  ASSERT_TRUE(journal->clear_all(jails));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(LimitsTest, CopiesLeaveAPartOfTheReserve) {
  if (GetParam() != FileSystem::ext4) return;  // elsewhere an inc copies nothing
  world_.make_jail("web1");
  write_file(world_.data("web1") + "/large", std::string(64 << 20, 'x'));
  world_.host.disk_reserve_percent = 90;
  struct statvfs facts{};
  ASSERT_EQ(::statvfs(world_.volume.path().c_str(), &facts), 0);
  // Nine tenths of a fifth are not to be copied into; make the room behind them too small.
  fill(world_.volume.path() + "/ballast");
  std::filesystem::resize_file(
      world_.volume.path() + "/ballast",
      std::filesystem::file_size(world_.volume.path() + "/ballast") - (100ULL << 20));
  const auto refused = world_.take("web1", "2026-01-01-00");
  ASSERT_EQ(refused.status, IncStatus::failed);
  EXPECT_EQ(refused.error->code(), ENOSPC);
  EXPECT_THAT(refused.error->message(), HasSubstr("kept free"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  world_.host.disk_reserve_percent = 0;
  EXPECT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
}

TEST_P(LimitsTest, WithoutInodesIncsCanStillBeRemoved) {
  if (GetParam() != FileSystem::ext4) return;  // the others make inodes as they need them
  LoopVolume::Options options = small();
  options.mkfs_options = {"-N", "512"};
  StoreWorld world(FileSystem::ext4, options);
  world.make_jail("web1");
  ASSERT_EQ(world.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world.take("web1", "2026-01-02-00").status, IncStatus::taken);
  for (unsigned i = 0;; ++i) {
    const std::string path = fmt::format("{}/{}", world.data("web1"), i);
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT, 0600));
    if (!file) {
      ASSERT_EQ(errno, ENOSPC);
      break;
    }
  }
  EXPECT_EQ(world.take("web1", "2026-01-03-00").status, IncStatus::failed);
  EXPECT_EQ(world.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  EXPECT_THAT(world.inc_names("web1"), ElementsAre("2026-01-02-00"));
  EXPECT_TRUE(remove_jail(world.host, "web1", false));
  EXPECT_THAT(world.leftovers(), IsEmpty());
}

TEST_P(LimitsTest, APowerCutKeepsWhatWasTold) {
  if (GetParam() == FileSystem::btrfs) return;  // has no SHUTDOWN ioctl
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string inc = describe_tree(world_.inc("web1", "2026-01-01-00"));
  world_.volume.power_cut();
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00")), inc);
  EXPECT_TRUE(find_inc(world_.host, "web1", "2026-01-01-00")->record);
  ASSERT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::taken);
  ASSERT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  world_.volume.power_cut();
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-02-00"));
  ASSERT_TRUE(create_jail(world_.host, "web2", new_jail(2222)));
  world_.volume.power_cut();
  EXPECT_TRUE(path_exists(JailPaths(world_.host, "web2").var + "/log"));
  ASSERT_TRUE(rename_jail(world_.host, "web2", "web3"));
  world_.volume.power_cut();
  EXPECT_TRUE(path_exists(JailPaths(world_.host, "web3").var + "/log"));
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web2").jail_dir));
  // A journal that came back tells of work that is done.
  EXPECT_EQ(world_.take("web1", "2026-01-03-00").status, IncStatus::taken);
  EXPECT_EQ(world_.take("web3", "2026-01-03-00").status, IncStatus::taken);
  EXPECT_EQ(world_.take("web1", "2026-01-04-00").status, IncStatus::taken);
  EXPECT_EQ(world_.remove("web1", {"2026-01-04-00"})[0].status, RemovalStatus::removed);
}

TEST_P(LimitsTest, APowerCutMakesNoPartialIncComplete) {
  if (GetParam() == FileSystem::btrfs) return;  // has no SHUTDOWN ioctl
  world_.make_jail("first");
  const unsigned calls =
      run_with_fault([&] { return world_.take("first", "2026-01-01-00").error ? 1 : 0; }, {}).calls;
  // The last calls: the records, the name, and what brings them to the disk.
  for (unsigned at = calls - std::min(calls, 24U); at < calls + 24; ++at) {
    const std::string jail = fmt::format("jail{}", at);
    world_.make_jail(jail);
    const std::string leased = world_.data(jail) + "/leased";
    write_file(leased, "cannot be read");
    Fd holder(::open(leased.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::fcntl(holder.get(), F_SETLEASE, F_WRLCK), 0);
    ASSERT_EQ(::fcntl(holder.get(), F_SETSIG, SIGURG), 0);
    const FaultRun run = run_with_fault(
        [&] { return world_.take(jail, "2026-01-01-00").status == IncStatus::taken ? 0 : 1; },
        {.at = at});
    holder.reset();
    // Anybody's fsync brings all names to the disk, and nobody else's data.
    Fd other(::open((world_.volume.path() + "/other").c_str(), O_WRONLY | O_CREAT, 0600));
    ASSERT_EQ(::write(other.get(), jail.data(), jail.size()), static_cast<ssize_t>(jail.size()));
    ASSERT_EQ(::fsync(other.get()), 0);
    other.reset();
    world_.volume.power_cut();
    const auto next = world_.take(jail, "2026-01-02-00");
    ASSERT_EQ(next.status, IncStatus::taken) << run.call << ": " << next.error->message();
    if (path_exists(world_.inc(jail, "2026-01-01-00"))) {
      EXPECT_FALSE(find_inc(world_.host, jail, "2026-01-01-00")->complete) << at << " " << run.call;
    }
    if (!run.hit) return;
    ASSERT_TRUE(remove_jail(world_.host, jail, true));
  }
}

/// Runs `work` in a child; its pid.
template <class Work>
pid_t start(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return child;
}

int wait_for(pid_t child) {
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST_P(LimitsTest, TheSecondIsToldWhoHoldsTheLock) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  std::array<int, 2> held{};
  std::array<int, 2> done{};
  ASSERT_EQ(::pipe(held.data()), 0);
  ASSERT_EQ(::pipe(done.data()), 0);
  const pid_t child = start([&] {
    const auto lock = lock_store(world_.host, "web1");
    if (!lock || ::write(held[1], "x", 1) != 1) return 1;
    char byte = 0;
    return ::read(done[0], &byte, 1) == 1 ? 0 : 1;
  });
  char byte = 0;
  ASSERT_EQ(::read(held[0], &byte, 1), 1);
  const std::string who = fmt::format("pid {}", child);
  const auto taken = world_.take("web1", "2026-01-02-00");
  EXPECT_EQ(taken.status, IncStatus::failed);
  EXPECT_THAT(taken.error->message(), HasSubstr(who));
  const auto removed = world_.remove("web1", {"2026-01-01-00"});
  EXPECT_EQ(removed[0].status, RemovalStatus::failed);
  EXPECT_THAT(removed[0].error->message(), HasSubstr(who));
  EXPECT_THAT(remove_jail(world_.host, "web1", true).error().message(), HasSubstr(who));
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-01-00"));
  ASSERT_EQ(::write(done[1], "x", 1), 1);
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::taken);
  for (const int fd : {held[0], held[1], done[0], done[1]}) ::close(fd);
}

TEST_P(LimitsTest, IncsAndRemovalsBesideEachOtherDoNoHarm) {
  world_.make_jail("web1");
  const auto name = [](int hour) { return fmt::format("2026-01-01-{:02}", hour); };
  ASSERT_EQ(world_.take("web1", "2025-12-31-00").status, IncStatus::taken);
  const std::string kept = describe_tree(world_.inc("web1", "2025-12-31-00"));
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    children.push_back(start([&, i] {
      for (int hour = 0; hour < 12; ++hour) {
        if (i < 2) {
          const auto outcome = world_.take("web1", name(hour));
          if (outcome.status == IncStatus::failed &&
              !outcome.error->message().contains("held by")) {
            return 1;
          }
        } else {
          for (const auto& outcome : world_.remove("web1", {name(hour)})) {
            if (outcome.status == RemovalStatus::failed &&
                !outcome.error->message().contains("held by")) {
              return 1;
            }
          }
        }
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2025-12-31-00")), kept);
  const auto incs = list_incs(world_.host, "web1").value();
  for (const auto& inc : incs) {
    EXPECT_TRUE(inc.record && inc.complete) << inc.name;
    EXPECT_EQ(read_text(world_.inc("web1", inc.name) + "/data/kept"), "kept\n") << inc.name;
  }
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

}  // namespace
}  // namespace evojail::test
