// Trees that are built to attack the walk, and clients that attack while it runs.

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "store/tree_measure.hpp"
#include "store/tree_remove.hpp"
#include "tree_lab.hpp"

namespace evojail::test {
namespace {

class TreeHostile : public TreeTest {};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeHostile, ::testing::Values(FileSystem::ext4, FileSystem::xfs),
                         file_system_name);

/// Does something over and over in a thread of its own until the object goes.
class Meanwhile {
 public:
  template <class Work>
  explicit Meanwhile(Work work)
      : thread_([work = std::move(work)](const std::stop_token& stop) {
          while (!stop.stop_requested()) work();
        }) {}

 private:
  std::jthread thread_;
};

void exchange(const std::string& one, const std::string& other) {
  ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
}

bool holds_secret(const std::string& tree) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree)) {
    if (entry.path().filename() == "secret") return true;
    if (entry.is_regular_file() && !entry.is_symlink() &&
        contents_of(entry.path()) == "the neighbour's") {
      return true;
    }
  }
  return false;
}

// Directories and files are exchanged with links to a neighbour's while the walk runs.
TEST_P(TreeHostile, LinksSwappedInUnderTheWalk) {
  ASSERT_EQ(::mkdir(lab.outside("neighbour").c_str(), 0755), 0);
  write_file(lab.outside("neighbour/secret"), "the neighbour's");
  constexpr int pairs = 8;
  for (int i = 0; i < pairs; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(::mkdir(lab.data("dir" + n).c_str(), 0755), 0);
    write_file(lab.data("dir" + n + "/own"), "own");
    ASSERT_EQ(::symlink(lab.outside("neighbour").c_str(), lab.data("link" + n).c_str()), 0);
    write_file(lab.data("file" + n), "own");
    ASSERT_EQ(::symlink(lab.outside("neighbour/secret").c_str(), lab.data("flink" + n).c_str()), 0);
  }
  std::atomic<int> swaps = 0;
  const Meanwhile swapping([this, &swaps] {
    for (int i = 0; i < pairs; ++i) {
      const std::string n = std::to_string(i);
      exchange(lab.data("dir" + n), lab.data("link" + n));
      exchange(lab.data("file" + n), lab.data("flink" + n));
    }
    ++swaps;
  });

  // The positive control: whoever looks first and opens by path later gets there.
  bool naive_found_it = false;
  for (int tries = 0; tries < 1'000'000 && !naive_found_it; ++tries) {
    const std::string path = lab.data("dir" + std::to_string(tries % pairs));
    struct stat st{};
    if (::lstat(path.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) continue;
    naive_found_it = ::access((path + "/secret").c_str(), F_OK) == 0;
  }
  EXPECT_TRUE(naive_found_it);

  const auto victim = inodes_of(lab.outside("neighbour"));
  std::string base;
  const int first_swaps = swaps;
  for (int round = 0; round < 60; ++round) {
    const std::string name = std::to_string(round);
    const auto outcome = lab.try_take(name, base);
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_FALSE(holds_secret(lab.inc(name))) << name;
    for (const auto inode : inodes_of(lab.inc(name))) EXPECT_FALSE(victim.contains(inode)) << name;
    base = name;
  }
  EXPECT_GT(swaps, first_swaps) << "nobody attacked";
  EXPECT_EQ(links_of(lab.outside("neighbour/secret")), 1U);
}

// A FIFO in a file's place: opened to be read it would wait for a writer for ever.
TEST_P(TreeHostile, FifosSwappedInUnderTheWalk) {
  for (int i = 0; i < 16; ++i) {
    const std::string n = std::to_string(i);
    write_file(lab.data("file" + n), "own");
    ASSERT_EQ(::mkfifo(lab.data("fifo" + n).c_str(), 0600), 0);
  }
  const Meanwhile swapping([this] {
    for (int i = 0; i < 16; ++i) {
      exchange(lab.data("file" + std::to_string(i)), lab.data("fifo" + std::to_string(i)));
    }
  });
  std::string base;
  for (int round = 0; round < 40; ++round) {
    const std::string name = std::to_string(round);
    ASSERT_TRUE(lab.try_take(name, base));
    base = name;
  }
}

// Rule 10: a file that never holds still is copied as it came out and listed.
TEST_P(TreeHostile, AFileThatNeverHoldsStill) {
  write_file(lab.data("log"), std::string(8 << 20, 'l'));
  write_file(lab.data("quiet"), "text");
  const Fd log(::open(lab.data("log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  std::atomic<bool> writing = false;
  const Meanwhile appending([&log, &writing] {
    [[maybe_unused]] const auto done = ::write(log.get(), "line\n", 5);
    writing = true;
  });
  while (!writing) std::this_thread::yield();
  // A copy that fell between two lines is as good as any: the next one meets the writer.
  auto outcome = lab.try_take("1", "");
  std::string inc = "1";
  for (int more = 2; outcome && !outcome->partial && more < 200; ++more) {
    inc = std::to_string(more);
    outcome = lab.try_take(inc, "");
  }
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->partial);
  ASSERT_FALSE(outcome->troubles.empty());
  EXPECT_EQ(outcome->troubles[0].path, "data/log");
  EXPECT_EQ(contents_of(lab.inc(inc, "log")).substr(0, 4), "llll");
  EXPECT_EQ(contents_of(lab.inc(inc, "quiet")), "text");
}

// Directories that move while the walk is below them must not lead it out of the tree.
TEST_P(TreeHostile, DirectoriesMovedUnderTheWalk) {
  ASSERT_EQ(::mkdir(lab.data("here").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(lab.data("there").c_str(), 0755), 0);
  std::string path = lab.data("here/top");
  ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  for (int i = 0; i < 200; ++i) {
    // Wide enough that the queue is full and the walk has to come back up by "..".
    for (int k = 0; i % 20 == 0 && k < 40; ++k) {
      ASSERT_EQ(::mkdir((path + "/w" + std::to_string(k)).c_str(), 0755), 0);
    }
    path += "/d";
    ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  }
  std::string middle = lab.data("here/top");
  for (int i = 0; i < 100; ++i) middle += "/d";
  const Meanwhile moving([this, middle] {
    ::rename(middle.c_str(), lab.data("there/moved").c_str());
    ::rename(lab.data("there/moved").c_str(), middle.c_str());
  });
  const std::string marker = lab.outside("marker");
  write_file(marker, "outside");
  for (int round = 0; round < 20; ++round) {
    const std::string name = std::to_string(round);
    const auto outcome = lab.try_take(name, "");
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_FALSE(std::filesystem::exists(lab.inc(name, "marker")));
    const auto verified = lab.verify(name);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->trouble_count, 0U) << "what was taken is as the manifest says";
  }
}

TEST_P(TreeHostile, OtherFileSystemsAreListedAndLeftAlone) {
  ASSERT_EQ(::mkdir(lab.data("mounted").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(lab.data("bound").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(lab.outside("elsewhere").c_str(), 0755), 0);
  write_file(lab.outside("elsewhere/secret"), "the neighbour's");
  write_file(lab.data("file"), "own");
  ASSERT_EQ(::mount("none", lab.data("mounted").c_str(), "tmpfs", 0, nullptr), 0);
  write_file(lab.data("mounted/secret"), "the neighbour's");
  // The same file system, by another mount: the device number does not tell.
  ASSERT_EQ(::mount(lab.outside("elsewhere").c_str(), lab.data("bound").c_str(), nullptr, MS_BIND,
                    nullptr),
            0);
  ASSERT_EQ(::mount(lab.outside("elsewhere/secret").c_str(), lab.data("file").c_str(), nullptr,
                    MS_BIND, nullptr),
            0);
  const auto outcome = lab.try_take("1", "");
  for (const char* name : {"mounted", "bound", "file"}) {
    EXPECT_EQ(::umount2(lab.data(name).c_str(), 0), 0);
  }
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->partial);
  EXPECT_EQ(outcome->trouble_count, 3U);
  EXPECT_FALSE(holds_secret(lab.inc("1")));
}

TEST_P(TreeHostile, TenThousandLevels) {
  Fd at = open_dir(lab.data());
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
    at = Fd(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const Fd file(::openat(at.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    ASSERT_TRUE(file) << i;
  }
  lab.let_stamps_age();
  auto outcome = lab.take("1");
  EXPECT_EQ(outcome.directories, 10'002U);
  EXPECT_EQ(outcome.copied, 10'000U);
  outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.linked, 10'000U);
  const auto verified = lab.verify("2");
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->trouble_count, 0U);
  EXPECT_EQ(verified->names, 20'002U);
}

// A chain for each slot of the queue, so that walks have to be kept and resumed by marks.
TEST_P(TreeHostile, DeepAndWide) {
  std::uint64_t directories = 2;
  for (int chain = 0; chain < 100; ++chain) {
    Fd at = open_dir(lab.data());
    const std::string name = "chain" + std::to_string(chain);
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
    at = Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ++directories;
    for (int i = 0; i < 60; ++i) {
      for (const char* sub : {"a", "b", "c"}) ASSERT_EQ(::mkdirat(at.get(), sub, 0755), 0);
      at = Fd(::openat(at.get(), "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      directories += 3;
    }
  }
  for (const unsigned threads : {1U, 3U}) {
    const std::string name = std::to_string(threads);
    const auto outcome =
        lab.take(name, "", [threads](TreeIncRequest& request) { request.threads = threads; });
    EXPECT_EQ(outcome.directories, directories);
    lab.expect_faithful(name);
  }
}

// Two names of one hash have one position in ext4's directories, and whoever goes on from it meets
// the first one again. With the hash of old they are easily found; with today's, by trying for a
// day, as the hash shows in the positions that getdents(2) tells.
TEST(TreeHostileNames, OfOneHashAreMetOnce) {
  TreeLab lab(FileSystem::ext4);
  lab.volume().unmount();
  const std::string command = "tune2fs -E hash_alg=legacy " + lab.volume().device();
  ASSERT_EQ(std::system((command + " >/dev/null").c_str()), 0);
  lab.volume().mount();
  std::uint64_t directories = 2;
  std::string at = lab.data();
  for (int level = 0; level < 12; ++level) {
    // More than the queue takes, so that the walk goes down and comes back.
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(::mkdir((at + "/x" + std::to_string(i)).c_str(), 0755), 0);
    }
    for (const char* name : {"d001501", "d001510"}) {
      ASSERT_EQ(::mkdir((at + "/" + name).c_str(), 0755), 0);
    }
    directories += 102;
    at += "/d001501";
  }
  write_file(at + "/file", "text");
  const Fd jail = open_dir(lab.outside("jail"));
  for (const unsigned threads : {1U, 2U}) {
    const auto size = measure_tree(jail.get(), threads);
    ASSERT_TRUE(size);
    EXPECT_EQ(size->names, directories + 1);
    const std::string name = std::to_string(threads);
    const auto outcome =
        lab.take(name, "", [threads](TreeIncRequest& request) { request.threads = threads; });
    EXPECT_EQ(outcome.directories, directories);
    lab.expect_faithful(name);
    const auto verified = lab.verify(name);
    ASSERT_TRUE(verified);
    EXPECT_EQ(verified->trouble_count, 0U);
    EXPECT_EQ(verified->names, directories + 1);
  }
  // And what cannot go is tried once.
  const Fd file(::open((at + "/file").c_str(), O_RDONLY | O_CLOEXEC));
  for (int flags : {FS_IMMUTABLE_FL, 0}) {
    ASSERT_EQ(::ioctl(file.get(), FS_IOC_SETFLAGS, &flags), 0);
    const auto removed = remove_tree(jail.get(), "data", 1);
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->complete, flags == 0);
  }
}

// A million names in one directory, one walk in a process of its own: memory stays bounded.
TEST(TreeHostileMemory, AMillionNames) {
  LoopVolume::Options options;
  options.size = std::uint64_t{8} << 30;
  options.mkfs_options = {"-N", "2300000"};
  TreeLab lab(FileSystem::ext4, options);
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  const Fd dir = open_dir(lab.data("dir"));
  for (int i = 0; i < 1'000'000; ++i) {
    ASSERT_EQ(::mknodat(dir.get(), std::to_string(i).c_str(), S_IFREG | 0644, 0), 0) << i;
  }
  // Subdirectories among them, wherever their names' hashes put them.
  constexpr int subdirectories = 20;
  for (int i = 0; i < subdirectories; ++i) {
    const std::string sub = "sub" + std::to_string(i);
    ASSERT_EQ(::mkdirat(dir.get(), sub.c_str(), 0755), 0);
    ASSERT_EQ(::mknodat(dir.get(), (sub + "/file").c_str(), S_IFREG | 0644, 0), 0);
  }
  lab.let_stamps_age();
  const auto in_child = [&lab](const std::string& name, const std::string& base) {
    const pid_t child = ::fork();
    if (child == 0) {
      // What the parent has is not the walk's: the high-water mark starts anew (proc(5)).
      std::ofstream("/proc/self/clear_refs") << "5";
      const auto outcome = lab.try_take(name, base);
      const bool all = outcome && !outcome->partial &&
                       outcome->copied + outcome->linked == 1'000'000 + subdirectories;
      std::ifstream status("/proc/self/status");
      std::string word;
      std::uint64_t kilobytes = 0;
      while (status >> word) {
        if (word == "VmHWM:") status >> kilobytes;
      }
      ::_exit(!all ? 1 : kilobytes > 64 * 1024 ? 2 : 0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  const int first = in_child("1", "");
  const int second = in_child("2", "1");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  EXPECT_NE(first, 1);  // a sanitizer's own memory is beyond any bound
  EXPECT_NE(second, 1);
#else
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 0);
#endif
}

}  // namespace
}  // namespace evojail::test
