#include "retention/policy.hpp"

#include <string>

#include "fuzz.hpp"
#include "retention/date.hpp"

EVOJAIL_FUZZ(policy) {
  const auto policy = parse_policy(input, "incs_policy");
  if (!policy) return;
  std::string again;
  for (const PolicyLine& line : policy->lines) again += line.text + "\n";
  const auto reparsed = parse_policy(again.empty() ? "none" : again, "incs_policy");
  require(reparsed && reparsed->lines.size() == policy->lines.size(), "lines stand by themselves");
  const Zone zone = [](std::int64_t utc) {
    return utc < 1'541'300'400 ? LocalOffset{-10'800, false} : LocalOffset{-7'200, true};
  };
  for (const PolicyLine& line : policy->lines) {
    for (const CivilDate& today : {CivilDate{2018, 11, 4}, {2024, 2, 29}, {2100, 12, 31}}) {
      const LocalTime now{.date = today, .seconds = 1800};
      const auto date = resolve_date(format_date(line.format, today), line.jump, now, zone);
      if (date) require(exists(*date), "a line names a day that exists");
    }
  }
}
