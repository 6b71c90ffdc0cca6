#include "store/tree_remove.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

class TreeRemoveTest : public ::testing::Test {
 protected:
  TreeRemoveTest() : top_(::open(temp_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    ::mkdirat(top_.get(), "tree", 0755);
    tree_ = Fd(::openat(top_.get(), "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  static void touch(int dir, const std::string& name) {
    const Fd file(::openat(dir, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    ASSERT_TRUE(file) << name;
  }
  /// A chain of directories, `depth` of them, with a file in each.
  void chain(int depth, const std::string& name) const {
    Fd at(::openat(tree_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int i = 0; i < depth; ++i) {
      ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
      at = Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      touch(at.get(), "file");
    }
  }
  void expect_gone(std::uint64_t removed, unsigned threads = 2) {
    tree_.reset();
    const auto outcome = remove_tree(top_.get(), "tree", threads);
    ASSERT_TRUE(outcome) << outcome.error().message();
    for (const auto& trouble : outcome->troubles) ADD_FAILURE() << trouble.path << trouble.reason;
    EXPECT_TRUE(outcome->complete);
    EXPECT_EQ(outcome->removed, removed);
    EXPECT_FALSE(path_exists(temp_ / "tree"));
  }

  test::TempDirectory temp_;
  Fd top_;
  Fd tree_;
};

TEST_F(TreeRemoveTest, ANameThatIsNotThere) {
  const auto outcome = remove_tree(top_.get(), "nothing");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ENOENT);
}

TEST_F(TreeRemoveTest, WhatIsNoDirectory) {
  touch(top_.get(), "file");
  ASSERT_EQ(::symlinkat("tree", top_.get(), "link"), 0);
  ASSERT_EQ(::mkfifoat(top_.get(), "fifo", 0600), 0);
  for (const auto* name : {"file", "link", "fifo"}) {
    const auto outcome = remove_tree(top_.get(), name);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->complete);
    EXPECT_FALSE(path_exists(temp_ / name));
  }
  EXPECT_TRUE(path_exists(temp_ / "tree"));
}

TEST_F(TreeRemoveTest, LinksAreNotFollowed) {
  ASSERT_EQ(::mkdirat(top_.get(), "victim", 0755), 0);
  const Fd victim(::openat(top_.get(), "victim", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  touch(victim.get(), "precious");
  ASSERT_EQ(::symlinkat("../victim", tree_.get(), "directory"), 0);
  ASSERT_EQ(::symlinkat("../victim/precious", tree_.get(), "file"), 0);
  ASSERT_EQ(::symlinkat("nowhere", tree_.get(), "dangling"), 0);
  expect_gone(4);
  EXPECT_TRUE(path_exists(temp_ / "victim/precious"));
}

TEST_F(TreeRemoveTest, NamesOfEveryByte) {
  std::uint64_t made = 1;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte == '/') continue;
    const std::string name = std::string(1, static_cast<char>(byte)) + "\n";
    ASSERT_EQ(::mkdirat(tree_.get(), name.c_str(), 0755), 0) << byte;
    touch(tree_.get(), name + "x");
    const Fd dir(::openat(tree_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    touch(dir.get(), name);
    made += 3;
  }
  touch(tree_.get(), std::string(255, '\xFF'));
  expect_gone(made + 1);
}

// Deeper than is removed in place, and a path of 75,000 bytes.
TEST_F(TreeRemoveTest, DeepAndLong) {
  chain(300, std::string(255, 'x'));
  expect_gone(601);
}

TEST_F(TreeRemoveTest, FewDescriptorsAreEnough) {
  for (int i = 0; i < 12; ++i) {
    const std::string name = "wide-" + std::to_string(i);
    ASSERT_EQ(::mkdirat(tree_.get(), name.c_str(), 0755), 0);
    const Fd dir(::openat(tree_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int k = 0; k < 12; ++k) {
      ASSERT_EQ(::mkdirat(dir.get(), std::to_string(k).c_str(), 0755), 0);
    }
  }
  chain(600, "deep");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few{.rlim_cur = 500, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  expect_gone(12 * 13 + 1200 + 1, 8);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(TreeRemoveTest, NamesThatItWouldUseItself) {
  for (int i = 0; i < 5; ++i) {
    touch(tree_.get(), ".up-" + std::to_string(::getpid()) + "-" + std::to_string(i));
  }
  chain(300, "d");
  expect_gone(606);
}

TEST_F(TreeRemoveTest, TellsHowFarItIs) {
  for (int i = 0; i < 100; ++i) touch(tree_.get(), std::to_string(i));
  tree_.reset();
  std::uint64_t last = 0;
  const auto outcome = remove_tree(top_.get(), "tree", 2, [&last](const TreeProgress& progress) {
    EXPECT_GE(progress.entries, last);
    last = progress.entries;
  });
  ASSERT_TRUE(outcome);
  EXPECT_GT(last, 0U);
}

}  // namespace
}  // namespace evojail
