// The doors that a profile must shut, one by one: the compiled filter is run as a pure function
// over processor, call and arguments.

#include "seccomp_doors.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>

#include "support/bpf_evaluator.hpp"
#include "support/profiles.hpp"

namespace evojail {
namespace test {

void PrintTo(const Door& door, std::ostream* out) { *out << door.name; }

}  // namespace test
namespace {

using test::Door;
using test::SystemCall;

std::vector<Door> doors() {
  auto all = test::descriptor_doors();
  for (Door& door : test::kernel_doors()) all.push_back(std::move(door));
  return all;
}

class SeccompDoors : public testing::TestWithParam<std::tuple<Door, Architecture>> {
 protected:
  static const Filter& filter(Architecture architecture) {
    static std::map<Architecture, Filter> filters;
    const auto [entry, fresh] = filters.try_emplace(architecture);
    if (fresh) {
      entry->second =
          test::compiled(test::shipped_profile("default"), {.architecture = architecture});
    }
    return entry->second;
  }
};

TEST_P(SeccompDoors, AnswersAsTheTableSays) {
  const auto& [door, architecture] = GetParam();
  bool passes = false;
  bool stops = false;
  for (const test::Row& row : door.rows) {
    const int number = test::syscall_number(row.call, architecture);
    ASSERT_NE(number, -1) << row.call << " is no system call at all";
    if (number < 0) continue;  // x86_64 has it, aarch64 has not
    const SystemCall call{.number = static_cast<std::uint32_t>(number),
                          .architecture = test::audit_architecture(architecture),
                          .arguments = row.arguments};
    EXPECT_EQ(test::evaluate(filter(architecture), call), row.answer)
        << row.call << testing::PrintToString(row.arguments);
    (row.answer == test::kAllow ? passes : stops) = true;
  }
  EXPECT_TRUE(passes && stops) << "a door needs a row that passes and one that does not";
}

std::string name_of(const testing::TestParamInfo<std::tuple<Door, Architecture>>& test) {
  const auto& [door, architecture] = test.param;
  return std::string(door.name) + (architecture == Architecture::x86_64 ? "_x86_64" : "_aarch64");
}

INSTANTIATE_TEST_SUITE_P(Default, SeccompDoors,
                         testing::Combine(testing::ValuesIn(doors()),
                                          testing::Values(Architecture::x86_64,
                                                          Architecture::aarch64)),
                         name_of);

}  // namespace
}  // namespace evojail