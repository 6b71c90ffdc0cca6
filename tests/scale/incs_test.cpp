// Many jails with many incs, and one jail with a thousand, on a clock that stands at noon of
// 2026-03-22.

#include <fmt/chrono.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using namespace std::chrono;
using nlohmann::json;

constexpr sys_seconds kNow = sys_days{March / 22 / 2026} + hours{12};

std::string inc_name(sys_seconds time) { return fmt::format("{:%Y-%m-%d-%H}", time); }

class ManyIncs : public Program {
 protected:
  ManyIncs() : Program(FileSystem::ext4, with_inodes()) {}
  void SetUp() override { must({"init", "web1"}); }

  static LoopVolume::Options with_inodes() {
    LoopVolume::Options options;
    options.mkfs_options = {"-i", "4096"};
    return options;
  }

  static void make(const std::string& directory) {
    ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0) << directory;
  }

  std::string at_noon(const std::vector<std::string>& words) {
    const std::string now = fmt::format("EVOJAIL_TEST_NOW={}", kNow.time_since_epoch().count());
    const Ended ended =
        must(words, {.environment = {now, "TZ=UTC0", "LD_PRELOAD=" EVOJAIL_FIXED_CLOCK}});
    EXPECT_EQ(ended.err, "");
    return ended.out;
  }
};

/// Sixty daily incs and thirty lines: 28 days from today back, the first of this month and of the
/// last.
TEST_F(ManyIncs, OfAThousandJailsAreThinnedAsTheirPoliciesSay) {
  std::string policy;
  for (int day = 0; day < 28; ++day) policy += fmt::format("+%Y-%m-%d.-{}day\n", day);
  policy += "+%Y-%m-01.-0month\n+%Y-%m-01.-1month\n";
  std::string expected;
  for (unsigned i = 0; i < 1000; ++i) {
    const std::string jail = fmt::format("jail{:04}", i);
    make(host().confdir + "/" + jail + ".d");
    write(conf(jail, "jail.conf"), fmt::format("PORT={}\n", 10000 + i));
    write(conf(jail, "incs_policy"), policy);
    make(host().incdir + "/" + jail);
    for (int day = 59; day >= 0; --day) {
      const std::string inc = inc_name(kNow - days{day});
      make(host().incdir + "/" + jail + "/" + inc);
      if (day >= 28 && inc != "2026-02-01-12") expected += fmt::format("remove {}/{}\n", jail, inc);
    }
  }
  const std::string planned = at_noon({"rm", "--dry-run"});
  EXPECT_EQ(std::ranges::count(planned, '\n'), 1000 * (60 - 28 - 1));
  EXPECT_TRUE(planned == expected) << planned.substr(0, 2000);
}

TEST_F(ManyIncs, AThousandOfOneJailAreListedExplainedAndRemoved) {
  write(conf("web1", "incs_policy"), "+%Y-%m-%d.-0day\n");
  make(host().incdir + "/web1");
  constexpr int taken = 3;  // by evojail; of the others there is no record, as of bkctld's
  std::vector<std::string> incs;
  for (int hour = 999; hour >= 0; --hour) {
    incs.push_back(inc_name(kNow - hours{hour}));
    if (hour < taken) {
      must({"inc", "--at", incs.back()});
    } else {
      make(host().incdir + "/web1/" + incs.back());
    }
  }
  const json listed = json::parse(must({"list-incs", "web1", "--json"}).out)["incs"];
  ASSERT_EQ(listed.size(), incs.size());
  for (std::size_t i = 0; i < incs.size(); ++i) {
    EXPECT_EQ(listed[i]["name"], incs[i]);
    EXPECT_EQ(listed[i]["record"].is_null(), i < incs.size() - taken) << listed[i];
  }
  const std::string table = must({"list-incs", "web1"}).out;
  for (const auto& inc : incs) EXPECT_NE(table.find(inc), std::string::npos) << inc;

  std::string expected;
  for (const auto& inc : incs) {
    expected +=
        inc.starts_with("2026-03-22")
            ? fmt::format("keep web1/{}: line 1: +%Y-%m-%d.-0day; goes on 2026-03-23\n", inc)
            : fmt::format("remove web1/{}: nothing keeps it\n", inc);
  }
  EXPECT_EQ(at_noon({"rm", "--explain"}), expected);
  EXPECT_EQ(at_noon({"rm"}), "987 incs removed, 1 jail looked at\n");
  EXPECT_EQ(json::parse(must({"list-incs", "web1", "--json"}).out)["incs"].size(), 13U);
}

}  // namespace
}  // namespace evojail::test
