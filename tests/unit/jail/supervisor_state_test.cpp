#include "jail/supervisor_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

namespace evojail {
namespace {

using testing::HasSubstr;

/// What check_state() has to say of a state with these bytes.
std::string said_of(const std::string& text) {
  const Fd memory(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_TRUE(write_all(memory.get(), "state", text));
  const auto checked = check_state(memory.get());
  return checked ? "fine" : checked.error().message();
}

const std::string needed =
    R"("lock":10,"pid":11,"pidfd":12,"channel":13,"report":14,"listener":15,"control":16,"base_uid":1)";

TEST(SupervisorState, of_another_version_is_read_where_that_can_be) {
  EXPECT_EQ(said_of("{" + needed + "}"), "fine");
  EXPECT_EQ(said_of(R"({"version":1,"a member of tomorrow":[1],)" + needed + "}"), "fine");
  EXPECT_EQ(said_of("{" + needed +
                    R"(,"sessions":[{"id":1,"address":"192.0.2.7","port":2,"socket":3,"log":4}]})"),
            "fine");
  EXPECT_THAT(said_of(R"({"version":2,)" + needed + "}"), HasSubstr("version 2"));
}

TEST(SupervisorState, that_lacks_a_descriptor_or_is_none_is_refused) {
  for (const char* text : {"", "{}", "[]", R"({"version":1})", R"({"lock":"x"})"}) {
    EXPECT_THAT(said_of(text), HasSubstr("malformed")) << text;
  }
  EXPECT_THAT(said_of("{" + needed + R"(,"sessions":[{"id":1}]})"), HasSubstr("malformed"));
  EXPECT_THAT(said_of("{" + needed + R"(,"settings":7})"), HasSubstr("malformed"));
}

TEST(SessionRecord, keeps_a_claimed_command_within_its_quotes) {
  SessionRecord record;
  record.command = "true '; exit 0";
  record.outcome = "exit 1";
  EXPECT_THAT(describe(record),
              testing::EndsWith(R"(; the client says: 'true \x27; exit 0': exit 1)"));
}

TEST(SessionRecord, is_a_line_of_bounded_length) {
  SessionRecord record;
  record.command = std::string(1000, '\'');
  record.outcome = "exit 1";
  EXPECT_LT(describe(record).size(), 600U);
  EXPECT_THAT(describe(record), testing::EndsWith(R"(\...': exit 1)"));
}

}  // namespace
}  // namespace evojail
