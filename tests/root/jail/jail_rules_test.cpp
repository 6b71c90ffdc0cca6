#include "jail/jail_rules.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/file.hpp"
#include "support/fault_injection.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

enum Answer : int { own = 10, shipped, none };

/// A profile of the administrator's goes before the one of its name that evojail brings along; one
/// that cannot be looked at is an error, and no reason to take the other, which may allow more.
TEST(JailRules, AProfileThatCannotBeLookedForIsNotReplaced) {
  const test::TempDirectory directory;
  HostSettings host;
  host.confdir = directory.path();
  const std::string profiles = directory.path() + "/profiles";
  ASSERT_EQ(::mkdir(profiles.c_str(), 0755), 0);
  const auto find = [&host] {
    const auto files = find_profiles(host);
    if (!files) return none;
    return files->at("default").starts_with(host.confdir) ? own : shipped;
  };
  EXPECT_EQ(find(), shipped);
  ASSERT_TRUE(replace_file(profiles + "/default.json", "{}", 0644));
  EXPECT_EQ(find(), own);

  unsigned failed = 0;
  for (unsigned at = 1;; ++at) {
    const auto run = test::run_with_fault([&] { return static_cast<int>(find()); },
                                          {.at = at, .error = EIO, .calls = test::Calls::looking});
    EXPECT_NE(run.status, shipped) << "look " << at << ", " << run.call;
    if (!run.hit) break;
    failed += run.status == none ? 1 : 0;
  }
  EXPECT_GT(failed, 1U);
}

}  // namespace
}  // namespace evojail
