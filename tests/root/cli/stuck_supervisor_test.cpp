// A supervisor that is there and does nothing.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class StuckSupervisor : public Program {
 protected:
  void SetUp() override {
    must({"init", "web1"});
    must({"start", "web1"});
    const json status = json::parse(must({"status", "--json"}).out)["jails"][0]["supervisor"];
    supervisor_ = status["pid"];
    init_ = status["init_pid"];
  }

  [[nodiscard]] std::string waiting() const {
    return "evojail: waiting: jail 'web1': the supervisor, pid " + std::to_string(supervisor_) +
           ", did not answer within 5 seconds\n";
  }

  /// Reaped or not: an orphan may wait for whoever is PID 1 here.
  [[nodiscard]] bool init_has_ended() const {
    return read("/proc/" + std::to_string(init_) + "/cmdline").empty();
  }

  pid_t supervisor_ = 0;
  pid_t init_ = 0;
};

TEST_F(StuckSupervisor, ThatWasStoppedIsLetGoOnByAStop) {
  ASSERT_EQ(::kill(supervisor_, SIGSTOP), 0);
  const Ended stopped = must({"stop", "web1"});
  EXPECT_EQ(stopped.out, "web1: stopped, 0 sessions ended\n");
  EXPECT_EQ(stopped.err, waiting());
  EXPECT_FALSE(std::filesystem::exists(host().rundir + "/web1"));
  EXPECT_TRUE(init_has_ended());
}

// As one that a debugger has, no SIGCONT helps it.
TEST_F(StuckSupervisor, ThatGoesOnForNobodyIsKilledByAStop) {
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, supervisor_, 0, 0), 0);
  ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, supervisor_, 0, 0), 0);
  ASSERT_EQ(::waitpid(supervisor_, nullptr, __WALL), supervisor_);
  const Ended stopped = must({"stop", "web1"});
  EXPECT_EQ(stopped.out, "web1: stopped, its supervisor, pid " + std::to_string(supervisor_) +
                             ", did not answer and was killed\n");
  EXPECT_THAT(stopped.err, StartsWith(waiting()));
  EXPECT_TRUE(init_has_ended()) << "its jail is left";
  EXPECT_EQ(::waitpid(supervisor_, nullptr, __WALL), supervisor_);
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
  EXPECT_EQ(must({"start", "web1"}).out, "web1: started\n");
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));
}

TEST_F(StuckSupervisor, IsSaidToBeWaitedForWhereASettingChanges) {
  ASSERT_EQ(::kill(supervisor_, SIGSTOP), 0);
  Running changing = begin({"port", "web1", "2300"});
  EXPECT_TRUE(eventually([&] { return changing.said().contains(waiting()); })) << changing.said();
  ASSERT_EQ(::kill(supervisor_, SIGCONT), 0);
  const Ended changed = changing.wait();
  EXPECT_EQ(changed.code, 0);
  EXPECT_THAT(changed.err, HasSubstr("the running jail has taken it up"));
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2300)));
}

}  // namespace
}  // namespace evojail::test
