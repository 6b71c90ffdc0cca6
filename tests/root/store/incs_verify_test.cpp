// Whether an inc is what was taken.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "root/store/incs_fixture.hpp"
#include "store/holds.hpp"
#include "store/inc_verify.hpp"

namespace evojail::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(IncsTest, LockIsTheReadOnlyPropertyOfBtrfs) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const bool btrfs = GetParam() == FileSystem::btrfs;
  EXPECT_EQ(unlock_inc(world_.host, "web1", "2026-01-01-00").value(), btrfs);
  EXPECT_FALSE(find_inc(world_.host, "web1", "2026-01-01-00")->locked);
  EXPECT_EQ(lock_inc(world_.host, "web1", "2026-01-01-00").value(), btrfs);
  EXPECT_EQ(find_inc(world_.host, "web1", "2026-01-01-00")->locked, btrfs);
  EXPECT_FALSE(lock_inc(world_.host, "web1", "2026-09-09-00"));
}

TEST_P(IncsTest, VerifyTellsWhetherAnIncIsWhatWasTaken) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const auto sound = verify_inc(world_.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(sound) << sound.error().message();
  EXPECT_EQ(sound->proof, GetParam() == FileSystem::btrfs ? IncVerification::Proof::snapshot
                                                          : IncVerification::Proof::manifest);
  EXPECT_TRUE(sound->unchanged);
  EXPECT_THAT(sound->troubles, IsEmpty());

  // Opened, changed, closed again: nothing that anybody would see.
  ASSERT_TRUE(unlock_inc(world_.host, "web1", "2026-01-01-00"));
  write_file(world_.inc("web1", "2026-01-01-00") + "/data/kept", "forged\n");
  ASSERT_TRUE(lock_inc(world_.host, "web1", "2026-01-01-00"));
  ::sync();
  const auto forged = verify_inc(world_.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(forged) << forged.error().message();
  EXPECT_FALSE(forged->unchanged);
  EXPECT_FALSE(forged->troubles.empty());
  EXPECT_FALSE(verify_inc(world_.host, "web1", "2026-09-09-00"));
  const auto nobody = verify_inc(world_.host, "nosuch", "2026-01-01-00");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind(), ErrorKind::no_such_jail);
  // Another directory of INCDIR's by a way round is no jail's name.
  EXPECT_FALSE(verify_inc(world_.host, "../incs/web1", "2026-01-01-00"));
}

TEST_P(IncsTest, AnIncThatIsRemovedWhileItIsVerifiedIsNotTakenForDamaged) {
  if (GetParam() == FileSystem::btrfs) return;  // there a look is one call
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  VerifyOptions options;
  options.threads = 1;
  bool removed = false;
  options.progress = [&](const TreeProgress&) {
    if (removed) return;
    removed = true;
    EXPECT_EQ(world_.remove("web1", {"2026-01-01-00"})[0].status, RemovalStatus::removed);
  };
  const auto verified = verify_inc(world_.host, "web1", "2026-01-01-00", options);
  ASSERT_TRUE(removed);
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().message(), HasSubstr("was removed while it was verified"));
}

}  // namespace
}  // namespace evojail::test
