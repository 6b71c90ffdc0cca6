// What depends on whether a person sits at a terminal.

#include <gmock/gmock.h>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using testing::HasSubstr;
using testing::Not;

using Terminal = Program;

TEST_F(Terminal, RemovalAsks) {
  must({"init", "web1"});
  const Ended nobody = run({"remove", "web1"});
  EXPECT_EQ(nobody.code, 101);
  EXPECT_EQ(nobody.out, "");
  EXPECT_THAT(nobody.err, HasSubstr("hint: --force"));

  const Ended no = run({"remove", "web1"}, {.input = "no\n", .terminal = true});
  EXPECT_EQ(no.code, 101);
  EXPECT_THAT(no.out, HasSubstr("Remove jail 'web1' with its data for good? [yes/NO]"));
  EXPECT_EQ(run({"remove", "web1"}, {.input = "\n", .terminal = true}).code, 101);
  EXPECT_EQ(must({"list"}).out, "web1\n");

  const Ended yes = run({"remove", "web1"}, {.input = "yes\n", .terminal = true});
  EXPECT_EQ(yes.code, 0) << yes.out;
  EXPECT_EQ(must({"list"}).out, "");
}

TEST_F(Terminal, ColourIsForTerminalsWithoutNoColor) {
  must({"init", "web1"});
  constexpr const char* escape = "\x1b[";
  EXPECT_THAT(run({"status"}, {.terminal = true, .environment = {"TERM=xterm"}}).out,
              HasSubstr(escape));
  EXPECT_THAT(run({"status"}, {.terminal = true, .environment = {"TERM=xterm", "NO_COLOR=1"}}).out,
              Not(HasSubstr(escape)));
  EXPECT_THAT(run({"status"}, {.terminal = true, .environment = {"TERM=dumb"}}).out,
              Not(HasSubstr(escape)));
  EXPECT_THAT(must({"status"}).out, Not(HasSubstr(escape)));
}

}  // namespace
}  // namespace evojail::test
