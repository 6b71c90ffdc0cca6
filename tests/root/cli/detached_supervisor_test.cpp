// A supervisor that no service manager started.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using DetachedSupervisor = Program;

// The address of whoever waited for the start may be anybody's by then.
TEST_F(DetachedSupervisor, TellsNobodyOfAReload) {
  must({"init", "web1"});
  must({"start", "web1"}, {.environment = {"NOTIFY_SOCKET=@another", "INVOCATION_ID=0"}});
  must({"reload", "web1"});
  const pid_t supervisor =
      json::parse(must({"status", "--json"}).out)["jails"][0]["supervisor"]["pid"];
  const std::string environment = read("/proc/" + std::to_string(supervisor) + "/environ");
  EXPECT_THAT(environment, HasSubstr("PATH="));
  EXPECT_THAT(environment, Not(HasSubstr("NOTIFY_SOCKET")));
}

}  // namespace
}  // namespace evojail::test
