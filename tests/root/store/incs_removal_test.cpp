// Removing incs, and what stays.

#include <gmock/gmock.h>

#include <filesystem>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "root/store/incs_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(IncsTest, RemovalTakesTheNamedOnes) {
  world_.make_jail("web1");
  for (const char* inc : {"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"}) {
    ASSERT_EQ(world_.take("web1", inc).status, IncStatus::taken);
  }
  const std::string second = describe_tree(world_.inc("web1", "2026-01-02-00"));
  const auto outcomes = world_.remove("web1", {"2026-01-03-00", "2026-01-01-00", "2020-01-01-00"});
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[0].status, RemovalStatus::removed);
  EXPECT_EQ(outcomes[1].status, RemovalStatus::removed);
  EXPECT_EQ(outcomes[2].status, RemovalStatus::missing);
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-02-00"));
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-02-00")), second);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  const auto records = JailPaths(world_.host, "web1").meta_dir + "/incs";
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(records), {}), 1);
  // And the next inc is built on what is left.
  EXPECT_EQ(world_.take("web1", "2026-01-04-00").status, IncStatus::taken);
}

TEST_P(IncsTest, DirectoryLeftEmptyGoes) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").incs_dir));
  std::filesystem::create_directory(JailPaths(world_.host, "gone").incs_dir);
  EXPECT_THAT(world_.remove("gone", {}), IsEmpty());
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "gone").incs_dir));
}

TEST_P(IncsTest, WhatIsNotNamedLikeAnIncStays) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  std::filesystem::create_directory(world_.inc("web1", "before-migration"));
  write_file(world_.inc("web1", "2026-01-01-05"), "a file\n");
  const auto incs = list_incs(world_.host, "web1");
  ASSERT_TRUE(incs);
  ASSERT_EQ(incs->size(), 3U);
  EXPECT_TRUE((*incs)[0].dated);
  EXPECT_FALSE((*incs)[1].dated);
  EXPECT_FALSE((*incs)[2].dated);
  const auto outcomes =
      world_.remove("web1", {"before-migration", "2026-01-01-05", ".meta", "2026-01-01-00"});
  EXPECT_EQ(outcomes[0].status, RemovalStatus::failed);
  EXPECT_EQ(outcomes[1].status, RemovalStatus::failed);
  EXPECT_EQ(outcomes[2].status, RemovalStatus::missing);
  EXPECT_EQ(outcomes[3].status, RemovalStatus::removed);
  EXPECT_TRUE(path_exists(world_.inc("web1", "before-migration")));
  EXPECT_TRUE(path_exists(world_.inc("web1", "2026-01-01-05")));
}

}  // namespace
}  // namespace evojail::test
