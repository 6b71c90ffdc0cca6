#include "jail/session_rules.hpp"

#include "fuzz.hpp"

EVOJAIL_FUZZ(session_rules) {
  const auto rules = decode_session_rules(input);
  if (!rules) return;
  require(!rules->filter.program.empty(), "no session without a filter");
  const auto again = decode_session_rules(encode(*rules));
  require(again && again->filter == rules->filter && again->limits.size() == rules->limits.size(),
          "rules can be passed on");
  for (std::size_t i = 0; i < rules->limits.size(); ++i) {
    require(again->limits[i].resource == rules->limits[i].resource &&
                again->limits[i].value == rules->limits[i].value,
            "a limit stays what it is");
  }
}
