#include "monitor/steady_error.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace evojail {
namespace {

using testing::ElementsAre;

TEST(SteadyError, IsSaidOnceWithItsHint) {
  std::vector<std::string> lines;
  SteadyError trouble([&lines](LogLevel, std::string_view line) { lines.emplace_back(line); });
  const Error missing = Error("no nf_tables").hint("load it");
  for (int i = 0; i < 3; ++i) trouble.met(missing);
  EXPECT_THAT(lines, ElementsAre("no nf_tables", "hint: load it"));
  trouble.met(Error("no memory"));
  EXPECT_THAT(lines, ElementsAre("no nf_tables", "hint: load it", "no memory"));
}

TEST(SteadyError, ThatComesBackIsNews) {
  std::vector<std::string> lines;
  SteadyError trouble([&lines](LogLevel, std::string_view line) { lines.emplace_back(line); });
  trouble.met(Error("no memory"));
  trouble.over();
  trouble.met(Error("no memory"));
  EXPECT_THAT(lines, ElementsAre("no memory", "no memory"));
}

}  // namespace
}  // namespace evojail
