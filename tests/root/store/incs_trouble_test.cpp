// What goes wrong with one inc, or with what is beside it, and the next one.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "root/store/incs_fixture.hpp"
#include "store/holds.hpp"
#include "store/journal.hpp"
#include "support/without_override.hpp"

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

// Twice in one hour: of both the trash would have the same name.
TEST_P(IncsTest, TwoOfAnHourThatCannotBeDeletedDoNotStopTheNext) {
  world_.make_jail("web1");
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::inc;
  entry.token = "0123456789abcdef";
  entry.subject = "2026-01-02-00";
  ASSERT_TRUE(JournalDir::open(world_.host)->write("web1", entry));
  {
    const OtherFileSystem before(
        make_indelible(world_.inc("web1", entry.trash_name(entry.subject))));
    const OtherFileSystem now(make_indelible(world_.inc("web1", entry.new_name())));
    const auto outcome = world_.take("web1", entry.subject);
    ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
    EXPECT_EQ(outcome.warnings.size(), 1U);
    // Nor do they keep it from being removed.
    const auto removed = world_.remove("web1", {entry.subject});
    EXPECT_EQ(removed.at(0).status, RemovalStatus::removed) << removed[0].error->message();
    EXPECT_THAT(world_.inc_names("web1"), IsEmpty());
  }
  ASSERT_EQ(world_.take("web1", entry.subject).status, IncStatus::taken);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

// chattr +i on the jail's directory goes into a snapshot, which then can get neither its name nor
// away.
TEST_P(IncsTest, AnImmutableJailLeavesNothingBehind) {
  world_.make_jail("web1");
  const Fd jail(::open(JailPaths(world_.host, "web1").jail_dir.c_str(), O_RDONLY | O_CLOEXEC));
  for (int flags : {FS_IMMUTABLE_FL, FS_APPEND_FL}) {
    ASSERT_EQ(::ioctl(jail.get(), FS_IOC_SETFLAGS, &flags), 0);
    const auto outcome =
        world_.take("web1", flags == FS_APPEND_FL ? "2026-01-01-00" : "2026-01-01-01");
    if (GetParam() == FileSystem::btrfs) {
      ASSERT_EQ(outcome.status, IncStatus::failed);
      EXPECT_THAT(outcome.error->hint(), HasSubstr("chattr"));
    } else {
      EXPECT_EQ(outcome.status, IncStatus::taken);
    }
    EXPECT_THAT(world_.leftovers(), IsEmpty());
  }
  int flags = 0;
  ASSERT_EQ(::ioctl(jail.get(), FS_IOC_SETFLAGS, &flags), 0);
  EXPECT_EQ(world_.take("web1", "2026-01-02-00").status, IncStatus::taken);
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

TEST_P(IncsTest, AManifestThatCannotBeReadDoesNotStopTheNext) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const JailPaths paths(world_.host, "web1");
  const auto identity = find_inc(world_.host, "web1", "2026-01-01-00")->identity;
  const bool has_manifest = GetParam() != FileSystem::btrfs;
  if (has_manifest) {
    ASSERT_EQ(::chmod((paths.meta_dir + "/manifests/" + identity).c_str(), 0), 0);
  }
  const WithoutOverride without;
  const auto outcome = world_.take("web1", "2026-01-02-00");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  EXPECT_FALSE(outcome.record.partial);
  EXPECT_EQ(outcome.warnings.size(), has_manifest ? 1U : 0U);
}

TEST_P(IncsTest, HoldsThatCannotBeReadDoNotStopTheNext) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  write_file(world_.inc("web1", ".meta") + "/holds.json", "rot");
  const auto outcome = world_.take("web1", "2026-01-02-00");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  EXPECT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::failed);
}

// What cannot be read for weeks would otherwise cost a full copy each day.
TEST_P(IncsTest, AnIncThatLacksSomethingIsBuiltOnForWhatItHas) {
  if (GetParam() == FileSystem::btrfs) return;  // nothing there can fail to be read
  world_.make_jail("web1");
  std::filesystem::create_directory(world_.data("web1") + "/away");
  write_file(world_.data("web1") + "/away/missed", "missed\n");
  {
    const OtherFileSystem other(world_.data("web1") + "/away");
    const auto first = world_.take("web1", "2026-01-01-00");
    ASSERT_EQ(first.status, IncStatus::taken);
    EXPECT_TRUE(first.record.partial);
    const auto second = world_.take("web1", "2026-01-02-00");
    EXPECT_TRUE(second.record.partial);
    EXPECT_EQ(second.record.linked, 3U);
    EXPECT_EQ(second.record.copied_bytes, 0U);
  }
  const auto third = world_.take("web1", "2026-01-03-00");
  EXPECT_FALSE(third.record.partial);
  EXPECT_EQ(third.record.linked, 3U);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-03-00") + "/data/away/missed"), "missed\n");
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-03-00") + "/data"),
            describe_tree(world_.data("web1")));
  EXPECT_EQ(world_.take("web1", "2026-01-04-00").record.copied_bytes, 0U);
}

TEST_P(IncsTest, DataThatIsMountedOverIsNoEmptyInc) {
  world_.make_jail("web1");
  for (const std::string name : {"data", "var"}) {
    const OtherFileSystem other(JailPaths(world_.host, "web1").jail_dir + "/" + name);
    const auto refused = world_.take("web1", "2026-01-01-00");
    ASSERT_EQ(refused.status, IncStatus::failed) << name;
    EXPECT_THAT(refused.error->message(), HasSubstr("mounted on"));
    EXPECT_THAT(world_.leftovers(), IsEmpty());
  }
  EXPECT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
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
