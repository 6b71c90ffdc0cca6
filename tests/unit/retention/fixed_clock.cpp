// Preloaded into date(1), which takes no other "now" from outside: CLOCK_REALTIME stands at
// EVOJAIL_TEST_NOW seconds since the epoch.
#include <stdlib.h>
#include <time.h>

extern "C" int clock_gettime(clockid_t /*clock*/, struct timespec* now) noexcept {
  const char* fixed = getenv("EVOJAIL_TEST_NOW");
  now->tv_sec = fixed != nullptr ? strtoll(fixed, nullptr, 10) : 0;
  now->tv_nsec = 0;
  return 0;
}
