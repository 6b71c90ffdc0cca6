#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/file.hpp"
#include "store_fault_scenarios.hpp"
#include "support/fault_injection.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::IsEmpty;

// Those that a disk, a quota, a limit and a read-only file system answer with.
const std::vector<int> errors{ENOSPC, EIO, EROFS, EMFILE};

LoopVolume::Options roomy() {
  LoopVolume::Options options;
  options.size = 4ULL << 30;  // inodes for all the jails
  return options;
}

using Parameter = std::tuple<FileSystem, Scenario (*)()>;

/// Meets a fault at every call that changes something.
class StoreFaultTest : public ::testing::TestWithParam<Parameter> {
 protected:
  /// One fault at call `at`, and what must be true then. @return whether there is such a call.
  bool meet(const Fault& fault);
  /// The jail that was met is brought to the operation's end.
  void converge();
  [[nodiscard]] bool applies() const { return !scenario_.of_btrfs || type_ == FileSystem::btrfs; }
  void check_older();

  FileSystem type_ = std::get<0>(GetParam());
  Scenario scenario_ = std::get<1>(GetParam())();
  StoreWorld world_{type_, roomy()};
  unsigned jails_ = 0;
  std::string jail_;  ///< prepared, and as it was before the operation; empty: there is none
  std::string older_;
};

INSTANTIATE_TEST_SUITE_P(All, StoreFaultTest,
                         ::testing::Combine(::testing::Values(FileSystem::btrfs, FileSystem::ext4,
                                                              FileSystem::xfs),
                                            ::testing::ValuesIn(all_scenarios())),
                         [](const auto& values) {
                           return std::get<1>(values.param)().name + "_" +
                                  to_string(std::get<0>(values.param));
                         });

void StoreFaultTest::check_older() {
  if (older_.empty()) return;
  const auto places = scenario_.older(world_, jail_);
  const auto place = std::ranges::find_if(places, path_exists);
  ASSERT_NE(place, places.end()) << "the older inc is gone";
  EXPECT_EQ(describe_tree(*place), older_);
}

bool StoreFaultTest::meet(const Fault& fault) {
  if (jail_.empty()) {
    jail_ = fmt::format("jail{}", ++jails_);
    scenario_.prepare(world_, jail_);
    older_ = scenario_.older ? describe_tree(scenario_.older(world_, jail_).front()) : "";
  }
  const FaultRun faulty =
      run_with_fault([this] { return scenario_.operate(world_, jail_); }, fault);
  SCOPED_TRACE(fmt::format("{} on {}: call {} ({}), error {}{}", scenario_.name, to_string(type_),
                           fault.at, faulty.call, fault.error, fault.onward ? " onward" : ""));
  EXPECT_EQ(faulty.killed, faulty.hit && fault.error == 0 && !fault.meanwhile);
  if (fault.meanwhile) world_.volume.remount(roomy().mount_flags);
  check_older();
  scenario_.check_between(world_, jail_);
  if (faulty.status == 0) scenario_.check_done(world_, jail_);
  if (faulty.status == 0 || faulty.killed || !scenario_.undone) converge();
  if (faulty.hit) return true;
  // Past the last call: the operation did all its work under observation.
  EXPECT_EQ(faulty.status, 0);
  EXPECT_GT(fault.at, 5U);
  return false;
}

void StoreFaultTest::converge() {
  if (jail_.empty()) return;
  EXPECT_EQ(scenario_.operate(world_, jail_), 0);
  check_older();
  scenario_.check_done(world_, jail_);
  scenario_.go_on(world_, jail_);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  jail_.clear();
}

constexpr unsigned endless = 2000;

TEST_P(StoreFaultTest, Killed) {
  if (!applies()) return;
  for (unsigned at = 1; meet({.at = at}); ++at) {
    ASSERT_LT(at, endless);
    if (HasFailure()) return;
  }
}

TEST_P(StoreFaultTest, ACallFails) {
  if (!applies()) return;
  bool hit = true;
  for (unsigned at = 1; hit; ++at) {
    ASSERT_LT(at, endless);
    hit = false;
    for (const int error : errors) {
      hit = meet({.at = at, .error = error}) || hit;
      if (HasFailure()) return;
      if (!hit) break;
    }
    converge();
  }
}

/// What cannot be looked at is not missing, empty or done.
TEST_P(StoreFaultTest, ALookFails) {
  if (!applies()) return;
  for (unsigned at = 1; meet({.at = at, .error = EIO, .calls = Calls::looking}); ++at) {
    ASSERT_LT(at, endless);
    if (HasFailure()) return;
  }
}

/// As on a volume that turns read-only or full half-way: the undoing fails as well.
TEST_P(StoreFaultTest, AllCallsFailFromThereOn) {
  if (!applies()) return;
  // Every second call, and each another error on each file system: what is left differs little.
  const auto turn = static_cast<unsigned>(type_);
  for (unsigned at = 1 + turn % 2;; at += 2) {
    ASSERT_LT(at, endless);
    const int error = (at / 2 + turn) % 2 == 0 ? EROFS : ENOSPC;
    const bool hit = meet({.at = at, .error = error, .onward = true});
    if (!HasFailure()) converge();
    if (!hit || HasFailure()) return;
  }
}

/// The kernel's own answers.
TEST_P(StoreFaultTest, TheVolumeTurnsReadOnly) {
  if (!applies()) return;
  unsigned turned = 0;
  const auto turn = [&] {
    try {
      world_.volume.remount(MS_RDONLY | roomy().mount_flags);
      ++turned;
    } catch (const std::runtime_error&) {
      // A file is open for writing: the kernel says EBUSY, and the operation ends as ever.
    }
  };
  for (unsigned at = 1 + static_cast<unsigned>(type_);; at += 3) {
    ASSERT_LT(at, endless);
    const bool hit = meet({.at = at, .meanwhile = turn});
    if (!HasFailure()) converge();
    if (HasFailure()) return;
    if (!hit) break;
  }
  EXPECT_GT(turned, 1U);
}

}  // namespace
}  // namespace evojail::test
