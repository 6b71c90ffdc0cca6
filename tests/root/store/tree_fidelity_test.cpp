// What an inc keeps of a tree: everything.

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "tree_lab.hpp"

namespace evojail::test {
namespace {

class TreeFidelity : public TreeTest {};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeFidelity,
                         ::testing::Values(FileSystem::ext4, FileSystem::xfs), file_system_name);

/// A POSIX ACL as the kernel stores it: acl(5), version 2, entries (tag, permissions, id) in order.
std::string acl(std::uint32_t user) {
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  const std::array<Entry, 5> entries{Entry{1, 7, ~0U}, Entry{2, 5, user}, Entry{4, 5, ~0U},
                                     Entry{16, 5, ~0U}, Entry{32, 0, ~0U}};
  const std::uint32_t version = 2;
  std::string bytes(reinterpret_cast<const char*>(&version), sizeof version);
  bytes.append(reinterpret_cast<const char*>(entries.data()), sizeof entries);
  return bytes;
}

void set_attribute(const std::string& path, const char* name, const std::string& value) {
  ASSERT_EQ(::lsetxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << path << name;
}

/// One of everything that a Unix tree can hold.
void make_everything(const TreeLab& lab) {
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0750), 0);
  ASSERT_EQ(::mkdir(lab.data("dir/sub").c_str(), 02775), 0);
  write_file(lab.data("empty"), "");
  write_file(lab.data("dir/file"), "some text");
  write_file(lab.data("dir/sub/large"), std::string(3'000'001, 'x'));
  write_file(lab.data("setuid"), "#!");
  ASSERT_EQ(::chown(lab.data("setuid").c_str(), 33, 70000), 0);
  ASSERT_EQ(::chmod(lab.data("setuid").c_str(), 06755), 0);
  write_file(lab.data("nobody"), "uid 4294967294");
  ASSERT_EQ(::chown(lab.data("nobody").c_str(), 4294967294, 1000000500), 0);
  write_file(lab.data("unreadable"), "mode 0");
  ASSERT_EQ(::chmod(lab.data("unreadable").c_str(), 0), 0);

  ASSERT_EQ(::symlink("/etc/passwd", lab.data("link").c_str()), 0);
  ASSERT_EQ(::symlink(std::string(1000, 'l').c_str(), lab.data("long link").c_str()), 0);
  ASSERT_EQ(::lchown(lab.data("link").c_str(), 33, 34), 0);
  set_mtime(lab.data("link"), 1'000'000'000, 123'456'789);
  ASSERT_EQ(::mkfifo(lab.data("fifo").c_str(), 0620), 0);
  ASSERT_EQ(::mknod(lab.data("char").c_str(), S_IFCHR | 0660, ::makedev(1, 3)), 0);
  ASSERT_EQ(::mknod(lab.data("block").c_str(), S_IFBLK | 0660, ::makedev(259, 70000)), 0);
  ASSERT_EQ(::mknod(lab.data("whiteout").c_str(), S_IFCHR, ::makedev(0, 0)), 0);
  ASSERT_EQ(::mknod(lab.data("socket").c_str(), S_IFSOCK | 0777, 0), 0);
  ASSERT_EQ(::chown(lab.data("socket").c_str(), 65534, 65534), 0);

  set_attribute(lab.data("dir/file"), "user.note", std::string("any\0byte\xff", 9));
  set_attribute(lab.data("dir/file"), "trusted.note", "only root");
  set_attribute(lab.data("link"), "trusted.note", "of the link");
  set_attribute(lab.data("char"), "trusted.note", "of the device");
  set_attribute(lab.data("fifo"), "trusted.note", "of the fifo");
  set_attribute(lab.data("dir/sub"), "user.empty", "");
  set_attribute(lab.data("dir/sub/large"), "user.large", std::string(2000, 'v'));
  set_attribute(lab.data("dir/file"), "system.posix_acl_access", acl(70000));
  set_attribute(lab.data("dir"), "system.posix_acl_access", acl(33));
  set_attribute(lab.data("dir"), "system.posix_acl_default", acl(1000000500));
  vfs_cap_data capability{};
  capability.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
  capability.data[0].permitted = 1U << CAP_NET_RAW;
  write_file(lab.data("ping"), "ELF");
  set_attribute(lab.data("ping"), "security.capability",
                {reinterpret_cast<const char*>(&capability), XATTR_CAPS_SZ_2});

  set_mtime(lab.data("dir/file"), -1, 1);
  set_mtime(lab.data("dir/sub"), 4'000'000'000, 999'999'999);
  set_mtime(lab.data("dir"), 1'234'567'890, 1);
  set_mtime(lab.data(), 1'111'111'111, 11);
}

TEST_P(TreeFidelity, EverythingIsKept) {
  make_everything(lab);
  if (HasFatalFailure()) return;
  lab.let_stamps_age();
  const auto first = lab.take("1");
  lab.expect_faithful("1");
  EXPECT_EQ(first.linked, 0U);

  // The same through links: nothing is read or copied, and each file is the base's own inode.
  const auto second = lab.take("2", "1");
  lab.expect_faithful("2");
  EXPECT_EQ(second.copied, 0U);
  EXPECT_EQ(second.compared, 0U);
  EXPECT_EQ(second.linked, first.copied);
  for (const char* name : {"dir/file", "link", "char", "fifo", "socket", "ping"}) {
    EXPECT_EQ(inode_of(lab.inc("2", name)), inode_of(lab.inc("1", name))) << name;
  }
  lab.expect_disjoint();
  for (const char* name : {"1", "2"}) {
    const auto verified = lab.verify(name);
    ASSERT_TRUE(verified) << verified.error().message();
    EXPECT_EQ(verified->trouble_count, 0U);
  }
}

// The same through comparisons: without a manifest, bytes and attributes decide.
TEST_P(TreeFidelity, EverythingIsComparedToo) {
  make_everything(lab);
  if (HasFatalFailure()) return;
  const auto first = lab.take("1");
  lab.let_stamps_age();
  const auto second =
      lab.take("2", "1", [](TreeIncRequest& request) { request.base->manifest_fd = -1; });
  lab.expect_faithful("2");
  EXPECT_EQ(second.copied, 0U);
  EXPECT_EQ(second.linked, first.copied);
  EXPECT_EQ(inode_of(lab.inc("2", "link")), inode_of(lab.inc("1", "link")));
  lab.expect_disjoint();
}

TEST_P(TreeFidelity, TheWalkLeavesNoTrace) {
  make_everything(lab);
  if (HasFatalFailure()) return;
  // Access times from before the modification: relatime would renew them at any read.
  const std::array<timespec, 2> old{timespec{.tv_sec = 1, .tv_nsec = 2},
                                    timespec{.tv_sec = 5, .tv_nsec = 0}};
  for (const char* name : {"dir", "dir/file", "dir/sub/large", ""}) {
    ASSERT_EQ(::utimensat(AT_FDCWD, lab.data(name).c_str(), old.data(), 0), 0);
  }
  lab.take("1");
  for (const char* name : {"dir", "dir/file", "dir/sub/large", ""}) {
    for (const auto& path : {lab.data(name), lab.inc("1", name)}) {
      struct stat st{};
      ASSERT_EQ(::stat(path.c_str(), &st), 0);
      EXPECT_EQ(st.st_atim.tv_sec, 1) << path;
      EXPECT_EQ(st.st_atim.tv_nsec, 2) << path;
    }
  }
}

// ext4 keeps attributes in what an inode has left, and the rest in one block. Which went where
// hangs on the order in which they came, and in another one they may not fit.
TEST_P(TreeFidelity, AttributesThatJustFit) {
  const auto set = [](const std::string& path, const char* name, std::size_t size) {
    const std::string value(size, 'v');
    ASSERT_EQ(::setxattr(path.c_str(), name, value.data(), value.size(), 0), 0) << name;
  };
  write_file(lab.data("file"), "text");
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  for (const char* path : {"file", "dir"}) {
    set(lab.data(path), "user.z", 40);    // in the inode
    set(lab.data(path), "user.a", 16);    // no room is left there: in the block …
    set(lab.data(path), "user.b", 4000);  // … and this one fills it
  }
  lab.take("1");
  lab.expect_faithful("1");

  // What the incs' own directory hands down takes room, too. That one file's attributes do not fit
  // is no full volume.
  set_attribute(lab.outside("incs"), "system.posix_acl_default", acl(33));
  const auto outcome = lab.try_take("2", "");
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(outcome->troubles.size(), GetParam() == FileSystem::ext4 ? 2U : 0U);
  EXPECT_EQ(outcome->partial, !outcome->troubles.empty());
  EXPECT_EQ(contents_of(lab.inc("2", "file")), "text");
}

TEST_P(TreeFidelity, HolesStayHoles) {
  const off_t end = GetParam() == FileSystem::xfs ? off_t{1} << 62 : off_t{1} << 43;
  {
    const Fd file(::open(lab.data("sparse").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    const std::string text(10'000, 's');
    for (const off_t at : {off_t{0}, off_t{1} << 30, end / 2 + 4096, end - 20'000}) {
      ASSERT_EQ(::pwrite(file.get(), text.data(), text.size(), at), 10'000);
    }
    ASSERT_EQ(::ftruncate(file.get(), end), 0);
    const Fd empty(::open(lab.data("hole").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_EQ(::ftruncate(empty.get(), 100'000), 0);
    ASSERT_EQ(::fsync(file.get()), 0);
  }
  lab.take("1");
  lab.expect_faithful("1");
  struct stat st{};
  ASSERT_EQ(::stat(lab.inc("1", "sparse").c_str(), &st), 0);
  EXPECT_LT(st.st_blocks * 512, 1 << 20);
  ASSERT_EQ(::stat(lab.inc("1", "hole").c_str(), &st), 0);
  EXPECT_EQ(st.st_blocks, 0);

  // Compared, too, hole for hole.
  const auto second =
      lab.take("2", "1", [](TreeIncRequest& request) { request.base->manifest_fd = -1; });
  EXPECT_EQ(second.copied, 0U);
  const auto verified = lab.verify("1");
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->trouble_count, 0U);
}

TEST_P(TreeFidelity, HardLinkGroups) {
  ASSERT_EQ(::mkdir(lab.data("a").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(lab.data("b").c_str(), 0755), 0);
  write_file(lab.data("a/one"), "text");
  ASSERT_EQ(::link(lab.data("a/one").c_str(), lab.data("b/two").c_str()), 0);
  ASSERT_EQ(::link(lab.data("a/one").c_str(), lab.data("three").c_str()), 0);
  ASSERT_EQ(::symlink("to", lab.data("link").c_str()), 0);
  ASSERT_EQ(::link(lab.data("link").c_str(), lab.data("a/link").c_str()), 0);
  lab.let_stamps_age();
  auto outcome = lab.take("1");
  EXPECT_EQ(outcome.copied, 2U);
  EXPECT_EQ(outcome.grouped, 3U);
  lab.expect_faithful("1");
  EXPECT_EQ(links_of(lab.inc("1", "three")), 3U);

  outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.linked, 2U);
  EXPECT_EQ(outcome.grouped, 3U);
  EXPECT_EQ(outcome.copied + outcome.compared, 0U);
  lab.expect_faithful("2");
  EXPECT_EQ(links_of(lab.inc("2", "three")), 6U);

  // One of its names changes it for all; a name less changes its ctime.
  write_file(lab.data("b/two"), "another text");
  ASSERT_EQ(::unlink(lab.data("a/link").c_str()), 0);
  lab.let_stamps_age();
  outcome = lab.take("3", "2");
  EXPECT_EQ(outcome.copied, 1U);
  lab.expect_faithful("3");
  outcome = lab.take("4", "3");
  EXPECT_EQ(outcome.copied, 0U);
  lab.expect_faithful("4");
  lab.expect_disjoint();
  const auto verified = lab.verify("4");
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->trouble_count, 0U);
}

// Two files with the same bytes and metadata where the base had one file with two names: linked to
// one inode they would come back as one file.
TEST_P(TreeFidelity, TwoFilesNeverBecomeOne) {
  for (const bool with_manifest : {true, false}) {
    const std::string round = with_manifest ? "m" : "n";
    write_file(lab.data("one"), "text");
    set_mtime(lab.data("one"), 1000);
    ASSERT_EQ(::link(lab.data("one").c_str(), lab.data("two").c_str()), 0);
    lab.take(round + "1");
    ASSERT_EQ(::unlink(lab.data("two").c_str()), 0);
    write_file(lab.data("two"), "text");
    set_mtime(lab.data("two"), 1000);
    lab.let_stamps_age();
    lab.take(round + "2", round + "1", [with_manifest](TreeIncRequest& request) {
      if (!with_manifest) request.base->manifest_fd = -1;
    });
    lab.expect_faithful(round + "2");
    lab.expect_disjoint();
    ASSERT_EQ(::unlink(lab.data("one").c_str()), 0);
    ASSERT_EQ(::unlink(lab.data("two").c_str()), 0);
  }
}

TEST_P(TreeFidelity, NamesOfEveryByte) {
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/') continue;
    const std::string name(1, static_cast<char>(byte));
    if (name != ".") write_file(lab.data(name), name);
    const std::string dir = "d\n" + name;
    ASSERT_EQ(::mkdir(lab.data(dir).c_str(), 0755), 0);
    write_file(lab.data(dir + "/" + std::string(255, static_cast<char>(byte))), name);
  }
  write_file(lab.data("..."), "three dots");
  lab.let_stamps_age();
  lab.take("1");
  lab.expect_faithful("1");
  const auto second = lab.take("2", "1");
  EXPECT_EQ(second.copied, 0U);
  lab.expect_faithful("2");
}

TEST_P(TreeFidelity, VarBelongsToTheIncToo) {
  ASSERT_EQ(::mkdir(lab.outside("jail/var/log").c_str(), 0755), 0);
  write_file(lab.outside("jail/var/log/rsync.log"), "sent 1 byte");
  lab.take("1");
  EXPECT_EQ(describe_tree(lab.outside("incs/1/var")), describe_tree(lab.outside("jail/var")));
}

}  // namespace
}  // namespace evojail::test
