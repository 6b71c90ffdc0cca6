#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitor/setup_check.hpp"

namespace evojail {
namespace {

TEST(SetupCheck, ComparesKernelReleases) {
  EXPECT_TRUE(is_kernel_at_least("6.1.0-18-amd64", 6, 1));
  EXPECT_TRUE(is_kernel_at_least("6.1", 6, 1));
  EXPECT_TRUE(is_kernel_at_least("6.12.41+deb13-amd64", 6, 1));
  EXPECT_TRUE(is_kernel_at_least("7.0-rc1", 6, 1));
  EXPECT_TRUE(is_kernel_at_least("6.18.44-x", 6, 1));
  EXPECT_FALSE(is_kernel_at_least("6.0.19", 6, 1));
  EXPECT_FALSE(is_kernel_at_least("5.15.0", 6, 1));
  EXPECT_FALSE(is_kernel_at_least("6", 6, 1));
  EXPECT_FALSE(is_kernel_at_least("", 6, 1));
  EXPECT_FALSE(is_kernel_at_least("six.one", 6, 1));
}

TEST(Finding, AnErrorsHintIsItsCure) {
  const Finding finding = missing("volume", Error("'/x' does not exist").hint("mkdir /x"));
  EXPECT_EQ(finding.level, Finding::Level::missing);
  EXPECT_EQ(finding.text, "'/x' does not exist");
  EXPECT_EQ(finding.cure, "mkdir /x");
}

// A host without anything: each finding has its cure, and nothing was made.
TEST(SetupCheck, TellsAnEmptyHostWhatToDo) {
  HostSettings host;
  host.jaildir = "/nonexistent/jails";
  host.incdir = "/nonexistent/incs";
  host.archivesdir = "/nonexistent/archives";
  const Findings findings = check_volume(host);
  ASSERT_FALSE(findings.empty());
  // Nothing is wrong yet, but what comes first is a volume: init would make the directories
  // anywhere.
  EXPECT_EQ(findings.front().level, Finding::Level::note);
  EXPECT_THAT(findings.front().cure, ::testing::StartsWith("mount the backup volume"))
      << findings.front().text;
}

}  // namespace
}  // namespace evojail
