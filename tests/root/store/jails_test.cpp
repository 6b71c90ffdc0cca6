#include "store/jails.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"
#include "store/journal.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"
#include "store/uid_lease.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JailsTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  StoreWorld world_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(All, JailsTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

mode_t mode_of(const std::string& path) {
  struct stat st{};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  EXPECT_EQ(st.st_uid, 0U) << path;
  return st.st_mode & 07777;
}

TEST_P(JailsTest, CreateMakesDataAndSettings) {
  ASSERT_TRUE(create_jail(world_.host, "web1", new_jail(2222)));
  const JailPaths paths(world_.host, "web1");
  EXPECT_EQ(mode_of(paths.jail_dir), 0700U);
  EXPECT_EQ(mode_of(paths.data), 0700U);
  EXPECT_EQ(mode_of(paths.var), 0755U);
  EXPECT_EQ(mode_of(paths.var + "/log"), 0755U);
  EXPECT_EQ(mode_of(paths.var + "/backup"), 0700U);
  EXPECT_EQ(mode_of(paths.var + "/tmp"), 01777U);
  EXPECT_EQ(mode_of(paths.conf_dir), 0700U);
  EXPECT_EQ(mode_of(paths.authorized_keys), 0600U);
  EXPECT_EQ(read_text(paths.conf), new_jail(2222).settings);
  EXPECT_EQ(read_text(paths.incs_policy), new_jail(2222).incs_policy);
  EXPECT_EQ(read_text(paths.host_key("ed25519")), "key\n");
  struct stat st{};
  ASSERT_EQ(::stat(paths.jail_dir.c_str(), &st), 0);
  // A subvolume's root is always inode 256 (btrfs-subvolume(8)).
  EXPECT_EQ(st.st_ino == 256, GetParam() == FileSystem::btrfs);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  const auto settings = load_jail(world_.host, "web1");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->port, 2222);
}

TEST_P(JailsTest, CreateTakesLittleOfTheDisk) {
  std::uintmax_t bytes = 0;
  ASSERT_TRUE(create_jail(world_.host, "web1", new_jail(2222)));
  for (const auto& dir :
       {JailPaths(world_.host, "web1").jail_dir, JailPaths(world_.host, "web1").conf_dir}) {
    const auto add = [&bytes](const std::string& path) {
      struct stat st{};
      ASSERT_EQ(::lstat(path.c_str(), &st), 0);
      bytes += static_cast<std::uintmax_t>(st.st_blocks) * 512;
    };
    add(dir);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) add(entry.path());
  }
  EXPECT_LE(bytes, 48U * 1024);
}

TEST_P(JailsTest, CreateRefusesWhatExists) {
  world_.make_jail("web1");
  const std::string before = describe_tree(JailPaths(world_.host, "web1").jail_dir);
  const auto again = create_jail(world_.host, "web1", new_jail(3000));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message(), HasSubstr("exists already"));
  EXPECT_EQ(describe_tree(JailPaths(world_.host, "web1").jail_dir), before);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(JailsTest, CreateRefusesLeftoversOfAnotherJail) {
  for (const auto& path :
       {JailPaths(world_.host, "a").conf_dir, JailPaths(world_.host, "b").jail_dir,
        JailPaths(world_.host, "c").incs_dir}) {
    std::filesystem::create_directories(path);
  }
  for (const char* name : {"a", "b", "c"}) {
    const auto made = create_jail(world_.host, name, new_jail(2222));
    ASSERT_FALSE(made) << name;
    EXPECT_THAT(made.error().message(), HasSubstr("exists"));
  }
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  const auto jails = list_jails(world_.host);
  ASSERT_TRUE(jails);
  EXPECT_THAT(*jails, IsEmpty());
}

// A creation was cut short before the data had their name, and what people did about it is not its
// own to undo.
TEST_P(JailsTest, ACutCreationTakesNothingThatPeopleBroughtSince) {
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::create;
  entry.token = "0123456789abcdef";
  ASSERT_TRUE(JournalDir::open(world_.host)->write("web1", entry));
  const JailPaths paths(world_.host, "web1");
  std::filesystem::create_directories(world_.host.confdir + "/" + entry.new_name());
  std::filesystem::create_directories(paths.data);
  std::filesystem::create_directories(paths.var);
  write_file(paths.data + "/precious", "text");
  const auto refused = create_jail(world_.host, "web1", new_jail(2222));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr(paths.jail_dir));
  EXPECT_EQ(read_text(paths.data + "/precious"), "text");
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(JailsTest, CreateRefusesBadSettingsAndNames) {
  NewJail bad = new_jail(2222);
  bad.settings = "PORT=none\n";
  EXPECT_FALSE(create_jail(world_.host, "web1", bad));
  bad = new_jail(2222);
  bad.files.push_back({"../escape", "x", 0600});
  EXPECT_FALSE(create_jail(world_.host, "web1", bad));
  EXPECT_FALSE(create_jail(world_.host, "../web1", new_jail(2222)));
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").conf_dir));
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").jail_dir));
}

TEST_P(JailsTest, CreateRefusesAnOpenStore) {
  ASSERT_EQ(::chmod(world_.host.jaildir.c_str(), 0755), 0);
  const auto made = create_jail(world_.host, "web1", new_jail(2222));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("0755"));
  ASSERT_EQ(::chmod(world_.host.jaildir.c_str(), 0700), 0);
  EXPECT_TRUE(create_jail(world_.host, "web1", new_jail(2222)));
}

TEST_P(JailsTest, ListIsSorted) {
  for (const char* name : {"web2", "db1", "web1"}) world_.make_jail(name);
  const auto jails = list_jails(world_.host);
  ASSERT_TRUE(jails);
  EXPECT_THAT(*jails, ElementsAre("db1", "web1", "web2"));
}

TEST_P(JailsTest, LoadTellsTheKindsOfMissing) {
  const auto none = load_jail(world_.host, "nobody");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::no_such_jail);
  EXPECT_FALSE(none.error().hint().empty());

  std::filesystem::create_directories(JailPaths(world_.host, "old").jail_dir + "/rootfs");
  const auto old = load_jail(world_.host, "old");
  ASSERT_FALSE(old);
  EXPECT_EQ(old.error().kind(), ErrorKind::layout_version);
}

TEST_P(JailsTest, RemoveTakesEverythingAway) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  ASSERT_TRUE(lease_uid_range(world_.host, "web1"));
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::taken);
  const auto removed = remove_jail(world_.host, "web1", false);
  ASSERT_TRUE(removed) << removed.error().message();
  EXPECT_THAT(*removed, IsEmpty());
  const JailPaths paths(world_.host, "web1");
  EXPECT_FALSE(path_exists(paths.conf_dir));
  EXPECT_FALSE(path_exists(paths.jail_dir));
  EXPECT_FALSE(path_exists(paths.incs_dir));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  const auto lease = find_uid_range(world_.host, "web1");
  ASSERT_TRUE(lease);
  EXPECT_FALSE(lease->has_value());
  EXPECT_TRUE(load_jail(world_.host, "web2"));
  EXPECT_TRUE(path_exists(world_.data("web2") + "/kept"));
}

TEST_P(JailsTest, RemoveOfNothingIsAnErrorUnlessForced) {
  const auto removed = remove_jail(world_.host, "web1", false);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().kind(), ErrorKind::no_such_jail);
  EXPECT_TRUE(remove_jail(world_.host, "web1", true));
}

TEST_P(JailsTest, RemoveLeavesWhatIsNoInc) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  write_file(world_.inc("web1", "note"), "mine\n");
  const auto removed = remove_jail(world_.host, "web1", false);
  ASSERT_TRUE(removed) << removed.error().message();
  EXPECT_THAT(*removed, ElementsAre("note"));
  EXPECT_EQ(read_text(world_.inc("web1", "note")), "mine\n");
}

TEST_P(JailsTest, RemoveHonoursHolds) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_TRUE(hold_inc(world_.host, "web1", "2026-01-01-00", "court order"));
  const auto refused = remove_jail(world_.host, "web1", true);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("2026-01-01-00"));
  EXPECT_TRUE(path_exists(world_.data("web1") + "/kept"));
  EXPECT_TRUE(path_exists(world_.inc("web1", "2026-01-01-00") + "/data/kept"));
  ASSERT_TRUE(release_inc(world_.host, "web1", "2026-01-01-00"));
  EXPECT_TRUE(remove_jail(world_.host, "web1", false));
}

TEST_P(JailsTest, MovingNeedsAStoppedJail) {
  world_.make_jail("web1");
  {
    const auto running =
        FileLock::take(JailPaths(world_.host, "web1").run_lock, FileLock::Wait::no);
    ASSERT_TRUE(running);
    EXPECT_THAT(remove_jail(world_.host, "web1", true).error().message(), HasSubstr("running"));
    EXPECT_THAT(rename_jail(world_.host, "web1", "web2").error().message(), HasSubstr("running"));
    EXPECT_THAT(archive_jail(world_.host, "web1").error().message(), HasSubstr("running"));
    EXPECT_TRUE(load_jail(world_.host, "web1"));
  }
  EXPECT_TRUE(rename_jail(world_.host, "web1", "web2"));
}

TEST_P(JailsTest, RenameMovesEverything) {
  world_.make_jail("web1");
  const auto range = lease_uid_range(world_.host, "web1");
  ASSERT_TRUE(range);
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string data = describe_tree(world_.data("web1"));
  const auto renamed = rename_jail(world_.host, "web1", "web2");
  ASSERT_TRUE(renamed) << renamed.error().message();
  EXPECT_EQ(load_jail(world_.host, "web1").error().kind(), ErrorKind::no_such_jail);
  EXPECT_TRUE(load_jail(world_.host, "web2"));
  EXPECT_EQ(describe_tree(world_.data("web2")), data);
  EXPECT_THAT(world_.inc_names("web2"), ElementsAre("2026-01-01-00"));
  const auto inc = find_inc(world_.host, "web2", "2026-01-01-00");
  ASSERT_TRUE(inc);
  EXPECT_TRUE(inc->record.has_value());
  const auto kept = find_uid_range(world_.host, "web2");
  ASSERT_TRUE(kept && *kept);
  EXPECT_EQ(**kept, *range);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  // The name is free again, and incs go on.
  world_.make_jail("web1");
  EXPECT_EQ(world_.take("web2", "2026-01-02-00").status, IncStatus::taken);
}

TEST_P(JailsTest, RenameRefusesATakenName) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  EXPECT_FALSE(rename_jail(world_.host, "web1", "web2"));
  EXPECT_FALSE(rename_jail(world_.host, "web1", "web1"));
  EXPECT_EQ(rename_jail(world_.host, "none", "web3").error().kind(), ErrorKind::no_such_jail);
  EXPECT_TRUE(load_jail(world_.host, "web1"));
  EXPECT_TRUE(load_jail(world_.host, "web2"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(JailsTest, ArchiveKeepsIncsAndTheirPolicy) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const std::string data = describe_tree(world_.data("web1"));
  const auto archived = archive_jail(world_.host, "web1");
  ASSERT_TRUE(archived) << archived.error().message();
  const JailPaths paths(world_.host, "web1");
  EXPECT_EQ(describe_tree(paths.archive_dir + "/data"), data);
  EXPECT_EQ(read_text(paths.archive_dir + "/settings/ssh_host_ed25519_key"), "key\n");
  EXPECT_TRUE(path_exists(paths.archive_dir + "/settings/jail.conf"));
  EXPECT_FALSE(path_exists(paths.jail_dir));
  EXPECT_FALSE(path_exists(paths.conf));
  EXPECT_FALSE(path_exists(paths.host_key("ed25519")));
  EXPECT_TRUE(path_exists(paths.incs_policy));
  const auto jails = list_jails(world_.host);
  ASSERT_TRUE(jails);
  EXPECT_THAT(*jails, IsEmpty());
  const auto owners = list_inc_owners(world_.host);
  ASSERT_TRUE(owners);
  EXPECT_THAT(*owners, ElementsAre("web1"));
  EXPECT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::failed);
  const auto gone = world_.remove("web1", {"2026-01-01-00"});
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].status, RemovalStatus::removed);
  EXPECT_FALSE(path_exists(paths.incs_dir));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

// A directory in which nothing can be made, though its subdirectories can be written to.
void set_immutable(const std::string& path, bool on) {
  const Fd dir = open_directory(path).value();
  int flags = on ? FS_IMMUTABLE_FL : 0;
  ASSERT_EQ(::ioctl(dir.get(), FS_IOC_SETFLAGS, &flags), 0) << path;
}

TEST_P(JailsTest, WhatCannotBeginLeavesTheJailWhatItWas) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const auto refused = [&](const std::string& closed, const std::function<Result<void>()>& move) {
    set_immutable(closed, true);
    const auto moved = move();
    set_immutable(closed, false);
    ASSERT_FALSE(moved);
    // None where a look at the volume, as for reflink on xfs, was refused before it began.
    EXPECT_THAT(moved.error().hint(), AnyOf("", "nothing of it was done"));
    EXPECT_FALSE(is_moving(world_.host, "web1").value());
    EXPECT_TRUE(load_jail(world_.host, "web1"));
    EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").jail_dir + "/settings"));
    EXPECT_THAT(world_.leftovers(), IsEmpty());
  };
  refused(world_.host.archivesdir, [&] { return archive_jail(world_.host, "web1"); });
  refused(world_.host.incdir, [&] { return rename_jail(world_.host, "web1", "web2"); });
  ASSERT_TRUE(rename_jail(world_.host, "web1", "web2"));
  EXPECT_TRUE(archive_jail(world_.host, "web2"));
}

TEST_P(JailsTest, SettingsAreReplacedWholeOrNotAtAll) {
  world_.make_jail("web1");
  const JailPaths paths(world_.host, "web1");
  const std::string before = read_text(paths.conf);
  EXPECT_FALSE(replace_settings(world_.host, "web1", "PORT=99999\n"));
  EXPECT_EQ(read_text(paths.conf), before);
  EXPECT_TRUE(replace_settings(world_.host, "web1", "PORT=2300\n"));
  EXPECT_EQ(load_jail(world_.host, "web1")->port, 2300);
  EXPECT_FALSE(replace_keys(world_.host, "web1", "no key\n"));
  EXPECT_EQ(read_text(paths.authorized_keys), "");
  EXPECT_EQ(replace_keys(world_.host, "none", "").error().kind(), ErrorKind::no_such_jail);
}

}  // namespace
}  // namespace evojail::test
