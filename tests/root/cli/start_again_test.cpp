// What becomes of a running jail where the operation that it was stopped for fails.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "root/cli/program.hpp"
#include "store/store_lock.hpp"

namespace evojail::test {
namespace {

using testing::HasSubstr;

using Jails = Program;

TEST_F(Jails, GoOnWhereTheyWereStoppedInVain) {
  must({"init", "web1"});
  must({"start", "web1"});
  {
    const auto inc = lock_store(host(), "web1");
    ASSERT_TRUE(inc);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"rename", "web1", "web2"},
          {"archive", "web1"},
          {"remove", "web1", "--force"}}) {
      const Ended failed = run(words);
      EXPECT_EQ(failed.code, 1) << words[0];
      EXPECT_THAT(failed.err,
                  HasSubstr("jail 'web1' was stopped and is started again; 0 sessions ended"))
          << words[0];
      EXPECT_EQ(run({"is-on", "web1"}).code, 0) << words[0];
    }
  }
  must({"rename", "web1", "web2"});
  EXPECT_EQ(run({"is-on", "web2"}).code, 0);
}

}  // namespace
}  // namespace evojail::test
