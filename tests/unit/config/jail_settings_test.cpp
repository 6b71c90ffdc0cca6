#include "config/jail_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::string_view kFile = "/etc/evobackup/web1.d/jail.conf";

std::string error_of(std::string_view text) {
  const auto parsed = parse_jail_settings(text, kFile);
  return parsed ? "parsed" : parsed.error().message();
}

TEST(JailSettings, PortAloneLeavesTheDefaults) {
  JailSettings expected;
  expected.port = 2222;
  EXPECT_EQ(parse_jail_settings("PORT=2222\n", kFile).value(), expected);
}

TEST(JailSettings, ReadsEveryKey) {
  const auto settings = parse_jail_settings(
      "PORT='2222'\nALLOW=\"2001:db8::/32 192.0.2.7 192.0.2.7\"\nPROFILE=sftp\nLEGACY_CLIENTS=yes\n"
      "MAX_SESSIONS=3\nNEW_CONNECTIONS_PER_MINUTE=0\nLOGIN_GRACE_TIME=30\nMAX_PROCESSES=99\n"
      "MAX_OPEN_FILES=128\nMEMORY_MAX=1G\nCPU_WEIGHT=1\nIO_WEIGHT=10000\nTMP_SIZE=1024K\n"
      "RUN_SIZE=131072\nMIN_INCS=5\nMIN_AGE=14\nINC_AT_PUSH_END=yes\n",
      kFile);
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->port, 2222);
  EXPECT_FALSE(settings->allow_all);
  EXPECT_EQ(format_allow(*settings), "192.0.2.7 2001:db8::/32");
  EXPECT_EQ(settings->profile, "sftp");
  EXPECT_TRUE(settings->legacy_clients);
  EXPECT_EQ(settings->max_sessions, 3U);
  EXPECT_EQ(settings->new_connections_per_minute, 0U);
  EXPECT_EQ(settings->login_grace, 30s);
  EXPECT_EQ(settings->max_processes, 99U);
  EXPECT_EQ(settings->max_open_files, 128U);
  EXPECT_EQ(settings->memory_max, 1ULL << 30);
  EXPECT_EQ(settings->cpu_weight, 1U);
  EXPECT_EQ(settings->io_weight, 10000U);
  EXPECT_EQ(settings->tmp_size, 1ULL << 20);
  EXPECT_EQ(settings->run_size, 1ULL << 17);
  EXPECT_EQ(settings->min_incs, 5U);
  EXPECT_EQ(settings->min_age, std::chrono::days(14));
  EXPECT_TRUE(settings->inc_at_push_end);
}

TEST(JailSettings, PortMustBeThere) {
  EXPECT_EQ(error_of("ALLOW=all\n"), "'/etc/evobackup/web1.d/jail.conf' has no PORT");
}

TEST(JailSettings, NamesFileLineAndForm) {
  const auto unknown = parse_jail_settings("PORT=1\n\nPROT=2\n", kFile);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message(),
            "'/etc/evobackup/web1.d/jail.conf' line 3: unknown key 'PROT'");
  EXPECT_EQ(unknown.error().hint(), "did you mean 'PORT'?");
  EXPECT_EQ(error_of("PORT=65536"),
            "'/etc/evobackup/web1.d/jail.conf' line 1: PORT takes a number from 1 to 65535, not "
            "'65536'");
  EXPECT_THAT(error_of("PORT=1\nPORT=1\n"), HasSubstr("'PORT' is set twice"));
}

TEST(JailSettings, RefusesValuesOutOfForm) {
  for (const std::string line : {"PORT=0",
                                 "PORT=",
                                 "PORT=+1",
                                 "PORT=1x",
                                 "PORT=0x10",
                                 "ALLOW=",
                                 "ALLOW=any",
                                 "ALLOW=192.0.2.7/24",
                                 "ALLOW=192.0.2.7,192.0.2.8",
                                 "ALLOW=all 192.0.2.7",
                                 "PROFILE=",
                                 "PROFILE=../x",
                                 "PROFILE=a/b",
                                 "PROFILE=default.json",
                                 "LEGACY_CLIENTS=Yes",
                                 "LEGACY_CLIENTS=1",
                                 "MAX_SESSIONS=0",
                                 "MAX_SESSIONS=1001",
                                 "LOGIN_GRACE_TIME=4",
                                 "LOGIN_GRACE_TIME=601",
                                 "LOGIN_GRACE_TIME=1m",
                                 "MAX_PROCESSES=9",
                                 "MAX_OPEN_FILES=63",
                                 "MEMORY_MAX=1M",
                                 "MEMORY_MAX=1T",
                                 "MEMORY_MAX=-1",
                                 "MEMORY_MAX=18014398509481984K",
                                 "CPU_WEIGHT=0",
                                 "IO_WEIGHT=10001",
                                 "TMP_SIZE=0",
                                 "TMP_SIZE=65G",
                                 "RUN_SIZE=1K",
                                 "MIN_INCS=-1",
                                 "MIN_AGE=1w",
                                 "INC_AT_PUSH_END=true"}) {
    EXPECT_THAT(error_of(line), HasSubstr("line 1: " + line.substr(0, line.find('=')) + " takes "))
        << line;
  }
}

TEST(JailSettings, ANewJailsFileSaysPortAndDefaults) {
  JailSettings expected;
  expected.port = 2299;
  EXPECT_EQ(parse_jail_settings(new_jail_settings(2299, false), kFile).value(), expected);
  expected.legacy_clients = true;
  EXPECT_EQ(parse_jail_settings(new_jail_settings(2299, true), kFile).value(), expected);
}

TEST(JailSettings, TheCommentedDefaultsAreTheDefaults) {
  std::string text = new_jail_settings(2299, false);
  for (std::size_t at = 0; (at = text.find("\n#", at)) != std::string::npos; ++at) {
    if (text[at + 2] != ' ') text.erase(at + 1, 1);
  }
  JailSettings expected;
  expected.port = 2299;
  const auto parsed = parse_jail_settings(text, kFile);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, expected);
  EXPECT_THAT(text, HasSubstr("\nMIN_AGE=0\n"));
}

TEST(EditJailSettings, ReplacesTheValueAndNothingElse) {
  EXPECT_EQ(edit_jail_settings("# x\n PORT='1' # here\r\n#ALLOW=all\n", kFile, "PORT", "2").value(),
            "# x\n PORT=2 # here\r\n#ALLOW=all\n");
  EXPECT_EQ(edit_jail_settings("PORT=1\nALLOW=all", kFile, "ALLOW", "192.0.2.7 ::1").value(),
            "PORT=1\nALLOW=192.0.2.7 ::1");
}

TEST(EditJailSettings, AppendsAMissingKey) {
  EXPECT_EQ(edit_jail_settings("PORT=1", kFile, "MIN_INCS", "3").value(), "PORT=1\nMIN_INCS=3\n");
  EXPECT_EQ(edit_jail_settings("", kFile, "PORT", "3").value(), "PORT=3\n");
}

TEST(EditJailSettings, RefusesWhatWouldNotParse) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"PORT", "0"},
                                                        {"PORT", ""},
                                                        {"PORT", "1 # x"},
                                                        {"PORT", "1\nALLOW=all"},
                                                        {"PORT", " 1"},
                                                        {"PORT", "'1'"},
                                                        {"PROT", "1"},
                                                        {"#PORT", "1"},
                                                        {"", "1"},
                                                        {"MIN_INCS=1\nMIN_AGE", "1"}}) {
    EXPECT_FALSE(edit_jail_settings("PORT=1\n", kFile, key, value)) << key << "=" << value;
  }
}

TEST(Allow, IsEditedAsASortedSet) {
  JailSettings settings = parse_jail_settings("PORT=1\nALLOW=all\n", kFile).value();
  const Prefix host = parse_prefix("192.0.2.7").value();
  EXPECT_EQ(format_allow(settings), "all");
  EXPECT_THAT(remove_allowed(settings, host).error().message(), HasSubstr("192.0.2.7 is not on"));
  EXPECT_TRUE(settings.allow_all);
  add_allowed(settings, host);
  EXPECT_FALSE(settings.allow_all);
  add_allowed(settings, parse_prefix("10.0.0.0/8").value());
  add_allowed(settings, host);
  EXPECT_EQ(format_allow(settings), "10.0.0.0/8 192.0.2.7");
  EXPECT_FALSE(remove_allowed(settings, parse_prefix("10.0.0.0/9").value()));
  EXPECT_TRUE(remove_allowed(settings, host));
  EXPECT_TRUE(remove_allowed(settings, parse_prefix("10.0.0.0/8").value()));
  EXPECT_EQ(format_allow(settings), "none");
  const auto again = parse_jail_settings("PORT=1\nALLOW=none\n", kFile);
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->allow_all);
  EXPECT_TRUE(again->allow.empty());
}

}  // namespace
}  // namespace evojail
