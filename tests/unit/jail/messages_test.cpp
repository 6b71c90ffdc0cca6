#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "jail/control.hpp"
#include "jail/init_protocol.hpp"
#include "jail/launch.hpp"
#include "jail/launch_plan.hpp"
#include "jail/session_report.hpp"
#include "jail/session_rules.hpp"
#include "kernel/channel.hpp"

namespace evojail {
namespace {

TEST(InitMessage, comes_back_as_it_went) {
  const InitMessage sent{InitMessage::Kind::failed, 7, EPERM, "mounting '/x'", "mend it"};
  const auto got = decode_init_message(encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->kind, sent.kind);
  EXPECT_EQ(got->id, 7U);
  EXPECT_EQ(got->value, EPERM);
  EXPECT_EQ(got->text, sent.text);
  EXPECT_EQ(got->hint, sent.hint);
}

TEST(InitMessage, refuses_what_was_cut_or_made_up) {
  const std::string whole = encode(InitMessage{.kind = InitMessage::Kind::rules, .text = "text"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_init_message(whole.substr(0, size))) << size;
  }
  std::string unknown = whole;
  unknown[0] = '\x7f';
  EXPECT_FALSE(decode_init_message(unknown));
}

TEST(InitMessage, every_kind_comes_back) {
  for (const auto kind : {InitMessage::Kind::session, InitMessage::Kind::ended,
                          InitMessage::Kind::started, InitMessage::Kind::end_leftovers}) {
    const auto got = decode_init_message(encode(InitMessage{.kind = kind, .id = 3, .value = 8}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->kind, kind);
    EXPECT_EQ(got->value, 8);
  }
}

TEST(SessionRules, come_back_as_they_went) {
  SessionRules sent;
  sent.limits = {{1, 2}, {3, ~0ULL}};
  sent.filter.program = {{6, 0, 0, 0x7fff0000}};
  const auto got = decode_session_rules(encode(sent));
  ASSERT_TRUE(got);
  ASSERT_EQ(got->limits.size(), 2U);
  EXPECT_EQ(got->limits[1].resource, 3);
  EXPECT_EQ(got->limits[1].value, ~0ULL);
  EXPECT_EQ(got->filter, sent.filter);
}

TEST(SessionRules, without_a_filter_or_cut_short_are_refused) {
  SessionRules none;
  EXPECT_FALSE(decode_session_rules(encode(none)));
  none.filter.program = {{6, 0, 0, 0}};
  const std::string whole = encode(none);
  EXPECT_FALSE(decode_session_rules(whole.substr(0, whole.size() - 1)));
  EXPECT_FALSE(decode_session_rules(whole + "x"));
}

LaunchPlan some_plan() {
  LaunchPlan plan;
  plan.name = "web1";
  plan.base_image = "/images/1";
  plan.var = "/jails/web1/var";
  plan.base_uid = 0x70000000;
  plan.tmp_size = 1 << 20;
  plan.mounts.data = {.nosuid = true, .nodev = true};
  plan.capabilities = {0, 7};
  plan.mknod_filter.program = {{6, 0, 0, 0x7fff0000}};
  return plan;
}

TEST(LaunchPlan, comes_back_as_it_went) {
  const auto plan = decode_launch_plan(encode(some_plan()));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->name, "web1");
  EXPECT_EQ(plan->base_image, "/images/1");
  EXPECT_EQ(plan->ssh_dir, "");
  EXPECT_EQ(plan->var, "/jails/web1/var");
  EXPECT_EQ(plan->base_uid, 0x70000000U);
  EXPECT_EQ(plan->tmp_size, 1U << 20);
  EXPECT_EQ(plan->mounts.data, some_plan().mounts.data);
  EXPECT_EQ(plan->capabilities, some_plan().capabilities);
  EXPECT_EQ(plan->mknod_filter, some_plan().mknod_filter);
}

TEST(LaunchPlan, cut_short_or_longer_is_refused) {
  const std::string bytes = encode(some_plan());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_launch_plan(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_launch_plan(bytes + '\0'));
}

TEST(LaunchPlan, of_another_version_is_refused) {
  std::string bytes = encode(some_plan());
  ++bytes[0];
  const auto plan = decode_launch_plan(bytes);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message(), testing::HasSubstr("another version"));
}

/// Neither end reads, as when all sessions end at once.
TEST(InitChannel, takes_what_a_full_jail_can_have_to_say_both_ways) {
  const auto channel = make_init_channel();
  ASSERT_TRUE(channel) << channel.error().message();
  for (const int end : {channel->first.get(), channel->second.get()}) {
    ASSERT_EQ(::fcntl(end, F_SETFL, O_NONBLOCK), 0);
  }
  for (std::uint32_t id = 0; id < 2000; ++id) {
    const auto begin = send_packet(
        channel->first.get(), encode(InitMessage{.kind = InitMessage::Kind::session, .id = id}),
        {STDIN_FILENO, STDIN_FILENO});
    ASSERT_TRUE(begin) << id << ": " << begin.error().message();
    for (const int end : {channel->first.get(), channel->second.get()}) {
      const auto sent =
          send_packet(end, encode(InitMessage{.kind = InitMessage::Kind::end_session, .id = id}));
      ASSERT_TRUE(sent) << id << ": " << sent.error().message();
    }
  }
}

/// As of an init that ends over a failed step before it has read all.
TEST(InitChannel, has_the_last_word_of_an_end_that_closed_without_reading) {
  auto channel = make_init_channel();
  ASSERT_TRUE(channel) << channel.error().message();
  ASSERT_TRUE(send_packet(channel->first.get(), "unread"));
  ASSERT_TRUE(send_packet(channel->second.get(), "last word"));
  channel->second.reset();
  const auto packet = receive_packet(channel->first.get());
  ASSERT_TRUE(packet) << packet.error().message();
  ASSERT_TRUE(*packet);
  EXPECT_EQ((*packet)->bytes, "last word");
  const auto end = receive_packet(channel->first.get());
  ASSERT_TRUE(end) << end.error().message();
  EXPECT_FALSE(*end);
}

TEST(Control, a_status_of_a_full_jail_fits_into_a_message) {
  ControlReply sent;
  sent.status = SupervisorStatus{};
  for (std::uint32_t id = 1; id <= 1000; ++id) {
    sent.status->sessions.push_back({.id = 1'000'000 + id,
                                     .peer = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
                                     .port = 65535,
                                     .began = 1763847607,
                                     .received = 1'000'000'000'000,
                                     .sent = 1'000'000'000'000,
                                     .command = std::string(1000, '\\')});
  }
  const auto channel = channel_pair();
  ASSERT_TRUE(channel);
  ASSERT_EQ(::fcntl(channel->first.get(), F_SETFL, O_NONBLOCK), 0);
  const auto told = send_packet(channel->first.get(), encode(sent));
  ASSERT_TRUE(told) << told.error().message();
  const auto packet = receive_packet(channel->second.get(), 1 << 20);
  ASSERT_TRUE(packet && *packet);
  const auto got = decode_control_reply((*packet)->bytes);
  ASSERT_TRUE(got);
  ASSERT_EQ(got->status->sessions.size(), 1000U);
  for (const auto& session : got->status->sessions) {
    EXPECT_TRUE(session.command.ends_with(command_cut_mark));
  }
  // One long command among few is whole.
  sent.status->sessions.resize(1);
  EXPECT_EQ(decode_control_reply(encode(sent))->status->sessions[0].command.size(), 1000U);
}

TEST(Control, requests_come_back_as_they_went) {
  using Kind = ControlRequest::Kind;
  for (const Kind kind : {Kind::status, Kind::reload, Kind::stop, Kind::end_sessions}) {
    const auto got = decode_control_request(encode(ControlRequest{kind}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->kind, kind);
  }
}

TEST(Control, refuses_requests_it_does_not_know) {
  for (const char* text : {"", "{", "[]", "{}", "null", R"({"request":"explode"})",
                           R"({"request":"stop","now":true})", R"({"request":1})"}) {
    EXPECT_FALSE(decode_control_request(text)) << text;
  }
}

TEST(Control, a_status_comes_back_as_it_went) {
  ControlReply sent;
  sent.status = SupervisorStatus{.pid = 12,
                                 .init = 13,
                                 .since = 1700000000,
                                 .port = 2222,
                                 .image = "abc",
                                 .base_uid = 0x70000000,
                                 .sessions = {{3, "192.0.2.7", 50022, 1700000001, 5, 6, "rsync"}},
                                 .warnings = {"no cgroup"}};
  const auto got = decode_control_reply(encode(sent));
  ASSERT_TRUE(got && got->status);
  EXPECT_EQ(got->status->pid, 12);
  EXPECT_EQ(got->status->base_uid, 0x70000000U);
  ASSERT_EQ(got->status->sessions.size(), 1U);
  EXPECT_EQ(got->status->sessions[0].peer, "192.0.2.7");
  EXPECT_EQ(got->status->warnings, sent.status->warnings);
}

TEST(Control, an_error_reaches_the_asker_with_its_hint) {
  ControlReply sent;
  sent.error = "line 3: unknown key 'PROT'";
  sent.hint = "PORT?";
  const auto got = decode_control_reply(encode(sent));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error, sent.error);
  EXPECT_EQ(got->hint, sent.hint);
}

TEST(Control, refuses_replies_that_are_none) {
  for (const char* text : {"", "{", "{}", R"({"sessions":"many"})", R"({"sessions":1,"status":{}})",
                           R"({"sessions":-1})", R"({"sessions":1.5})", R"({"sessions":1e300})",
                           R"({"sessions":18446744073709551616})"}) {
    EXPECT_FALSE(decode_control_reply(text)) << text;
  }
}

}  // namespace
}  // namespace evojail
