#include "store/inc_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/holds.hpp"

namespace evojail {
namespace {

using ::testing::HasSubstr;

TEST(IncRecord, ComesBackAsItWas) {
  IncRecord record{.identity = "uuid-00",
                   .inc = "2026-11-22-22",
                   .engine = "tree",
                   .began = 1795384800,
                   .ended = 1795384900,
                   .sessions = {"192.0.2.7", "2001:db8::1"},
                   .partial = true,
                   .push_in_flight = true,
                   .troubles = {"data/\\xff: it changed \"while\" it was read"},
                   .entries = 200000,
                   .linked = 199000,
                   .copied_bytes = 1ULL << 40,
                   .compared_bytes = 5};
  EXPECT_EQ(parse_inc_record(format_inc_record(record), "f").value(), record);
  record.ended.reset();
  record.entries.reset();
  record.linked.reset();
  record.copied_bytes.reset();
  record.compared_bytes.reset();
  EXPECT_EQ(parse_inc_record(format_inc_record(record), "f").value(), record);
  EXPECT_THAT(format_inc_record(record), HasSubstr("\"ended\":null"));
}

TEST(IncRecord, IsWrittenWhateverBytesItHolds) {
  const IncRecord record{.identity = "i",
                         .inc = "2026-11-22-22",
                         .engine = "tree",
                         .began = 1,
                         .ended = {},
                         .sessions = {"\xff\xfe"},
                         .partial = false,
                         .troubles = {},
                         .entries = {},
                         .linked = {},
                         .copied_bytes = {}};
  EXPECT_TRUE(parse_inc_record(format_inc_record(record), "f"));
}

TEST(IncRecord, DamageIsAnErrorThatNamesTheFile) {
  const std::string whole = format_inc_record(IncRecord{});
  for (const std::string& text :
       {std::string(), std::string("{}"), whole.substr(0, whole.size() / 2), std::string("[1]"),
        std::string(R"({"schema_version":2})"), std::string(R"({"schema_version":"one"})")}) {
    const auto parsed = parse_inc_record(text, "/incs/web1/.meta/incs/i.json");
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr("/incs/web1/.meta/incs/i.json"));
  }
}

TEST(Holds, ComeBackAsTheyWere) {
  const std::vector<Hold> holds{
      {.identity = "uuid-1", .inc = "2026-01-01-00", .reason = "court", .made = 5, .until = {}},
      {.identity = "uuid-2", .inc = "2026-01-02-00", .reason = "\"q\"", .made = 6, .until = 7}};
  EXPECT_EQ(parse_holds(format_holds(holds), "f").value(), holds);
  EXPECT_TRUE(parse_holds(format_holds({}), "f")->empty());
}

TEST(Holds, DamageIsAnError) {
  for (const char* text : {"", "{}", "[]", R"({"schema_version":1,"holds":[{}]})"}) {
    const auto holds = parse_holds(text, "f");
    ASSERT_FALSE(holds) << text;
    EXPECT_EQ(holds.error().message(), "the holds in 'f' are damaged");
    EXPECT_NE(holds.error().hint(), "");
  }
}

}  // namespace
}  // namespace evojail
