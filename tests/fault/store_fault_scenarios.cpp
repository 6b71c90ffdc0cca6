#include "store_fault_scenarios.hpp"

#include <btrfsutil.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/uid_lease.hpp"

namespace evojail::test {
namespace {

constexpr const char* first_inc = "2026-01-01-00";
constexpr const char* second_inc = "2026-01-02-00";
constexpr const char* third_inc = "2026-01-03-00";

std::vector<std::string> in_place(const StoreWorld& world, const std::string& jail) {
  return {world.inc(jail, first_inc)};
}

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
              },
          .undone = true};
}

/// A file that could not be read (EIO) is listed, and its inc partial: no failure, and no secret.
bool tells_of_loss(const StoreWorld& world, const std::string& jail) {
  const auto info = find_inc(world.host, jail, second_inc);
  return info && info->record && info->record->partial && !info->record->troubles.empty();
}

Scenario taking() {
  return {.name = "inc",
          .prepare = make_with_inc,
          .operate =
              [](StoreWorld& world, const std::string& jail) {
                return world.take(jail, second_inc).status == IncStatus::failed ? 1 : 0;
              },
          .check_between =
              [](StoreWorld& world, const std::string& jail) {
                if (!path_exists(world.inc(jail, second_inc)) || tells_of_loss(world, jail)) return;
                EXPECT_EQ(small_tree(world.inc(jail, second_inc)),
                          small_tree(JailPaths(world.host, jail).jail_dir));
              },
          .check_done =
              [](StoreWorld& world, const std::string& jail) {
                const auto info = find_inc(world.host, jail, second_inc);
                ASSERT_TRUE(info);
                EXPECT_TRUE(info->record);
                if (tells_of_loss(world, jail)) return;
                EXPECT_TRUE(info->complete);
                EXPECT_EQ(small_tree(world.inc(jail, second_inc)),
                          small_tree(JailPaths(world.host, jail).jail_dir));
              },
          .go_on =
              [](StoreWorld& world, const std::string& jail) {
                EXPECT_EQ(world.take(jail, third_inc).status, IncStatus::taken);
              },
          .older = in_place,
          .undone = true};
}

/// The first one has the directories of INCDIR/NAME to make.
Scenario taking_the_first() {
  Scenario scenario = taking();
  scenario.name = "first_inc";
  scenario.prepare = [](StoreWorld& world, const std::string& jail) { world.make_jail(jail); };
  scenario.older = {};
  return scenario;
}

std::vector<std::string> crowd_of(const std::string& jail) {
  return {jail, jail + ".b", jail + ".c"};
}

/// Several at once, as only btrfs takes them.
Scenario taking_together() {
  Scenario scenario = taking();
  scenario.name = "incs_together";
  scenario.of_btrfs = true;
  scenario.prepare = [](StoreWorld& world, const std::string& jail) {
    for (const auto& name : crowd_of(jail)) make_with_inc(world, name);
  };
  scenario.operate = [](StoreWorld& world, const std::string& jail) {
    std::vector<IncRequest> requests;
    for (const auto& name : crowd_of(jail)) requests.push_back({.jail = name});
    for (const auto& outcome : take_incs(world.host, requests, second_inc)) {
      if (outcome.status == IncStatus::failed) return 1;
    }
    return 0;
  };
  const auto each = [](const auto& check) {
    return [check](StoreWorld& world, const std::string& jail) {
      for (const auto& name : crowd_of(jail)) check(world, name);
    };
  };
  scenario.check_between = each(scenario.check_between);
  scenario.check_done = each(scenario.check_done);
  scenario.go_on = each(scenario.go_on);
  // Some may be taken though another failed.
  scenario.undone = false;
  return scenario;
}

Scenario holding() {
  return {
      .name = "hold",
      .prepare = make_with_inc,
      .operate =
          [](StoreWorld& world, const std::string& jail) {
            return hold_inc(world.host, jail, first_inc, "a reason") ? 0 : 1;
          },
      .check_between = [](StoreWorld& world,
                          const std::string& jail) { EXPECT_TRUE(list_holds(world.host, jail)); },
      .check_done =
          [](StoreWorld& world, const std::string& jail) {
            EXPECT_EQ(list_holds(world.host, jail).value().size(), 1U);
          },
      .go_on =
          [](StoreWorld& world, const std::string& jail) {
            EXPECT_EQ(world.remove(jail, {first_inc})[0].status, RemovalStatus::held);
            EXPECT_TRUE(release_inc(world.host, jail, first_inc));
          },
      .older = in_place,
      .undone = true};
}

Scenario freezing() {
  Scenario scenario = holding();
  scenario.name = "freeze";
  scenario.prepare = make_with_two_incs;
  scenario.operate = [](StoreWorld& world, const std::string& jail) {
    return hold_all_incs(world.host, jail, "broken into") ? 0 : 1;
  };
  scenario.check_done = [](StoreWorld& world, const std::string& jail) {
    EXPECT_EQ(list_holds(world.host, jail).value().size(), 2U);
  };
  return scenario;
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
              },
          .older = in_place};
}

/// Incs that no single step of btrfs takes away: a plain directory, as somebody copied one back,
/// and a snapshot with a subvolume in it.
Scenario thinning_by_hand() {
  Scenario scenario = thinning();
  scenario.name = "rm_by_hand";
  scenario.of_btrfs = true;
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
  return {
      .name = "rename",
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
          },
      .older = [](const StoreWorld& world, const std::string& jail) -> std::vector<std::string> {
        return {world.inc(jail, first_inc), world.inc(renamed(jail), first_inc)};
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
          .go_on = [](StoreWorld&, const std::string&) {},
          .older = in_place};
}

}  // namespace

std::vector<Scenario (*)()> all_scenarios() {
  return {creating, taking,   taking_the_first, taking_together, thinning_by_hand, holding,
          freezing, thinning, removing,         renaming,        archiving};
}

}  // namespace evojail::test
