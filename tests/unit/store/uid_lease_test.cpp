#include "store/uid_lease.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::HasSubstr;

class UidLeaseTest : public ::testing::Test {
 protected:
  UidLeaseTest() {
    host_.datadir = directory_ / "data";
    host_.rundir = directory_ / "run";
    host_.logdir = directory_ / "log";
    host_.confdir = directory_ / "conf";
  }
  void make_conf(const std::string& name) {
    std::filesystem::create_directories(host_.confdir + "/" + name + ".d");
    write_file(host_.confdir + "/" + name + ".d/jail.conf", "PORT=2222\n");
  }
  [[nodiscard]] std::string leases() const { return host_.datadir + "/uid-ranges/leases"; }

  TempDirectory directory_;
  HostSettings host_;
};

TEST(UidRange, LiesBelowTheLabels) {
  EXPECT_EQ(UidRange{0}.base(), 0x70000000U);
  EXPECT_EQ(UidRange{1}.base(), 0x70020000U);
  // 65,536 ids and nobody's, below the shared labels at 0x80010000.
  EXPECT_LE(UidRange{uid_range_count - 1}.base() + 65536U, 0x7FFFFFFFU);
}

TEST_F(UidLeaseTest, AJailKeepsItsRange) {
  EXPECT_FALSE(find_uid_range(host_, "web1").value());
  const auto first = lease_uid_range(host_, "web1");
  ASSERT_TRUE(first) << first.error().message();
  const auto second = lease_uid_range(host_, "web2");
  ASSERT_TRUE(second);
  EXPECT_NE(first->base(), second->base());
  EXPECT_EQ(lease_uid_range(host_, "web1").value(), *first);
  EXPECT_EQ(find_uid_range(host_, "web2").value(), *second);
}

TEST_F(UidLeaseTest, ARangeGivenBackIsFree) {
  const auto first = lease_uid_range(host_, "web1");
  ASSERT_TRUE(first);
  ASSERT_TRUE(release_uid_range(host_, "web1"));
  ASSERT_TRUE(release_uid_range(host_, "web1"));
  EXPECT_FALSE(find_uid_range(host_, "web1").value());
  EXPECT_EQ(lease_uid_range(host_, "web2").value(), *first);
}

TEST_F(UidLeaseTest, RenameHandsItOn) {
  const auto first = lease_uid_range(host_, "web1");
  ASSERT_TRUE(first);
  ASSERT_TRUE(rename_uid_range(host_, "web1", "web2"));
  EXPECT_FALSE(find_uid_range(host_, "web1").value());
  EXPECT_EQ(find_uid_range(host_, "web2").value(), *first);
  EXPECT_TRUE(rename_uid_range(host_, "none", "other"));
}

TEST_F(UidLeaseTest, WhereAllAreTakenThoseOfJailsThatAreGoneGo) {
  ASSERT_TRUE(lease_uid_range(host_, "first"));
  std::string text;
  for (unsigned i = 0; i < uid_range_count; ++i) text += fmt::format("jail{} {}\n", i, i);
  write_file(leases(), text);
  for (unsigned i = 0; i < uid_range_count; ++i) make_conf(fmt::format("jail{}", i));
  const auto full = lease_uid_range(host_, "web1");
  ASSERT_FALSE(full);
  EXPECT_THAT(full.error().message(), HasSubstr("2047"));
  std::filesystem::remove_all(host_.confdir + "/jail100.d");
  const auto leased = lease_uid_range(host_, "web1");
  ASSERT_TRUE(leased);
  EXPECT_EQ(leased->index, 100U);
}

TEST_F(UidLeaseTest, ADamagedFileGivesNothingAway) {
  ASSERT_TRUE(lease_uid_range(host_, "web1"));
  for (const char* text :
       {"web1\n", "web1 0\nweb2 0\n", "web1 0\nweb1 1\n", "web1 2047\n", "web1 x\n", "../x 1\n"}) {
    write_file(leases(), text);
    const auto leased = lease_uid_range(host_, "web9");
    ASSERT_FALSE(leased) << text;
    EXPECT_FALSE(leased.error().hint().empty());
  }
}

TEST_F(UidLeaseTest, ManyAtOnceGetRangesOfTheirOwn) {
  constexpr int processes = 16;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(lease_uid_range(host_, fmt::format("jail{}", i)) ? 0 : 1);
  }
  for (int i = 0; i < processes; ++i) {
    int status = -1;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  std::set<std::uint32_t> bases;
  for (int i = 0; i < processes; ++i) {
    const auto range = find_uid_range(host_, fmt::format("jail{}", i));
    ASSERT_TRUE(range && *range);
    bases.insert((*range)->base());
  }
  EXPECT_EQ(bases.size(), static_cast<std::size_t>(processes));
}

}  // namespace
}  // namespace evojail::test
