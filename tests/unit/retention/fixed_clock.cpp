// Preloaded into programs that take no other "now" from outside, date(1) and evojail: every clock
// stands at EVOJAIL_TEST_NOW seconds since the epoch.
#include <stdlib.h>
#include <time.h>

extern "C" int clock_gettime(clockid_t /*clock*/, struct timespec* now) noexcept {
  const char* fixed = getenv("EVOJAIL_TEST_NOW");
  now->tv_sec = fixed != nullptr ? strtoll(fixed, nullptr, 10) : 0;
  now->tv_nsec = 0;
  return 0;
}

extern "C" time_t time(time_t* seconds) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (seconds != nullptr) *seconds = now.tv_sec;
  return now.tv_sec;
}
