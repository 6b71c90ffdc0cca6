#include "jail/mknod_request.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

namespace evojail {
namespace {

TEST(CallerStatus, takes_the_file_system_ids_and_the_umask) {
  const auto status = parse_caller_status(
      "Name:\tmknod\nUmask:\t0027\nState:\tS (sleeping)\n"
      "Uid:\t1\t2\t3\t1879048192\nGid:\t5\t6\t7\t4294967295\nFDSize:\t64\n");
  ASSERT_TRUE(status) << status.error().message();
  EXPECT_EQ(status->fsuid, 0x70000000U);
  EXPECT_EQ(status->fsgid, 0xffffffffU);
  EXPECT_EQ(status->umask, 027U);
}

/// proc_pid_status(5): what is special in a name comes escaped, so a name stays on its line.
TEST(CallerStatus, is_not_misled_by_a_name) {
  const auto status = parse_caller_status(
      "Name:\tx\\nUid:\t9\t9\t9\t9\nUmask:\t0022\nUid:\t0\t0\t0\t1\nGid:\t0\t0\t0\t2\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->fsuid, 1U);
  EXPECT_EQ(status->fsgid, 2U);
}

TEST(CallerStatus, that_lacks_something_is_of_a_caller_that_is_gone) {
  for (const char* text : {
           "",
           "Umask:\t0022\nUid:\t0\t0\t0\t0\n",
           "Umask:\t0022\nGid:\t0\t0\t0\t0\n",
           "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
           "Umask:\t0022\nUid:\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
           "Umask:\t0022\nUid:\t0\t0\t0\t-1\nGid:\t0\t0\t0\t0\n",
           "Umask:\t0022\nUid:\t0\t0\t0\t4294967296\nGid:\t0\t0\t0\t0\n",
           "Umask:\t0028\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
           "Umask:\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n",
       }) {
    const auto status = parse_caller_status(text);
    ASSERT_FALSE(status) << text;
    EXPECT_EQ(status.error().code(), ESRCH) << text;
  }
}

TEST(NewPath, is_cut_before_its_last_component) {
  for (const auto& [path, directory, name] : std::vector<std::array<const char*, 3>>{
           {"node", ".", "node"},
           {"a/node", "a", "node"},
           {"a/b//node", "a/b/", "node"},
           {"./node", ".", "node"},
           {"../node", "..", "node"},
           {"a/...", "a", "..."},
           {" ", ".", " "},
           {"a/\n", "a", "\n"},
       }) {
    const auto split = split_new_path(path);
    ASSERT_TRUE(split) << path;
    EXPECT_EQ(split->directory, directory) << path;
    EXPECT_EQ(split->name, name) << path;
  }
}

TEST(NewPath, that_names_no_new_entry_fails_as_mknod_does) {
  for (const auto& [path, code] : std::vector<std::pair<const char*, int>>{{"", ENOENT},
                                                                           {"a/", ENOENT},
                                                                           {"a/b//", ENOENT},
                                                                           {".", EEXIST},
                                                                           {"..", EEXIST},
                                                                           {"a/.", EEXIST},
                                                                           {"a/..", EEXIST}}) {
    const auto split = split_new_path(path);
    ASSERT_FALSE(split) << path;
    EXPECT_EQ(split.error().code(), code) << path;
  }
}

}  // namespace
}  // namespace evojail
