// Taking incs.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "root/store/incs_fixture.hpp"
#include "store/store_lock.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

INSTANTIATE_TEST_SUITE_P(All, IncsTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

TEST_P(IncsTest, HoldsWhatTheJailHeld) {
  world_.make_jail("web1");
  const auto outcome = world_.take("web1", "2026-01-01-00");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  EXPECT_FALSE(outcome.record.partial);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00") + "/data"),
            describe_tree(world_.data("web1")));
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-01-00"));
  EXPECT_THAT(world_.leftovers(), IsEmpty());
}

TEST_P(IncsTest, ChangesInTheJailDoNotReachThem) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  const std::string first = describe_tree(world_.inc("web1", "2026-01-01-00"));
  const std::string second = describe_tree(world_.inc("web1", "2026-01-01-01"));
  const std::string data = world_.data("web1");
  {
    const Fd file(::open((data + "/changed").c_str(), O_WRONLY));
    ASSERT_EQ(::pwrite(file.get(), "EVIL", 4, 0), 4);
  }
  ASSERT_EQ(::truncate((data + "/dir/deep").c_str(), 1), 0);
  ASSERT_EQ(::chmod((data + "/kept").c_str(), 0600), 0);
  ASSERT_EQ(::chown((data + "/kept").c_str(), 33, 33), 0);
  ASSERT_EQ(world_.take("web1", "2026-01-01-02").status, IncStatus::taken);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-00")), first);
  EXPECT_EQ(describe_tree(world_.inc("web1", "2026-01-01-01")), second);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-01-02") + "/data/changed"), "EVILre\n");
}

TEST_P(IncsTest, ShareNoInodeWithTheJail) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  const auto live = inodes(JailPaths(world_.host, "web1").jail_dir);
  ASSERT_FALSE(live.empty());
  for (const char* inc : {"2026-01-01-00", "2026-01-01-01"}) {
    const auto frozen = inodes(world_.inc("web1", inc));
    ASSERT_EQ(frozen.size(), live.size());
    std::vector<std::pair<std::uint64_t, std::uint64_t>> shared;
    std::ranges::set_intersection(live, frozen, std::back_inserter(shared));
    EXPECT_THAT(shared, IsEmpty());
  }
}

TEST_P(IncsTest, SecondOfTheHourIsSkipped) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  write_file(world_.data("web1") + "/changed", "after\n");
  EXPECT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::exists);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-01-00") + "/data/changed"), "before\n");
}

TEST_P(IncsTest, WithoutAPolicyNoneIsTaken) {
  world_.make_jail("web1");
  std::filesystem::remove(JailPaths(world_.host, "web1").incs_policy);
  EXPECT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::no_policy);
  EXPECT_FALSE(path_exists(JailPaths(world_.host, "web1").incs_dir));
}

TEST_P(IncsTest, OneJailsErrorDoesNotStopTheOthers) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  world_.make_jail("web3");
  const auto lock = lock_store(world_.host, "web2");
  ASSERT_TRUE(lock);
  const std::vector<IncRequest> requests{
      {.jail = "none"}, {.jail = "web1"}, {.jail = "web2"}, {.jail = "../x"}, {.jail = "web3"}};
  std::size_t done = 0;
  const auto outcomes = take_incs(world_.host, requests, "2026-01-01-00", {},
                                  [&done](const IncProgress& state) { done = state.done; });
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(done, 5U);
  EXPECT_EQ(outcomes[0].status, IncStatus::failed);
  EXPECT_EQ(outcomes[0].error->kind(), ErrorKind::no_such_jail);
  EXPECT_EQ(outcomes[1].status, IncStatus::taken);
  EXPECT_EQ(outcomes[2].status, IncStatus::failed);
  EXPECT_THAT(outcomes[2].error->message(), HasSubstr("held by pid"));
  EXPECT_EQ(outcomes[3].status, IncStatus::failed);
  EXPECT_EQ(outcomes[4].status, IncStatus::taken);
}

TEST_P(IncsTest, ABusyJailIsTriedAgainBehindTheOthers) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  std::optional<FileLock> lock = lock_store(world_.host, "web1").value();
  std::size_t done = 0;
  bool other_was_there = false;
  const std::vector<IncRequest> requests{{.jail = "web1"}, {.jail = "web2"}};
  const auto outcomes =
      take_incs(world_.host, requests, "2026-01-01-00", {.lock_patience = std::chrono::hours(1)},
                [&](const IncProgress& state) {
                  done = state.done;
                  if (state.jail != "web1" || !path_exists(world_.inc("web2", "2026-01-01-00"))) {
                    return;
                  }
                  other_was_there = other_was_there || lock;
                  lock.reset();
                });
  EXPECT_EQ(outcomes[0].status, IncStatus::taken);
  EXPECT_EQ(outcomes[1].status, IncStatus::taken);
  EXPECT_TRUE(other_was_there);
  EXPECT_EQ(done, 2U);
}

TEST_P(IncsTest, BadNameIsRefused) {
  world_.make_jail("web1");
  for (const char* name : {"2026-13-01-00", "../x", "2026-01-01", ""}) {
    EXPECT_EQ(world_.take("web1", name).status, IncStatus::failed) << name;
  }
}

}  // namespace
}  // namespace evojail::test
