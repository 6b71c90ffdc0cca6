#include "jail/session_admission.hpp"

#include <gtest/gtest.h>

#include <string>

namespace evojail {
namespace {

using Kind = Admission::Kind;
constexpr unsigned kMost = 20;

Prefix at(const std::string& address) { return parse_prefix(address).value(); }

/// `count` sessions more, numbered on.
void add(std::vector<SessionSlot>& open, unsigned count, const std::string& address, bool proven) {
  for (unsigned i = 0; i < count; ++i) {
    open.push_back({static_cast<std::uint32_t>(open.size() + 1), at(address), proven, false});
  }
}

TEST(Admission, one_source_holds_its_share_and_another_still_gets_in) {
  std::vector<SessionSlot> open;
  unsigned held = 0;
  while (admit(open, at("192.0.2.1"), kMost).kind == Kind::admit && held < kMost) {
    add(open, 1, "192.0.2.1", false);
    ++held;
  }
  EXPECT_EQ(held, 5U);
  EXPECT_EQ(admit(open, at("192.0.2.1"), kMost).kind, Kind::refuse);
  EXPECT_EQ(admit(open, at("192.0.2.2"), kMost).kind, Kind::admit);
}

TEST(Admission, those_who_have_logged_in_do_not_count_towards_the_share) {
  std::vector<SessionSlot> open;
  add(open, 19, "192.0.2.1", true);
  EXPECT_EQ(admit(open, at("192.0.2.1"), kMost).kind, Kind::admit);
  add(open, 1, "192.0.2.1", true);
  EXPECT_EQ(admit(open, at("192.0.2.1"), kMost).kind, Kind::refuse);
}

TEST(Admission, an_ipv6_network_is_one_source) {
  std::vector<SessionSlot> open;
  for (int i = 1; i <= 5; ++i) add(open, 1, "2001:db8::" + std::to_string(i), false);
  EXPECT_EQ(admit(open, at("2001:db8::ffff"), kMost).kind, Kind::refuse);
  EXPECT_EQ(admit(open, at("2001:db8:0:1::1"), kMost).kind, Kind::admit);
}

TEST(Admission, among_equal_sources_the_oldest_session_goes) {
  std::vector<SessionSlot> open;
  for (int i = 20; i > 0; --i) {
    add(open, 1, "192.0.2." + std::to_string(i), false);
  }
  EXPECT_EQ(admit(open, at("203.0.113.1"), kMost).id, 1U);
}

TEST(Admission, when_all_is_taken_the_source_with_most_gives_up_its_oldest) {
  std::vector<SessionSlot> open;
  add(open, 10, "192.0.2.9", true);
  add(open, 3, "192.0.2.1", false);
  add(open, 4, "192.0.2.2", false);
  add(open, 3, "192.0.2.3", false);
  const auto admission = admit(open, at("192.0.2.100"), kMost);
  EXPECT_EQ(admission.kind, Kind::replace);
  EXPECT_EQ(admission.id, 14U);
  // A source takes nothing from one that holds no more than itself.
  EXPECT_EQ(admit(open, at("192.0.2.2"), kMost).kind, Kind::refuse);
  EXPECT_EQ(admit(open, at("192.0.2.1"), kMost).kind, Kind::replace);
}

TEST(Admission, a_session_that_has_logged_in_is_never_given_up) {
  std::vector<SessionSlot> open;
  add(open, kMost, "192.0.2.1", true);
  EXPECT_EQ(admit(open, at("192.0.2.2"), kMost).kind, Kind::refuse);
}

TEST(Admission, what_is_about_to_end_takes_no_slot_but_is_bounded_itself) {
  std::vector<SessionSlot> open;
  add(open, kMost, "192.0.2.1", true);
  open.front().ending = true;
  EXPECT_EQ(admit(open, at("192.0.2.2"), kMost).kind, Kind::admit);
  for (auto& slot : open) slot.ending = true;
  EXPECT_EQ(admit(open, at("192.0.2.2"), kMost).kind, Kind::refuse);
}

TEST(Admission, the_three_connections_of_a_run_pass_whatever_the_limit) {
  std::vector<SessionSlot> open;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admit(open, at("192.0.2.1"), 3).kind, Kind::admit) << i;
    add(open, 1, "192.0.2.1", false);
  }
  EXPECT_EQ(admit({}, at("192.0.2.1"), 1).kind, Kind::admit);
}

}  // namespace
}  // namespace evojail
