#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "retention/civil_date.hpp"
#include "retention/policy.hpp"
#include "retention/zone.hpp"

namespace evojail {

/// What `date +FORMAT` prints on `today`, FORMAT being %Y, %m, %d, digits and '-'.
[[nodiscard]] std::string format_date(std::string_view format, const CivilDate& today);

/// What `date --date "REFERENCE JUMP" +%Y-%m-%d` of GNU coreutils prints at `now`. A reference of
/// three numbers is a date, of five digits or more a date without dashes, of four or fewer a time
/// of day, of none at all this moment; and with two numbers, "2026-03", the jump's number is read
/// as the day and its unit as one more day, week, month or year. A reference that does not exist,
/// by the calendar or because the clocks skipped it, is an error, as it is to date(1); a jump that
/// ends on such a day is normalised, as mktime(3) does.
[[nodiscard]] Result<CivilDate> resolve_date(std::string_view reference, const Jump& jump,
                                             const LocalTime& now, const Zone& zone);

/// Whether resolve_date() can ever succeed with a reference in this format: false for those whose
/// form alone date(1) rejects, such as "%Y-%m-%d-01" or "-%d".
[[nodiscard]] bool date_takes(std::string_view format, const Jump& jump);

}  // namespace evojail
