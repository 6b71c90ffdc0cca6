#include "jail/clean_boots.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

BootId boot(int number) {
  BootId id{};
  id.fill(static_cast<std::byte>(number));
  return id;
}

TEST(CleanBoots, RecordComesBackAsItWas) {
  const BootRecord record{.running = true, .boots = {boot(1), boot(0xab)}};
  EXPECT_EQ(parse_boot_record(format_boot_record(record)), record);
  for (const char* text : {"", "running", "running\n", "stopped\nabc\n", "gone\n\n",
                           "stopped\n00000000000000000000000000000000"}) {
    EXPECT_FALSE(parse_boot_record(text)) << text;
  }
}

TEST(CleanBoots, AStopInGoodOrderJoinsTwoBoots) {
  const BootRecord stopped = after_stop(after_start({}, boot(1)), boot(1));
  EXPECT_THAT(clean_since(stopped, boot(2)), ElementsAre(boot(1)));
  const BootRecord started = after_start(stopped, boot(2));
  EXPECT_THAT(clean_since(started, boot(2)), ElementsAre(boot(1), boot(2)));
}

TEST(CleanBoots, ACrashEndsWhatCameBefore) {
  const BootRecord running = after_start({}, boot(1));
  EXPECT_THAT(clean_since(running, boot(1)), ElementsAre(boot(1)));
  EXPECT_THAT(clean_since(running, boot(2)), IsEmpty());
  const BootRecord next = after_start(running, boot(2));
  EXPECT_THAT(clean_since(next, boot(2)), ElementsAre(boot(2)));
  EXPECT_THAT(clean_since(after_stop(next, boot(2)), boot(3)), ElementsAre(boot(2)));
}

TEST(CleanBoots, ASupervisorThatWasKilledLosesNothing) {
  const BootRecord again = after_start(after_start({}, boot(1)), boot(1));
  EXPECT_THAT(clean_since(again, boot(1)), ElementsAre(boot(1)));
}

TEST(CleanBoots, AJailOfAnOlderVersionKnowsOfItsStopOnly) {
  EXPECT_THAT(clean_since({}, boot(1)), IsEmpty());
  EXPECT_THAT(clean_since(after_stop({}, boot(1)), boot(2)), ElementsAre(boot(1)));
}

TEST(CleanBoots, AreBounded) {
  std::optional<BootRecord> record;
  for (int i = 0; i < 200; ++i) record = after_stop(after_start(record, boot(i)), boot(i));
  EXPECT_EQ(record->boots.size(), 64U);
  EXPECT_EQ(record->boots.back(), boot(199));
}

}  // namespace
}  // namespace evojail
