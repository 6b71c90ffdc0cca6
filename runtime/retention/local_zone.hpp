#pragma once

#include "retention/zone.hpp"

namespace evojail {

/// This host's time zone (TZ, else /etc/localtime) as it stands now, read through tzset(3). The
/// function that it returns may be called from several threads; a later setenv("TZ") changes it.
[[nodiscard]] Zone load_local_zone();

}  // namespace evojail
