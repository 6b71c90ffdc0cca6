#include <fmt/format.h>
#include <sys/timex.h>
#include <sys/utsname.h>

#include <algorithm>
#include <ctime>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "monitor/setup_check.hpp"
#include "retention/calendar.hpp"
#include "retention/local_zone.hpp"
#include "store/incs.hpp"

namespace evojail {
namespace {

/// No clock that is right shows an earlier time.
constexpr std::time_t kEarliest = 1735689600;  // 2025-01-01

/// The newest inc of all jails, by name; empty: none.
std::string newest_inc(const HostSettings& host) {
  std::string newest;
  const auto owners = list_inc_owners(host);
  if (!owners) return newest;
  for (const std::string& owner : *owners) {
    const auto incs = list_incs(host, owner, ListDetail::names);
    if (!incs) continue;
    for (const IncInfo& inc : *incs) {
      if (inc.dated) newest = std::max(newest, inc.name);
    }
  }
  return newest;
}

}  // namespace

bool is_kernel_at_least(const std::string& release, unsigned major, unsigned minor) {
  const auto numbers = split_words(release, ".-+~_");
  if (numbers.size() < 2) return false;
  const auto first = parse_number(numbers[0], 0U, 10'000U);
  const auto second = parse_number(numbers[1], 0U, 10'000U);
  return first && second && (*first > major || (*first == major && *second >= minor));
}

Findings check_kernel() {
  utsname name{};
  if (::uname(&name) != 0) {
    return {missing("kernel", Error::system("asking for", "the kernel's release", errno))};
  }
  const std::string release = name.release;
  if (is_kernel_at_least(release, 6, 1)) return {good("kernel", fmt::format("Linux {}", release))};
  return {missing("kernel", fmt::format("Linux {} is too old", release),
                  "evojail needs Linux 6.1 or later: Debian 12 has it")};
}

Findings check_clock(const HostSettings& host) {
  const std::time_t now = std::time(nullptr);
  if (now < kEarliest) {
    return {missing("clock", "the clock stands far in the past",
                    "set it, and install systemd-timesyncd or chrony")};
  }
  const Calendar calendar(now, load_local_zone());
  const std::string newest = newest_inc(host);
  if (newest > calendar.inc_name()) {
    return {missing(
        "clock",
        fmt::format("the clock stands before the newest inc, {}: no inc is removed", newest),
        "set the clock, or rename the inc if it was dated wrongly")};
  }
  timex state{};
  const int clock = ::adjtimex(&state);
  if (clock < 0 || (static_cast<unsigned>(state.status) & STA_UNSYNC) != 0) {
    return {note("clock", "nothing keeps the clock in step",
                 "install systemd-timesyncd or chrony: incs are named and removed by the clock")};
  }
  return {good("clock", "kept in step")};
}

}  // namespace evojail
