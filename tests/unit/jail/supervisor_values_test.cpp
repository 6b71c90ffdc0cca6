#include "jail/supervisor_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace evojail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SupervisorValues sample() {
  SupervisorValues values{.lock = 3,
                          .image = 4,
                          .image_id = "abc",
                          .base_uid = 0x70000000,
                          .weaknesses = {"no cgroup was delegated"},
                          .since = 1700000000,
                          .pid = 4321,
                          .pidfd = 5,
                          .channel = 6,
                          .report = 7,
                          .mknod_listener = 8,
                          .listener = 9,
                          .control = 10,
                          .asker = 11,
                          .last_session = 17,
                          .commands = 12345678901,
                          .host_settings = "CONFDIR='/c'\n",
                          .settings = "PORT=2222\n",
                          .wanted = "PORT=2223\n",
                          .launched = {{"TMP_SIZE", "1"}},
                          .pending = {"TMP_SIZE"}};
  values.sessions.push_back({.id = 17,
                             .peer = {*parse_prefix("192.0.2.7"), 50022},
                             .socket = 12,
                             .log = 13,
                             .began = 1700000001,
                             .running = {{21, "rsync --server"}, {22, "true"}},
                             .command = "true",
                             .command_pid = 22,
                             .outcome = "exit 0",
                             .traffic = Traffic{.received = 12345678902, .sent = 7}});
  return values;
}

TEST(SupervisorValues, come_back_as_they_went) {
  const auto got = decode_supervisor_values(encode(sample()));
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(encode(*got), encode(sample()));
  EXPECT_EQ(got->base_uid, 0x70000000U);
  EXPECT_EQ(got->host_settings, "CONFDIR='/c'\n");
  EXPECT_EQ(got->settings, "PORT=2222\n");
  EXPECT_EQ(got->wanted, "PORT=2223\n");
  EXPECT_EQ(got->launched, sample().launched);
  EXPECT_THAT(got->pending, ElementsAre("TMP_SIZE"));
  ASSERT_EQ(got->sessions.size(), 1U);
  EXPECT_EQ(got->sessions[0].peer.port, 50022);
  EXPECT_EQ(got->commands, 12345678901U);
  EXPECT_EQ(got->sessions[0].running, sample().sessions[0].running);
  EXPECT_EQ(got->sessions[0].command_pid, 22);
  EXPECT_EQ(got->sessions[0].outcome, "exit 0");
  ASSERT_TRUE(got->sessions[0].traffic);
  EXPECT_EQ(got->sessions[0].traffic->received, 12345678902U);
  EXPECT_THAT(descriptors(*got), ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13));
}

/// A listener that failed was closed, and mostly nobody waits for the reload.
TEST(SupervisorValues, may_lack_the_mknod_listener_and_the_asker) {
  SupervisorValues sent = sample();
  sent.mknod_listener = sent.asker = -1;
  const auto got = decode_supervisor_values(encode(sent));
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->mknod_listener, -1);
  EXPECT_EQ(got->asker, -1);
  EXPECT_THAT(descriptors(*got), ElementsAre(3, 4, 5, 6, 7, 9, 10, 12, 13));
}

/// The sample with one member's text replaced.
std::string with(const std::string& member, const std::string& text) {
  std::string whole = encode(sample());
  const auto at = whole.find("\"" + member + "\":");
  EXPECT_NE(at, std::string::npos) << member;
  const auto begin = at + member.size() + 3;
  return whole.replace(begin, whole.find_first_of(",}", begin) - begin, text);
}

TEST(SupervisorValues, that_are_no_descriptor_process_or_id_are_refused) {
  ASSERT_TRUE(decode_supervisor_values(with("lock", "14")));
  for (const char* number : {"-1", "0", "2", "1048577", "4294967299", "1.5", "1e300", "null",
                             "true", "\"3\"", "4", "13"}) {
    EXPECT_FALSE(decode_supervisor_values(with("lock", number))) << number;
    if (std::string(number) != "4" && std::string(number) != "-1") {
      EXPECT_FALSE(decode_supervisor_values(with("asker", number))) << number;
    }
  }
  for (const char* pid : {"-1", "0", "1", "4294967296"}) {
    EXPECT_FALSE(decode_supervisor_values(with("pid", pid))) << pid;
  }
  EXPECT_FALSE(decode_supervisor_values(with("base_uid", "-1")));
  EXPECT_FALSE(decode_supervisor_values(with("base_uid", "4294967296")));
  EXPECT_FALSE(decode_supervisor_values(with("since", "9223372036854775808")));
  EXPECT_FALSE(decode_supervisor_values(with("port", "65536")));
  EXPECT_FALSE(decode_supervisor_values(with("address", "\"nowhere\"")));
  EXPECT_FALSE(decode_supervisor_values(with("sessions", "1")));
}

TEST(SupervisorValues, with_one_session_twice_are_refused) {
  SupervisorValues twice = sample();
  twice.sessions.push_back(twice.sessions[0]);
  twice.sessions[1].socket = 20;
  twice.sessions[1].log = 21;
  EXPECT_FALSE(decode_supervisor_values(encode(twice)));
  twice.sessions[1].id = 18;
  EXPECT_TRUE(decode_supervisor_values(encode(twice)));
}

TEST(SupervisorValues, cut_short_are_refused_with_a_word) {
  const std::string whole = encode(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto got = decode_supervisor_values(whole.substr(0, size));
    ASSERT_FALSE(got) << size;
    EXPECT_THAT(got.error().message(), HasSubstr("handed over is malformed"));
  }
}

}  // namespace
}  // namespace evojail
