// No inode is reachable both from a jail and from an inc, and whatever happens to the live tree
// leaves every inc as it was.

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "tree_lab.hpp"

namespace evojail::test {
namespace {

class TreeInvariant : public TreeTest {};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeInvariant,
                         ::testing::Values(FileSystem::ext4, FileSystem::xfs), file_system_name);

/// Everything that writes to a file or to its metadata in place.
void spoil(const std::string& path) {
  {
    const Fd file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    ASSERT_TRUE(file);
    ASSERT_EQ(::pwrite(file.get(), "EVIL", 4, 0), 4);
    auto* bytes = static_cast<char*>(
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
    ASSERT_NE(bytes, MAP_FAILED);
    bytes[100] = 'M';
    ASSERT_EQ(::munmap(bytes, 4096), 0);
    ASSERT_EQ(::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096), 0);
    ASSERT_EQ(::ftruncate(file.get(), 20'000), 0);
    ASSERT_EQ(::pwrite(file.get(), "appended", 8, 20'000), 8);
  }
  ASSERT_EQ(::setxattr(path.c_str(), "user.evil", "1", 1, 0), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  ASSERT_EQ(::chown(path.c_str(), 66, 66), 0);
  set_mtime(path, 1);
}

TEST_P(TreeInvariant, WritesInPlaceDoNotReachAnInc) {
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  for (const char* name : {"dir/copied", "dir/linked"}) {
    write_file(lab.data(name), std::string(30'000, 'g'));
  }
  lab.let_stamps_age();
  lab.take("1");
  lab.take("2", "1");
  const auto first = describe_tree(lab.inc("1"));
  const auto second = describe_tree(lab.inc("2"));
  spoil(lab.data("dir/copied"));
  spoil(lab.data("dir/linked"));
  ASSERT_EQ(::chmod(lab.data("dir").c_str(), 0), 0);
  EXPECT_NE(describe_tree(lab.data()), first) << "the positive control";
  EXPECT_EQ(describe_tree(lab.inc("1")), first);
  EXPECT_EQ(describe_tree(lab.inc("2")), second);
  lab.take("3", "2");
  lab.expect_faithful("3");
  EXPECT_EQ(describe_tree(lab.inc("1")), first);
  EXPECT_EQ(describe_tree(lab.inc("2")), second);
  lab.expect_disjoint();
}

// An administrator gives a file back with `cp -al` or `mv` from an older inc, so that the live file
// is the base's own inode. What the client does to it reaches the incs it came from; it must not
// reach those that are taken from then on.
TEST_P(TreeInvariant, AFileThatCameBackAsALinkIsCopied) {
  for (const char* name : {"back", "large", "group-1"}) {
    write_file(lab.data(name), std::string(30'000, 'g'));
  }
  // So large that it is not tried twice.
  ASSERT_EQ(::truncate(lab.data("large").c_str(), off_t{100} << 20), 0);
  ASSERT_EQ(::link(lab.data("group-1").c_str(), lab.data("group-2").c_str()), 0);
  ASSERT_EQ(::symlink("back", lab.data("symlink").c_str()), 0);
  lab.let_stamps_age();
  lab.take("1");
  for (const char* name : {"back", "large", "group-1", "group-2", "symlink"}) {
    ASSERT_EQ(::unlink(lab.data(name).c_str()), 0);
    ASSERT_EQ(::link(lab.inc("1", name).c_str(), lab.data(name).c_str()), 0);
  }
  lab.let_stamps_age();
  std::string base = "1";
  for (const std::string name : {"2", "3", "4"}) {
    lab.take(name, base);
    lab.expect_faithful(name);
    base = name;
  }
  const auto third = describe_tree(lab.inc("3"));
  for (const char* name : {"back", "large", "group-1"}) spoil(lab.data(name));
  EXPECT_EQ(describe_tree(lab.inc("3")), third);
  std::filesystem::remove_all(lab.outside("incs/1"));
  lab.expect_disjoint();
}

/// A client at work: makes, changes, moves and links at random.
class Client {
 public:
  Client(const TreeLab& lab, unsigned seed) : lab_(lab), random_(seed) {}

  void work(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }

 private:
  std::string pick(bool directories) {
    std::vector<std::string> found;
    if (directories) found.push_back(lab_.data());
    for (const auto& entry : std::filesystem::recursive_directory_iterator(lab_.data())) {
      const bool is_directory = entry.is_directory() && !entry.is_symlink();
      if (is_directory == directories) found.push_back(entry.path());
    }
    return found.empty() ? "" : found[random_() % found.size()];
  }
  std::string fresh() { return pick(true) + "/n" + std::to_string(random_() % 1000); }
  std::string text() {
    return std::string(random_() % 9000, static_cast<char>('a' + random_() % 26));
  }

  // What cannot be done is not done: the calls' results do not matter.
  void step() {
    const std::string file = pick(false);
    std::error_code ignored;
    switch (random_() % 14) {
      case 0:
      case 1:
        make_file(fresh());
        break;
      case 2:
        std::filesystem::create_directory(fresh(), ignored);
        break;
      case 3:
        std::filesystem::create_symlink("somewhere", fresh(), ignored);
        break;
      case 4:
        if (!file.empty()) std::filesystem::create_hard_link(file, fresh(), ignored);
        break;
      case 5:
        if (!file.empty()) std::filesystem::remove(file, ignored);
        break;
      case 6:
        std::filesystem::rename(pick(true), fresh(), ignored);
        break;
      case 7:
        if (!file.empty()) std::filesystem::rename(file, fresh(), ignored);
        break;
      case 8:
        exchange(pick(true), pick(true));
        break;
      case 9:
        exchange(file, pick(false));
        break;
      case 10:
        if (is_regular(file)) make_file(file);
        break;
      case 11:
        if (is_regular(file)) overwrite(file);
        break;
      case 12:
        if (!file.empty()) [[maybe_unused]]
          const int done = ::lchown(file.c_str(), 5, 6);
        break;
      default:
        if (is_regular(file)) {
          ::setxattr(file.c_str(), "user.x", &"0123456789"[random_() % 10], 1, 0);
        }
    }
  }
  static bool is_regular(const std::string& path) {
    struct stat st{};
    return ::lstat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
  }
  void make_file(const std::string& path) {
    const Fd file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
    if (file) [[maybe_unused]]
      const auto done = write_all(file.get(), path, text());
  }
  /// The same size and modification time as before.
  void overwrite(const std::string& path) {
    struct stat st{};
    if (::stat(path.c_str(), &st) != 0 || st.st_size == 0) return;
    const Fd file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    const char byte = static_cast<char>('A' + random_() % 26);
    [[maybe_unused]] const auto done =
        ::pwrite(file.get(), &byte, 1, static_cast<off_t>(random_()) % st.st_size);
    set_mtime(path, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  }
  static void exchange(const std::string& one, const std::string& other) {
    ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
  }

  const TreeLab& lab_;
  std::mt19937 random_;
};

TEST_P(TreeInvariant, ThroughAClientsWholeHistory) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Client client(lab, seed);
    client.work(300);
    std::map<std::string, TreeDescription> taken;
    std::string base;
    for (int round = 0; round < 8; ++round) {
      if (round % 2 == 1) lab.let_stamps_age();
      const std::string name = std::to_string(seed) + "-" + std::to_string(round);
      lab.take(name, base);
      lab.expect_faithful(name);
      taken[name] = describe_tree(lab.inc(name));
      const auto verified = lab.verify(name);
      ASSERT_TRUE(verified);
      for (const auto& trouble : verified->troubles) {
        ADD_FAILURE() << name << ": " << trouble.path << ": " << trouble.reason;
      }
      base = name;
      client.work(40);
    }
    for (const auto& [name, description] : taken) {
      EXPECT_EQ(describe_tree(lab.inc(name)), description) << name;
    }
    lab.expect_disjoint();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace evojail::test
