#include "cli/status_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/parse.hpp"

namespace evojail {
namespace {

using testing::HasSubstr;
using testing::Not;

JailStatus running_jail() {
  JailStatus jail;
  jail.name = "web1";
  jail.settings.emplace();
  jail.settings->port = 2222;
  jail.settings->allow_all = false;
  jail.settings->allow = {*parse_prefix("192.0.2.7"), *parse_prefix("2001:db8::/32")};
  jail.has_incs_policy = true;
  jail.policy_days = 4;
  jail.policy_months = 2;
  jail.incs = 7;
  jail.newest_inc = "2026-03-22-11";
  SupervisorStatus supervisor;
  supervisor.pid = 4711;
  supervisor.since = 1000;
  supervisor.port = 2222;
  SessionStatus session;
  session.id = 3;
  session.peer = "192.0.2.7";
  session.port = 51234;
  session.began = 1500;
  session.received = 2048;
  session.command = "rsync --server";
  supervisor.sessions.push_back(session);
  jail.supervisor = supervisor;
  return jail;
}

/// The words of the rows, one blank between them.
std::string words_of(const std::vector<JailStatus>& jails) {
  const std::string table = status_table(jails, false, false);
  std::string text;
  for (const auto line : split_lines(table)) {
    for (const auto word : split_words(line)) text += std::string(word) + " ";
    text.back() = '\n';
  }
  return text;
}

// Scripts cut bkctld's rows at blanks: name, state, port, retention and addresses are one word
// each.
TEST(StatusTable, BeginsWithBkctldsColumns) {
  EXPECT_EQ(words_of({running_jail()}),
            "web1 ON 2222 4/2 192.0.2.7,2001:db8::/32 1 7 2026-03-22-11\n");
}

// A reload may not have been able to take up the settings' port.
TEST(StatusTable, ShowsThePortThatAnswers) {
  JailStatus jail = running_jail();
  jail.settings->port = 2300;
  EXPECT_THAT(words_of({jail}), HasSubstr("web1 ON 2222 "));
}

TEST(StatusTable, ShowsWhatIsNotKnown) {
  JailStatus jail;
  jail.name = "broken";
  jail.answered = false;
  EXPECT_EQ(words_of({jail}), "broken ? ? 0 ? - ? -\n");
}

TEST(StatusTable, SaysThatAJailsSettingsCannotBeRead) {
  JailStatus jail = running_jail();
  jail.settings.reset();
  EXPECT_THAT(words_of({jail}), HasSubstr("web1 ON 2222 4/2 ? 1 "));
  jail.supervisor.reset();
  EXPECT_THAT(words_of({jail}), HasSubstr("web1 unreadable ? 4/2 ? - "));
}

TEST(StatusTable, CountsNoLinesOfAPolicyThatIsNone) {
  JailStatus jail = running_jail();
  jail.policy_days = jail.policy_months = 0;
  jail.policy_trouble = Error("'incs_policy' is empty");
  EXPECT_THAT(words_of({jail}), HasSubstr("web1 ON 2222 ? "));
}

TEST(StatusTable, ShowsAJailThatIsOff) {
  JailStatus jail = running_jail();
  jail.supervisor.reset();
  EXPECT_THAT(words_of({jail}), HasSubstr("web1 OFF 2222 "));
  EXPECT_THAT(status_table({jail}, true, false), HasSubstr("JAIL NAME  STATUS  PORT"));
}

TEST(StatusDetails, ListsSessionsAndMarksTheClientsClaim) {
  const std::string text = status_details(running_jail(), 2000);
  EXPECT_THAT(text, HasSubstr("running:      for 16 min, supervisor 4711"));
  EXPECT_THAT(text, HasSubstr("  3: 192.0.2.7 port 51234, for 8 min, received 2.0 KiB, sent 0 B, "
                              "says it runs: rsync --server\n"));
}

TEST(StatusDetails, SaysThatAPolicyKeepsNone) {
  JailStatus jail = running_jail();
  EXPECT_THAT(status_details(jail, 2000), Not(HasSubstr("incs policy:")));
  jail.policy_keeps_none = true;
  EXPECT_THAT(status_details(jail, 2000), HasSubstr("incs policy:  'none'"));
}

TEST(StatusDetails, SaysWhatIsWrong) {
  JailStatus jail = running_jail();
  jail.troubles.emplace_back("'incs_policy' line 3: no");
  jail.supervisor->warnings.emplace_back("no cgroup limits");
  jail.firewall.emplace();
  EXPECT_THAT(status_details(jail, 2000), Not(HasSubstr("tried to send elsewhere")));
  jail.firewall->stopped.packets = 1;
  const std::string text = status_details(jail, 2000);
  EXPECT_THAT(text, HasSubstr("trouble:      'incs_policy' line 3: no\n"));
  EXPECT_THAT(text, HasSubstr("warning:      no cgroup limits\n"));
  EXPECT_THAT(text, HasSubstr("1 packet that its sessions tried to send elsewhere were stopped"));
}

}  // namespace
}  // namespace evojail
