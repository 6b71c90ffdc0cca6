#include "config/profile_text.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace evojail {
namespace {

Profile example() {
  Profile profile;
  profile.newest_syscall = {"openat2", 1};
  profile.architectures = {Architecture::aarch64};
  profile.syscalls = {
      {{{"read", 1}, {"write", 1}}, SeccompAction::allow, 1, {}, "Files.", 1},
      {{{"socket", 1}}, SeccompAction::error, 97, {}, "No sockets.", 1},
      {{{"sendto", 1}},
       SeccompAction::allow,
       1,
       {{3, SeccompOperator::masked_equal, 0x20000000, 0}, {4, SeccompOperator::equal, 0, 0}},
       "Answers.",
       1},
  };
  profile.capabilities = {{"CAP_CHOWN", "Owners.", 1}};
  profile.programs = {{"sh", 1}};
  profile.limits = {{"RLIMIT_CORE", 4, 1, "No core."}};
  profile.mounts.data = {.nosuid = true, .nodev = true};
  return profile;
}

const ProfileSection& section(const std::vector<ProfileSection>& sections,
                              const std::string& title) {
  const auto found = std::ranges::find(sections, title, &ProfileSection::title);
  if (found == sections.end()) throw std::runtime_error("no section " + title);
  return *found;
}

TEST(DescribeProfile, SaysWhatIsAllowedAndWhy) {
  const auto sections = describe_profile(example());
  const auto& rows = section(sections, "System calls: allowed").rows;
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].subject, "read, write");
  EXPECT_EQ(rows[0].rule, "allowed");
  EXPECT_EQ(rows[0].reason, "Files.");
  EXPECT_EQ(rows[1].rule, "allowed where argument 3 & 0x20000000 = 0x0 and argument 4 = 0x0");
}

TEST(DescribeProfile, SaysWhatIsRefusedAndHow) {
  const auto sections = describe_profile(example());
  const auto& rows = section(sections, "System calls: refused").rows;
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].subject, "socket");
  EXPECT_EQ(rows[0].rule, "refused: Address family not supported by protocol");
  EXPECT_EQ(rows[1].subject, "all others");
  EXPECT_EQ(rows[1].rule, "refused: Operation not permitted");
  EXPECT_EQ(rows[2].subject, "newer than openat2");
  EXPECT_EQ(rows[2].rule, "refused: Function not implemented");
}

TEST(DescribeProfile, SaysTheRest) {
  const auto sections = describe_profile(example());
  EXPECT_EQ(section(sections, "Capabilities kept").rows[0].reason, "Owners.");
  EXPECT_EQ(section(sections, "Programs").rows[0].subject, "sh");
  EXPECT_EQ(section(sections, "Limits").rows[0].rule, "at most 1");
  EXPECT_EQ(section(sections, "Mounts").rows[1].rule, "nosuid, nodev");
  EXPECT_EQ(section(sections, "Processors").rows[0].subject, "SCMP_ARCH_AARCH64");
}

TEST(DescribeArgument, NamesTheLow32Bits) {
  EXPECT_EQ(describe_argument({1, SeccompOperator::masked_equal, 0xffffffff, 0x5401}),
            "argument 1 = 0x5401 (low 32 bits)");
  EXPECT_EQ(describe_argument({0, SeccompOperator::less_equal, 65535, 0}), "argument 0 <= 0xffff");
}

}  // namespace
}  // namespace evojail
