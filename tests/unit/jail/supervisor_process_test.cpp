#include "jail/supervisor_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "base/lock.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

class SupervisorProcessTest : public testing::Test {
 protected:
  SupervisorProcessTest() {
    paths_.run_lock = directory_.path() + "/web1.run";
    child_ = ::fork();
    if (child_ == 0) {
      for (;;) ::pause();
    }
  }
  ~SupervisorProcessTest() override {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  /// What a pid is worth that the file names: 0 for none.
  pid_t found() {
    const auto process = SupervisorProcess::find(paths_);
    EXPECT_TRUE(process);
    return process && *process ? (*process)->pid() : 0;
  }

  test::TempDirectory directory_;
  JailPaths paths_{HostSettings{}, "web1"};
  pid_t child_ = -1;
};

TEST_F(SupervisorProcessTest, IsWhoHoldsTheLock) {
  EXPECT_EQ(found(), 0);
  const auto lock = FileLock::take(paths_.run_lock, FileLock::Wait::no);
  ASSERT_TRUE(lock);
  EXPECT_EQ(found(), ::getpid());
}

// The pid of a supervisor that was killed may be anybody's.
TEST_F(SupervisorProcessTest, IsNobodyWhoIsOnlyNamed) {
  std::ofstream(paths_.run_lock) << child_ << '\n';
  EXPECT_EQ(found(), 0);
  // Nor one that has the file open.
  const auto open = open_path(paths_.run_lock, 0);
  std::ofstream(paths_.run_lock) << ::getpid() << '\n';
  EXPECT_EQ(found(), 0);
}

}  // namespace
}  // namespace evojail
