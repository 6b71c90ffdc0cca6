#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <filesystem>
#include <initializer_list>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/journal.hpp"
#include "store/recover.hpp"
#include "support/store_world.hpp"
#include "support/without_override.hpp"

// What is done where JAILDIR does not show what is on the volume.
namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnseenJailsTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  StoreWorld world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(All, UnseenJailsTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

// The directories below the mount point of a volume that is not mounted.
TEST_P(UnseenJailsTest, AnEmptyMountPointIsNoJail) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  HostSettings below = world_.host;
  for (std::string* path : {&below.jaildir, &below.incdir, &below.archivesdir}) {
    *path += "-below";
    ASSERT_EQ(::mkdir(path->c_str(), 0700), 0);
  }
  EXPECT_THAT(rename_jail(below, "web1", "web2").error().message(), HasSubstr(below.jaildir));
  EXPECT_THAT(archive_jail(below, "web1").error().message(), HasSubstr(below.jaildir));
  EXPECT_TRUE(load_jail(world_.host, "web1"));
  std::filesystem::remove_all(below.incdir);
  EXPECT_FALSE(hold_all_incs(below, "web1", "intrusion"));
  EXPECT_TRUE(rename_jail(world_.host, "web1", "web2"));
  EXPECT_TRUE(archive_jail(world_.host, "web2"));
}

TEST_P(UnseenJailsTest, RemoveLeavesTheSettingsOfAnEmptyMountPoint) {
  world_.make_jail("web1");
  HostSettings below = world_.host;
  below.jaildir += "-below";
  ASSERT_EQ(::mkdir(below.jaildir.c_str(), 0700), 0);
  const auto refused = remove_jail(below, "web1", true, {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr(below.jaildir));
  EXPECT_THAT(refused.error().hint(), HasSubstr("mounted"));
  EXPECT_THAT(refused.error().hint(), HasSubstr(below.confdir + "/web1.d"));
  EXPECT_TRUE(load_jail(world_.host, "web1"));
  EXPECT_TRUE(std::filesystem::exists(world_.data("web1")));
  // With a neighbour the volume is there, and it is this jail's data alone that are gone.
  ASSERT_EQ(::mkdir((below.jaildir + "/web2").c_str(), 0700), 0);
  EXPECT_TRUE(remove_jail(below, "web1", true, {}));
  EXPECT_FALSE(load_jail(world_.host, "web1"));
}

// A directory that can be read and not searched gives an error for each name, as a damaged disk
// does. What may be there is no step that was done before.
TEST_P(UnseenJailsTest, WhatCannotBeLookedForIsNotTakenForDone) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const auto journal = JournalDir::open(world_.host).value();
  JournalEntry entry;
  entry.token = "0123456789abcdef";
  entry.subject = "web2";
  using Operation = JournalEntry::Operation;
  for (const auto operation : {Operation::archive, Operation::remove, Operation::rename}) {
    entry.operation = operation;
    ASSERT_TRUE(journal.clear("web1"));
    ASSERT_TRUE(journal.write("web1", entry));
    ASSERT_EQ(::chmod(world_.host.jaildir.c_str(), 0400), 0);
    {
      const WithoutOverride without;
      EXPECT_FALSE(recover(world_.host, "web1"));
    }
    ASSERT_EQ(::chmod(world_.host.jaildir.c_str(), 0700), 0);
    EXPECT_TRUE(path_exists(JailPaths(world_.host, "web1").conf));
    EXPECT_TRUE(path_exists(world_.data("web1") + "/kept"));
  }
  // Later it goes on.
  ASSERT_TRUE(recover(world_.host, "web1"));
  EXPECT_TRUE(load_jail(world_.host, "web2"));
  EXPECT_TRUE(path_exists(world_.data("web2") + "/kept"));
  EXPECT_THAT(world_.inc_names("web2"), ElementsAre("2026-01-01-00"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

// JAILDIR and INCDIR can be mounted each by itself. Where only the second is there after a crash,
// with the journal, nothing is to be finished.
TEST_P(UnseenJailsTest, WithoutJaildirNothingIsTakenForDone) {
  world_.make_jail("web1");
  const auto journal = JournalDir::open(world_.host).value();
  const JailPaths paths(world_.host, "web1");
  const std::string& jails = world_.host.jaildir;
  JournalEntry entry;
  entry.token = "0123456789abcdef";
  entry.subject = "web2";
  const auto try_all = [&](std::initializer_list<JournalEntry::Operation> operations) {
    for (const auto operation : operations) {
      entry.operation = operation;
      ASSERT_TRUE(journal.clear("web1"));
      ASSERT_TRUE(journal.write("web1", entry));
      const auto recovered = recover(world_.host, "web1");
      ASSERT_FALSE(recovered);
      EXPECT_THAT(recovered.error().hint(), HasSubstr("mounted"));
      ASSERT_TRUE(path_exists(paths.conf));
    }
  };
  using Operation = JournalEntry::Operation;
  // The mount point on the host's own volume …
  ASSERT_EQ(::mount("tmpfs", jails.c_str(), "tmpfs", 0, "mode=0700"), 0);
  try_all({Operation::archive, Operation::rename, Operation::remove, Operation::create});
  ASSERT_EQ(::umount(jails.c_str()), 0);
  // … or on the volume, of which a subvolume is missing.
  std::filesystem::rename(jails, jails + "-away");
  ASSERT_EQ(::mkdir(jails.c_str(), 0700), 0);
  try_all({Operation::archive, Operation::rename});
  std::filesystem::remove(jails);
  std::filesystem::rename(jails + "-away", jails);
  ASSERT_TRUE(recover(world_.host, "web1"));
  EXPECT_TRUE(load_jail(world_.host, "web2"));
  EXPECT_TRUE(path_exists(world_.data("web2") + "/kept"));
}

}  // namespace
}  // namespace evojail::test
