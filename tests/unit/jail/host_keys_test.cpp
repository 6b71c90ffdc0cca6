#include "jail/host_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_directory.hpp"

namespace evojail {
namespace {

using test::TempDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(HostKeys, OldClientsGetRsaToo) {
  EXPECT_THAT(new_host_key_types(false), ElementsAre("ed25519", "ecdsa"));
  EXPECT_THAT(new_host_key_types(true), ElementsAre("ed25519", "ecdsa", "rsa"));
}

TEST(HostKeys, AreMadeAndLeaveNothingBehind) {
  const TempDirectory scratch;
  const auto keys = make_host_keys({"ed25519", "ecdsa", "rsa"}, "web1", scratch.path());
  ASSERT_TRUE(keys) << keys.error().message();
  ASSERT_EQ(keys->size(), 3U);
  const std::vector<std::string> names{"ssh-ed25519 ", "ecdsa-sha2-nistp256 ", "ssh-rsa "};
  for (std::size_t i = 0; i < keys->size(); ++i) {
    EXPECT_THAT((*keys)[i].public_key, StartsWith(names[i]));
    EXPECT_TRUE((*keys)[i].public_key.ends_with(" web1\n"));
    EXPECT_THAT((*keys)[i].private_key, StartsWith("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(HostKeys, AreNewEachTime) {
  const TempDirectory scratch;
  const auto one = make_host_keys({"ed25519"}, "web1", scratch.path());
  const auto two = make_host_keys({"ed25519"}, "web1", scratch.path());
  ASSERT_TRUE(one && two);
  EXPECT_NE(one->front().public_key, two->front().public_key);
}

TEST(HostKeys, AFailureSaysWhatTheProgramSaid) {
  const TempDirectory scratch;
  const auto keys = make_host_keys({"ed25519", "nosuch"}, "web1", scratch.path());
  ASSERT_FALSE(keys);
  EXPECT_THAT(keys.error().message(), HasSubstr("-t nosuch ended with"));
  EXPECT_THAT(keys.error().message(), HasSubstr("unknown key type"));
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  EXPECT_FALSE(make_host_keys({"ed25519"}, "web1", scratch / "missing"));
}

}  // namespace
}  // namespace evojail
