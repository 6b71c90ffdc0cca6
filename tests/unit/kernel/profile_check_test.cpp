#include "kernel/profile_check.hpp"

#include <gtest/gtest.h>

#include "kernel/capabilities.hpp"
#include "support/profiles.hpp"

namespace evojail {
namespace {

TEST(CheckProfile, AcceptsTheShippedOnes) {
  for (const char* name : {"default", "sftp"}) {
    const auto sizes = check_profile(test::shipped_profile(name));
    ASSERT_TRUE(sizes) << sizes.error().message();
    ASSERT_EQ(sizes->size(), 2U);
    for (const CompiledSize& size : *sizes) {
      EXPECT_GT(size.instructions, 100U);
      EXPECT_LT(size.instructions, 1000U);
    }
  }
}

TEST(CheckProfile, RefusesACapabilityThatNoKernelHas) {
  Profile profile = test::shipped_profile("default");
  profile.capabilities.push_back({"CAP_FLY", "To fly.", 99});
  const auto sizes = check_profile(profile);
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().message(), profile.file + ":99: unknown capability 'CAP_FLY'");
}

TEST(CheckProfile, CompilesForTheOtherProcessorToo) {
  Profile profile = test::shipped_profile("default");
  profile.syscalls.push_back({{{"frobnicate", 99}}, SeccompAction::allow, 1, {}, "x", 98});
  const auto sizes = check_profile(profile);
  ASSERT_FALSE(sizes);
  EXPECT_EQ(sizes.error().message(), profile.file + ":99: unknown system call 'frobnicate'");
}

TEST(ProfileCapabilities, AreTheNumbersOfTheHeader) {
  Profile profile;
  profile.capabilities = {{"CAP_CHOWN", "", 1}, {"CAP_SETFCAP", "", 2}};
  const auto numbers = profile_capabilities(profile);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(*numbers, (Capabilities{0, 31}));
}

}  // namespace
}  // namespace evojail
