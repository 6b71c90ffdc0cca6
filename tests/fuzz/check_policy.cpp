#include "config/check_policy.hpp"

#include "fuzz.hpp"

EVOJAIL_FUZZ(check_policy) {
  const auto policy = parse_check_policy(input, "check_policy");
  if (!policy) {
    require(policy.error().message().contains("check_policy"), "an error names the file");
    return;
  }
  for (const auto& hours : {policy->warning_hours, policy->critical_hours}) {
    require(!hours || *hours <= 24 * 366 * 10, "a threshold is a time that somebody could wait");
  }
  require(parse_check_policy(input, "other") == *policy, "the file's name does not matter");
}
