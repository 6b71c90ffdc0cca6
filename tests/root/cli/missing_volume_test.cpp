// What the program says and leaves alone while the volume of its jails is not mounted.

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using testing::HasSubstr;

using Jails = Program;

TEST_F(Jails, WhoseVolumeIsNotMountedAreNotPassedOver) {
  must({"init", "web1"});
  EXPECT_EQ(must({"status"}).err, "");
  std::filesystem::rename(host().jaildir, host().jaildir + ".away");
  std::filesystem::rename(host().incdir, host().incdir + ".away");
  EXPECT_EQ(must({"status"}).err,
            "evojail: warning: 1 jail without data in JAILDIR: is the volume mounted?\n");
  for (const char* command : {"inc", "rm", "start"}) {
    const Ended ended = command == std::string("start") ? run({"start", "all"}) : run({command});
    EXPECT_EQ(ended.code, 1) << command;
    EXPECT_THAT(ended.err, HasSubstr("hint: is the volume mounted?")) << command;
  }
  EXPECT_THAT(run({"check-setup"}).out, HasSubstr("cure: is the volume mounted?"));
  // Nor is anything made where the volume is going to be mounted.
  EXPECT_THAT(run({"init", "web2"}).err, HasSubstr("hint: is the volume mounted?"));
  EXPECT_FALSE(std::filesystem::exists(host().jaildir));
}

}  // namespace
}  // namespace evojail::test
