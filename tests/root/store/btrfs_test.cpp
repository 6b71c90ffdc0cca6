#include <btrfsutil.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/btrfs_engine.hpp"
#include "store/holds.hpp"
#include "store/inc_verify.hpp"
#include "store/incs.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr unsigned many = 500;

std::vector<IncRequest> make_jails(StoreWorld& world, unsigned count) {
  std::vector<IncRequest> requests;
  for (unsigned i = 0; i < count; ++i) {
    const std::string name = fmt::format("jail{}", i);
    const auto made =
        create_jail(world.host, name, new_jail(static_cast<std::uint16_t>(20000 + i)));
    EXPECT_TRUE(made) << made.error().message();
    write_file(world.data(name) + "/f", name);
    requests.push_back({.jail = name});
  }
  return requests;
}

/// btrfs holds back megabytes for each snapshot that is being made, and commits when it runs out.
LoopVolume::Options roomy() {
  LoopVolume::Options options;
  options.size = 64ULL << 30;
  return options;
}

TEST(Btrfs, SnapshotsOfManyJailsShareCommits) {
  StoreWorld world(FileSystem::btrfs, roomy());
  const auto requests = make_jails(world, many);
  // The first has directories to make; the second is what every hour is like.
  for (const char* inc : {"2026-01-01-00", "2026-01-01-01"}) {
    const auto before = world.volume.commits();
    const auto outcomes = take_incs(world.host, requests, inc);
    const auto commits = world.volume.commits() - before;
    for (const auto& outcome : outcomes) {
      EXPECT_EQ(outcome.status, IncStatus::taken)
          << (outcome.error ? outcome.error->message() : "without an error");
    }
    EXPECT_LE(commits, 10U) << inc;
    RecordProperty(inc, static_cast<int>(commits));
    for (const auto& request : requests) {
      ASSERT_EQ(read_text(world.inc(request.jail, inc) + "/data/f"), request.jail);
    }
  }
  EXPECT_THAT(world.leftovers(), IsEmpty());

  // One by one each has a commit of its own.
  constexpr std::size_t few = 20;
  const auto alone = world.volume.commits();
  for (const auto& request : std::span(requests).first(few)) {
    ASSERT_EQ(world.take(request.jail, "2026-01-01-02").status, IncStatus::taken);
  }
  EXPECT_GE(world.volume.commits() - alone, few);

  std::vector<IncRemoval> removals;
  for (const auto& request : requests) {
    removals.push_back({request.jail, {"2026-01-01-00", "2026-01-01-01"}});
  }
  for (auto& removal : std::span(removals).first(few)) removal.incs.emplace_back("2026-01-01-02");
  const auto before = world.volume.commits();
  const auto removed = remove_incs(world.host, removals);
  EXPECT_THAT(removed, Each(Field(&RemovalOutcome::status, RemovalStatus::removed)));
  EXPECT_LE(world.volume.commits() - before, 5U);
  EXPECT_THAT(list_inc_owners(world.host).value(), IsEmpty());
}

TEST(Btrfs, ASmallVolumeCostsCommitsButNoIncs) {
  LoopVolume::Options small;
  small.size = 256ULL << 20;
  StoreWorld world(FileSystem::btrfs, small);
  const auto requests = make_jails(world, 200);
  for (const char* inc : {"2026-01-01-00", "2026-01-01-01", "2026-01-01-02"}) {
    for (const auto& outcome : take_incs(world.host, requests, inc)) {
      EXPECT_EQ(outcome.status, IncStatus::taken)
          << (outcome.error ? outcome.error->message() : "without an error");
    }
  }
  EXPECT_THAT(world.leftovers(), IsEmpty());
}

TEST(Btrfs, ManyMoreThanThereAreDescriptors) {
  StoreWorld world(FileSystem::btrfs);
  const auto requests = make_jails(world, 40);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // Hard as well: take_incs() raises the other as far as that.
  const int status = [&] {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit few{.rlim_cur = 64, .rlim_max = 64};
      if (::setrlimit(RLIMIT_NOFILE, &few) != 0) ::_exit(2);
      const auto outcomes = take_incs(world.host, requests, "2026-01-01-00");
      ::_exit(std::ranges::all_of(
                  outcomes,
                  [](const IncOutcome& outcome) { return outcome.status == IncStatus::taken; })
                  ? 0
                  : 1);
    }
    int code = -1;
    ::waitpid(child, &code, 0);
    return code;
  }();
  EXPECT_EQ(status, 0);
}

TEST(Btrfs, SubvolumesWithinAJailAreNoticed) {
  StoreWorld world(FileSystem::btrfs);
  world.make_jail("web1");
  const std::string nested = world.data("web1") + "/nested";
  ASSERT_EQ(::btrfs_util_create_subvolume(nested.c_str(), 0, nullptr, nullptr), BTRFS_UTIL_OK);
  write_file(nested + "/hidden", "x");
  const auto outcome = world.take("web1", "2026-01-01-00");
  ASSERT_EQ(outcome.status, IncStatus::taken);
  EXPECT_TRUE(outcome.record.partial);
  ASSERT_EQ(outcome.record.troubles.size(), 1U);
  EXPECT_THAT(outcome.record.troubles[0], HasSubstr("subvolume"));
  // And they do not stand in the way of a removal.
  const auto removed = remove_jail(world.host, "web1", false);
  EXPECT_TRUE(removed) << removed.error().message();
  EXPECT_THAT(world.leftovers(), IsEmpty());
  EXPECT_FALSE(path_exists(JailPaths(world.host, "web1").jail_dir));
}

/// As btrfs-receive(8) does it: a subvolume is written first, then marked with what it is a replica
/// of, then sealed.
void receive_replica(const std::string& path) {
  ASSERT_EQ(::btrfs_util_create_subvolume(path.c_str(), 0, nullptr, nullptr), BTRFS_UTIL_OK);
  ::sync();
  write_file(path + "/kept", std::string(100000, 'x'));
  const Fd replica(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  btrfs_ioctl_received_subvol_args args{};
  args.uuid[0] = 7;
  args.stransid = 1;
  ASSERT_EQ(::ioctl(replica.get(), BTRFS_IOC_SET_RECEIVED_SUBVOL, &args), 0)
      << std::strerror(errno);
  ASSERT_EQ(::btrfs_util_set_subvolume_read_only_fd(replica.get(), true), BTRFS_UTIL_OK);
}

TEST(Btrfs, AReplicaThatWasWrittenToIsTold) {
  const SubvolumeHistory snapshot{.changed = 10, .made = 10};
  EXPECT_FALSE(was_written(snapshot));
  EXPECT_TRUE(was_written({.changed = 11, .made = 10}));
  EXPECT_FALSE(was_written({.changed = 12, .made = 10, .received = 12}));
  const std::int64_t hour = 3600;
  EXPECT_FALSE(was_written(
      {.changed = 14, .made = 10, .received = 12, .changed_at = hour + 30, .received_at = hour}));
  EXPECT_TRUE(was_written(
      {.changed = 14, .made = 10, .received = 12, .changed_at = 2 * hour, .received_at = hour}));
  // A snapshot of a replica keeps what the replica had.
  EXPECT_FALSE(was_written(
      {.changed = 14, .made = 15, .received = 12, .changed_at = 2 * hour, .received_at = hour}));
}

TEST(Btrfs, VerifyTakesAReplicaForWhatWasSent) {
  StoreWorld world(FileSystem::btrfs);
  world.make_jail("web1");
  ASSERT_EQ(world.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string inc = world.inc("web1", "2026-01-02-00");
  receive_replica(inc);
  ::sync();  // what was written before it was sealed reaches the disk only now
  const auto replica = verify_inc(world.host, "web1", "2026-01-02-00").value();
  EXPECT_TRUE(replica.unchanged);
  EXPECT_THAT(replica.troubles, IsEmpty());
}

TEST(Btrfs, AJailThatIsNoSubvolumeIsRefusedWithTheCure) {
  StoreWorld world(FileSystem::btrfs);
  world.make_jail("web1");
  const std::string dir = JailPaths(world.host, "web1").jail_dir;
  std::filesystem::rename(dir, dir + ".old");
  std::filesystem::create_directories(dir + "/data");
  std::filesystem::create_directories(dir + "/var");
  const auto outcome = world.take("web1", "2026-01-01-00");
  ASSERT_EQ(outcome.status, IncStatus::failed);
  EXPECT_THAT(outcome.error->message(), HasSubstr("subvolume"));
  EXPECT_FALSE(outcome.error->hint().empty());
  EXPECT_THAT(world.leftovers(), IsEmpty());
}

TEST(Btrfs, AnIncOpenedForWritingIsRemovedWithWhatCameIntoIt) {
  StoreWorld world(FileSystem::btrfs);
  world.make_jail("web1");
  ASSERT_EQ(world.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string inc = world.inc("web1", "2026-01-01-00");
  EXPECT_FALSE(replace_file(inc + "/data/x", "x", 0600));
  ASSERT_TRUE(unlock_inc(world.host, "web1", "2026-01-01-00").value());
  EXPECT_TRUE(replace_file(inc + "/data/x", "x", 0600));
  ASSERT_EQ(::btrfs_util_create_subvolume((inc + "/data/sub").c_str(), 0, nullptr, nullptr),
            BTRFS_UTIL_OK);
  ASSERT_TRUE(lock_inc(world.host, "web1", "2026-01-01-00").value());
  EXPECT_EQ(world.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  EXPECT_FALSE(path_exists(inc));
}

TEST(Btrfs, ACopiedDirectoryIsAnIncLikeAnother) {
  StoreWorld world(FileSystem::btrfs);
  world.make_jail("web1");
  const std::string inc = world.inc("web1", "2026-01-01-00");
  std::filesystem::create_directories(inc + "/data");
  write_file(inc + "/data/f", "x");
  const auto info = find_inc(world.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(info);
  EXPECT_FALSE(info->locked);
  EXPECT_FALSE(info->record);
  EXPECT_TRUE(info->complete);
  EXPECT_EQ(world.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  EXPECT_FALSE(path_exists(inc));
}

/// What an administrator does, and monthly timers do. Waits for its end.
void balance(const StoreWorld& world) {
  const Fd root(::open(world.volume.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  btrfs_ioctl_balance_args args{};
  args.flags =
      BTRFS_BALANCE_DATA | BTRFS_BALANCE_METADATA | BTRFS_BALANCE_SYSTEM | BTRFS_BALANCE_FORCE;
  ASSERT_EQ(::ioctl(root.get(), BTRFS_IOC_BALANCE_V2, &args), 0) << std::strerror(errno);
  ASSERT_GT(args.stat.completed, 0U);
}

std::uint64_t generation(const std::string& path) {
  struct btrfs_util_subvolume_info info{};
  EXPECT_EQ(::btrfs_util_subvolume_info(path.c_str(), 0, &info), BTRFS_UTIL_OK);
  return info.generation;
}

TEST(Btrfs, VerifyIsNotMisledByABalanceNorByFilesThatWereOpen) {
  StoreWorld world(FileSystem::btrfs);
  world.make_jail("web1");
  // Its inode is in the snapshot without a name, and the file system takes it away there.
  const std::string nameless = world.data("web1") + "/nameless";
  write_file(nameless, std::string(100000, 'x'));
  const Fd open_file(::open(nameless.c_str(), O_RDONLY | O_CLOEXEC));
  std::filesystem::remove(nameless);
  ASSERT_EQ(world.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string inc = world.inc("web1", "2026-01-01-00");
  ASSERT_TRUE(verify_inc(world.host, "web1", "2026-01-01-00").value().unchanged);

  const auto before = generation(inc);
  balance(world);
  EXPECT_NE(generation(inc), before) << "the balance left the inc alone: nothing was tested";
  const auto balanced = verify_inc(world.host, "web1", "2026-01-01-00").value();
  EXPECT_TRUE(balanced.unchanged);
  EXPECT_THAT(balanced.troubles, IsEmpty());

  ASSERT_TRUE(unlock_inc(world.host, "web1", "2026-01-01-00").value());
  write_file(inc + "/data/kept", "forged\n");
  ASSERT_TRUE(lock_inc(world.host, "web1", "2026-01-01-00").value());
  ::sync();
  EXPECT_FALSE(verify_inc(world.host, "web1", "2026-01-01-00").value().unchanged);
}

}  // namespace
}  // namespace evojail::test
