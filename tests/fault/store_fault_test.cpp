#include <btrfsutil.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <functional>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/uid_lease.hpp"
#include "support/fault_injection.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::IsEmpty;

constexpr const char* first_inc = "2026-01-01-00";
constexpr const char* second_inc = "2026-01-02-00";
constexpr const char* third_inc = "2026-01-03-00";

/// One operation on one jail, how it is brought to its end afterwards, and what must be true then.
struct Scenario {
  std::string name;
  /// What the jail needs before; it exists already, except before `create`.
  std::function<void(StoreWorld&, const std::string&)> prepare;
  /// 0 when all went well. Called a second time, without a fault, it converges.
  std::function<int(StoreWorld&, const std::string&)> operate;
  /// In any state, right after the fault.
  std::function<void(StoreWorld&, const std::string&)> check_between;
  /// After it said that all went well, for the first time or the second.
  std::function<void(StoreWorld&, const std::string&)> check_done;
  /// What the fault left does not stand in the way of what comes next.
  std::function<void(StoreWorld&, const std::string&)> go_on;
};

void make_with_inc(StoreWorld& world, const std::string& jail) {
  world.make_jail(jail);
  ASSERT_EQ(world.take(jail, first_inc).status, IncStatus::taken);
}

void make_with_two_incs(StoreWorld& world, const std::string& jail) {
  make_with_inc(world, jail);
  write_file(world.data(jail) + "/changed", "after\n");
  ASSERT_EQ(world.take(jail, second_inc).status, IncStatus::taken);
}

/// The jail's tree as an inc must show it: what make_jail() put there.
std::string small_tree(const std::string& path) {
  return read_text(path + "/data/kept") + read_text(path + "/data/changed") +
         read_text(path + "/data/dir/deep");
}

Scenario creating() {
  return {.name = "create",
          .prepare = [](StoreWorld&, const std::string&) {},
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                if (load_jail(world.host, jail)) return 0;
                return create_jail(world.host, jail, new_jail(2222)) ? 0 : 1;
              },
          .check_between =
              [](StoreWorld& world, const std::string& jail) {
                if (!load_jail(world.host, jail)) return;
                // What is listed is whole.
                EXPECT_TRUE(path_exists(JailPaths(world.host, jail).var + "/log"));
                EXPECT_EQ(read_text(JailPaths(world.host, jail).host_key("ed25519")), "key\n");
              },
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_TRUE(load_jail(world.host, jail));
                EXPECT_TRUE(path_exists(JailPaths(world.host, jail).var + "/tmp"));
              },
          .go_on =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_EQ(world.take(jail, second_inc).status, IncStatus::taken);
              }};
}

Scenario taking() {
  return {.name = "inc",
          .prepare = make_with_inc,
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                const auto status = world.take(jail, second_inc).status;
                return status == IncStatus::taken || status == IncStatus::exists ? 0 : 1;
              },
          .check_between =
              [](StoreWorld& world, const std::string& jail) {
                if (!path_exists(world.inc(jail, second_inc))) return;
                EXPECT_EQ(small_tree(world.inc(jail, second_inc)),
                          small_tree(JailPaths(world.host, jail).jail_dir));
              },
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                const auto info = find_inc(world.host, jail, second_inc);
                ASSERT_TRUE(info);
                EXPECT_TRUE(info->record);
                EXPECT_TRUE(info->complete);
                EXPECT_EQ(small_tree(world.inc(jail, second_inc)),
                          small_tree(JailPaths(world.host, jail).jail_dir));
              },
          .go_on =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_EQ(world.take(jail, third_inc).status, IncStatus::taken);
              }};
}

Scenario thinning() {
  return {.name = "rm",
          .prepare =
              [](StoreWorld& world, const std::string& jail) {
                make_with_two_incs(world, jail);
                ASSERT_EQ(world.take(jail, third_inc).status, IncStatus::taken);
              },
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                for (const auto& outcome : world.remove(jail, {second_inc, third_inc})) {
                  if (outcome.status == RemovalStatus::failed) return 1;
                }
                return 0;
              },
          .check_between =
              [](StoreWorld& world, const std::string& jail) {
                for (const char* inc : {second_inc, third_inc}) {
                  if (!path_exists(world.inc(jail, inc))) continue;
                  EXPECT_EQ(small_tree(world.inc(jail, inc)),
                            small_tree(JailPaths(world.host, jail).jail_dir));
                }
              },
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_THAT(world.inc_names(jail), ::testing::ElementsAre(first_inc));
              },
          .go_on =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_EQ(world.take(jail, third_inc).status, IncStatus::taken);
              }};
}

/// Incs that no single step of btrfs takes away: a plain directory, as somebody copied one back,
/// and a snapshot with a subvolume in it.
Scenario thinning_by_hand() {
  Scenario scenario = thinning();
  scenario.prepare = [](StoreWorld& world, const std::string& jail) {
    make_with_two_incs(world, jail);
    ASSERT_EQ(world.take(jail, third_inc).status, IncStatus::taken);
    ASSERT_TRUE(unlock_inc(world.host, jail, second_inc));
    const std::string second = world.inc(jail, second_inc);
    std::filesystem::copy(second, second + ".copy", std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(second);
    std::filesystem::rename(second + ".copy", second);
    ASSERT_TRUE(unlock_inc(world.host, jail, third_inc));
    const std::string nested = world.inc(jail, third_inc) + "/data/nested";
    ASSERT_EQ(::btrfs_util_create_subvolume(nested.c_str(), 0, nullptr, nullptr), BTRFS_UTIL_OK);
    write_file(nested + "/file", "nested\n");
    ASSERT_TRUE(lock_inc(world.host, jail, third_inc));
  };
  scenario.check_between = [whole = scenario.check_between](StoreWorld& world,
                                                            const std::string& jail) {
    whole(world, jail);
    const std::string third = world.inc(jail, third_inc);
    if (!path_exists(third)) return;
    EXPECT_TRUE(path_exists(third + "/data/nested/file"));
  };
  return scenario;
}

Scenario removing() {
  return {.name = "remove",
          .prepare =
              [](StoreWorld& world, const std::string& jail) {
                make_with_two_incs(world, jail);
                ASSERT_TRUE(lease_uid_range(world.host, jail));
              },
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                return remove_jail(world.host, jail, true) ? 0 : 1;
              },
          .check_between =
              [](StoreWorld& world, const std::string& jail) {
                // Whatever is left of it, it is listed, so that it can be removed again.
                const JailPaths paths(world.host, jail);
                if (path_exists(paths.jail_dir) || path_exists(paths.incs_dir)) {
                  EXPECT_TRUE(path_exists(paths.conf));
                }
              },
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                const JailPaths paths(world.host, jail);
                EXPECT_FALSE(path_exists(paths.conf_dir));
                EXPECT_FALSE(path_exists(paths.jail_dir));
                EXPECT_FALSE(path_exists(paths.incs_dir));
                EXPECT_FALSE(find_uid_range(world.host, jail).value());
              },
          .go_on =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_TRUE(create_jail(world.host, jail, new_jail(2222)));
              }};
}

std::string renamed(const std::string& jail) { return jail + ".new"; }

Scenario renaming() {
  return {.name = "rename",
          .prepare = make_with_inc,
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                const auto done = rename_jail(world.host, jail, renamed(jail));
                // Recovery may have carried it to its end under either name.
                if (done || load_jail(world.host, renamed(jail))) return 0;
                return 1;
              },
          .check_between = [](StoreWorld&, const std::string&) {},
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                const JailPaths old(world.host, jail);
                EXPECT_FALSE(path_exists(old.conf_dir));
                EXPECT_FALSE(path_exists(old.jail_dir));
                EXPECT_FALSE(path_exists(old.incs_dir));
                EXPECT_TRUE(load_jail(world.host, renamed(jail)));
                EXPECT_EQ(read_text(world.data(renamed(jail)) + "/kept"), "kept\n");
              },
          .go_on =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_EQ(world.take(renamed(jail), third_inc).status, IncStatus::taken);
                EXPECT_EQ(world.inc_names(renamed(jail)).size(), 2U);
              }};
}

Scenario archiving() {
  return {.name = "archive",
          .prepare = make_with_inc,
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                const auto done = archive_jail(world.host, jail);
                if (done || (done.error().kind() == ErrorKind::no_such_jail &&
                             path_exists(JailPaths(world.host, jail).archive_dir))) {
                  return 0;
                }
                return 1;
              },
          .check_between =
              [](StoreWorld& world, const std::string& jail) {
                const JailPaths paths(world.host, jail);
                EXPECT_NE(path_exists(paths.jail_dir), path_exists(paths.archive_dir));
              },
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                const JailPaths paths(world.host, jail);
                EXPECT_FALSE(path_exists(paths.jail_dir));
                EXPECT_FALSE(path_exists(paths.conf));
                EXPECT_TRUE(path_exists(paths.incs_policy));
                EXPECT_EQ(read_text(paths.archive_dir + "/data/kept"), "kept\n");
                EXPECT_EQ(read_text(paths.archive_dir + "/settings/ssh_host_ed25519_key"), "key\n");
              },
          .go_on = [](StoreWorld&, const std::string&) {}};
}

class StoreFaultTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  /// Meets the fault at every call that changes something, each time with a jail of its own.
  void run(const Scenario& scenario, std::span<const int> errors);

  StoreWorld world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(All, StoreFaultTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

void StoreFaultTest::run(const Scenario& scenario, std::span<const int> errors) {
  // Each call meets another error on each file system.
  const auto offset = static_cast<unsigned>(GetParam());
  for (unsigned at = 1; at < 2000; ++at) {
    const int error = errors.empty() ? 0 : errors[(at + offset) % errors.size()];
    const std::string jail = fmt::format("jail{}", at);
    scenario.prepare(world_, jail);
    std::string older;
    if (path_exists(world_.inc(jail, first_inc))) {
      older = describe_tree(world_.inc(jail, first_inc));
    }
    const auto operate = [&] { return scenario.operate(world_, jail); };
    const FaultRun faulty = run_with_fault(operate, {.at = at, .error = error});
    const std::string where = fmt::format("{} on {}: call {} ({}), error {}", scenario.name,
                                          to_string(GetParam()), at, faulty.call, error);
    SCOPED_TRACE(where);
    if (faulty.hit && error == 0) {
      EXPECT_TRUE(faulty.killed);
    }
    const auto still_there = [&] {
      const std::string path = world_.inc(jail, first_inc);
      if (!older.empty() && path_exists(path)) {
        EXPECT_EQ(describe_tree(path), older);
      }
    };
    still_there();
    scenario.check_between(world_, jail);
    if (faulty.status == 0) scenario.check_done(world_, jail);
    EXPECT_EQ(operate(), 0);
    still_there();
    scenario.check_done(world_, jail);
    scenario.go_on(world_, jail);
    EXPECT_THAT(world_.leftovers(), IsEmpty());
    if (::testing::Test::HasFailure()) return;
    if (!faulty.hit) {
      // Past the last call: the operation did all its work under observation.
      EXPECT_EQ(faulty.status, 0);
      EXPECT_GT(at, 5U);
      RecordProperty("calls", static_cast<int>(at - 1));
      return;
    }
  }
  ADD_FAILURE() << scenario.name << " never ends";
}

class BtrfsFaultTest : public StoreFaultTest {};

INSTANTIATE_TEST_SUITE_P(One, BtrfsFaultTest, ::testing::Values(FileSystem::btrfs),
                         [](const auto& values) { return to_string(values.param); });

// Those that a disk, a quota, a limit and a read-only file system answer with.
constexpr std::array errors{ENOSPC, EIO, EROFS, EMFILE};

TEST_P(StoreFaultTest, KilledWhileCreating) { run(creating(), {}); }
TEST_P(StoreFaultTest, KilledWhileTaking) { run(taking(), {}); }
TEST_P(StoreFaultTest, KilledWhileThinning) { run(thinning(), {}); }
TEST_P(StoreFaultTest, KilledWhileRemoving) { run(removing(), {}); }
TEST_P(StoreFaultTest, KilledWhileRenaming) { run(renaming(), {}); }
TEST_P(StoreFaultTest, KilledWhileArchiving) { run(archiving(), {}); }

TEST_P(BtrfsFaultTest, KilledWhileThinningByHand) { run(thinning_by_hand(), {}); }
TEST_P(BtrfsFaultTest, FailedWhileThinningByHand) { run(thinning_by_hand(), errors); }

TEST_P(StoreFaultTest, FailedWhileCreating) { run(creating(), errors); }
TEST_P(StoreFaultTest, FailedWhileTaking) { run(taking(), errors); }
TEST_P(StoreFaultTest, FailedWhileThinning) { run(thinning(), errors); }
TEST_P(StoreFaultTest, FailedWhileRemoving) { run(removing(), errors); }
TEST_P(StoreFaultTest, FailedWhileRenaming) { run(renaming(), errors); }
TEST_P(StoreFaultTest, FailedWhileArchiving) { run(archiving(), errors); }

}  // namespace
}  // namespace evojail::test
