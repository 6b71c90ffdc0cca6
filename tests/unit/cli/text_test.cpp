#include "cli/text.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "cli/progress.hpp"

namespace evojail {
namespace {

TEST(Text, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.0 KiB");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes((1ULL << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_bytes(3ULL << 40), "3.0 TiB");
  EXPECT_EQ(format_bytes(~0ULL), "16384.0 PiB");
}

TEST(Text, Counts) {
  EXPECT_EQ(count_of(0, "session"), "0 sessions");
  EXPECT_EQ(count_of(1, "session"), "1 session");
  EXPECT_EQ(count_of(2, "session"), "2 sessions");
  EXPECT_EQ(count_of(1, "process", "processes"), "1 process");
  EXPECT_EQ(count_of(2, "process", "processes"), "2 processes");
}

TEST(Text, Durations) {
  EXPECT_EQ(format_duration(-5), "0 s");
  EXPECT_EQ(format_duration(59), "59 s");
  EXPECT_EQ(format_duration(60), "1 min");
  EXPECT_EQ(format_duration(3600), "1 h");
  EXPECT_EQ(format_duration(3600 + 300), "1 h 5 min");
  EXPECT_EQ(format_duration(86400), "1 d");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600), "3 d 4 h");
}

TEST(Text, Times) {
  ::setenv("TZ", "UTC-1", 1);  // an hour ahead
  ::tzset();
  EXPECT_EQ(format_utc(1763847607), "2025-11-22T21:40:07Z");
  EXPECT_EQ(format_local_time(1763847607), "2025-11-22 22:40:07");
  ::unsetenv("TZ");
  ::tzset();
}

TEST(Text, Lists) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(enumerate({"a"}), "a");
  EXPECT_EQ(enumerate({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(enumerate({"a", "b", "c", "d"}, 2), "a, b and 2 more");
}

TEST(Progress, SaysHowFarAndHowLong) {
  using std::chrono::milliseconds;
  EXPECT_EQ(format_progress("taking incs",
                            {.what = "web1", .done = 10, .total = 40, .entries = 5, .bytes = 1024},
                            milliseconds(5000)),
            "taking incs: 10 of 40, 2.0 a second, about 15 s left, web1, 5 entries, 1.0 KiB");
  EXPECT_EQ(format_progress("removing", {.what = "web1", .entries = 300}, milliseconds(3000)),
            "removing: 100 entries a second, web1, 300 entries");
  // One large tree alone: its end is in sight as well.
  EXPECT_EQ(
      format_progress(
          "taking incs",
          {.what = "web1", .total = 1, .entries = 250, .bytes = 2048, .expected_entries = 1000},
          milliseconds(5000)),
      "taking incs: 0 of 1, 50 entries a second, about 15 s left, web1, 250 of 1000 entries, "
      "2.0 KiB");
  // More of them than were expected are no reason to say that it is done.
  EXPECT_EQ(
      format_progress("taking incs",
                      {.what = "b", .done = 1, .total = 3, .entries = 9, .expected_entries = 6},
                      milliseconds(4000)),
      "taking incs: 1 of 3, 0.2 a second, about 2 s left, b, 9 of 6 entries");
  EXPECT_EQ(format_progress("verifying", {.what = "x", .entries = 50, .expected_entries = 200},
                            milliseconds(1000)),
            "verifying: 50 entries a second, about 3 s left, x, 50 of 200 entries");
  // Ten incs of one jail that go together, a quarter of their entries gone.
  EXPECT_EQ(format_progress("removing incs",
                            {.what = "web1",
                             .done = 10,
                             .total = 20,
                             .entries = 25,
                             .expected_entries = 100,
                             .at_once = 10},
                            milliseconds(5000)),
            "removing incs: 12 of 20, 2.0 a second, about 3 s left, web1, 25 of 100 entries");
  EXPECT_EQ(format_progress("taking incs", {.what = "a", .total = 3}, milliseconds(0)),
            "taking incs: 0 of 3, a");
}

// stderr of a test is no terminal: nothing may appear there.
TEST(Progress, IsForTerminalsOnly) {
  testing::internal::CaptureStderr();
  {
    Progress progress("working", false);
    progress.update({.what = "web1"});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace evojail
