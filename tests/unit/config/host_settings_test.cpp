#include "config/host_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.hpp"

namespace evojail {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kFile = "/etc/default/evojail";

std::string error_of(std::string_view text) {
  const auto parsed = parse_host_settings(text, kFile);
  return parsed ? "parsed" : parsed.error().message();
}

TEST(HostSettings, NothingSetMeansTheDefaults) {
  EXPECT_EQ(parse_host_settings("", kFile).value(), HostSettings{});
  EXPECT_EQ(parse_host_settings("# nothing\n\n  \t\n", kFile).value(), HostSettings{});
}

TEST(HostSettings, ReadsEveryKey) {
  const auto settings = parse_host_settings(
      "CONFDIR=/c\nJAILDIR='/v/jails/'\r\nINCDIR=\"/v//incs\"\nARCHIVESDIR=/v/arch # old ones\n"
      "  DATADIR=/d\nRUNDIR=/r\nLOGDIR=/l\nFIREWALL_TABLE=t_1-x\nDISK_RESERVE=7%\nWARNING=12\n"
      "CRITICAL=0\nNODE=backup2.example.org",
      kFile);
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->confdir, "/c");
  EXPECT_EQ(settings->jaildir, "/v/jails");
  EXPECT_EQ(settings->incdir, "/v/incs");
  EXPECT_EQ(settings->archivesdir, "/v/arch");
  EXPECT_EQ(settings->datadir, "/d");
  EXPECT_EQ(settings->rundir, "/r");
  EXPECT_EQ(settings->logdir, "/l");
  EXPECT_EQ(settings->firewall_table, "t_1-x");
  EXPECT_EQ(settings->disk_reserve_percent, 7U);
  EXPECT_EQ(settings->warning_hours, 12U);
  EXPECT_EQ(settings->critical_hours, 0U);
  EXPECT_EQ(settings->node, "backup2.example.org");
}

TEST(HostSettings, ComeBackAsTheyWereWritten) {
  HostSettings all{.confdir = "/c o",
                   .jaildir = "/it's",
                   .incdir = "/$i#",
                   .archivesdir = "/a\"b",
                   .datadir = "/d",
                   .rundir = "/r",
                   .logdir = "/l",
                   .firewall_table = "t_1-x",
                   .disk_reserve_percent = 7,
                   .warning_hours = 12,
                   .critical_hours = 0,
                   .node = "backup2"};
  for (const HostSettings& settings : {all, HostSettings{}}) {
    const auto back = parse_host_settings(format_host_settings(settings), kFile);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(*back, settings);
  }
}

TEST(HostSettings, NamesFileLineAndForm) {
  EXPECT_EQ(
      error_of("#\nDISK_RESERVE=91\n"),
      "'/etc/default/evojail' line 2: DISK_RESERVE takes a percentage from 0 to 90, not '91'");
  const auto unknown = parse_host_settings("JAILDRI=/x\n", kFile);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message(), "'/etc/default/evojail' line 1: unknown key 'JAILDRI'");
  EXPECT_EQ(unknown.error().hint(), "did you mean 'JAILDIR'?");
  EXPECT_THAT(parse_host_settings("NONSENSE=1", kFile).error().hint(), HasSubstr("CONFDIR, "));
  EXPECT_THAT(error_of("NODE=a\n\nNODE=b\n"),
              HasSubstr("line 3: 'NODE' is set twice, first on line 1"));
}

TEST(HostSettings, RefusesWhatIsNoAssignment) {
  for (const std::string line :
       {"CONFDIR", "=x", "CONFDIR =/x", "CONFDIR= /x", "CONFDIR='/x", "CONFDIR='/x'y", "source /x",
        "CONFDIR=/x'y'", "CONFDIR=\"/x\"# y", "if true; then", "export NODE=a", "NODE=a\x01",
        "NODE=\xff", "1NODE=a"}) {
    EXPECT_THAT(error_of(line), HasSubstr("'/etc/default/evojail' line 1: ")) << line;
  }
  EXPECT_THAT(error_of(std::string("NODE=a\0b", 8)), HasSubstr("control character"));
}

TEST(HostSettings, NeverExpands) {
  for (const std::string line : {"NODE=$HOST", "NODE=\"$(reboot)\"", "NODE=`id`", "NODE=a\\b"}) {
    EXPECT_THAT(error_of(line), HasSubstr("would be expanded by a shell")) << line;
  }
}

TEST(HostSettings, RefusesDirectoriesThatAreNone) {
  for (const std::string value :
       {"", "backup", "./backup", "/", "//", "/a/../b", "/a/./b", "~/x"}) {
    EXPECT_THAT(error_of("JAILDIR=" + value), HasSubstr("JAILDIR takes an absolute path")) << value;
  }
}

TEST(HostSettings, KeepsTheVolumesDirectoriesApart) {
  EXPECT_THAT(error_of("INCDIR=/backup/jails/incs"), HasSubstr("lies within JAILDIR"));
  EXPECT_THAT(error_of("INCDIR=/backup/jails"), HasSubstr("lies within JAILDIR"));
  EXPECT_THAT(error_of("JAILDIR=/x/incs/j\nINCDIR=/x/incs"), HasSubstr("lies within INCDIR"));
  EXPECT_THAT(error_of("RUNDIR=/backup/archives/run"), HasSubstr("lies within ARCHIVESDIR"));
  EXPECT_EQ(error_of("INCDIR=/backup/jails2\nDATADIR=/run/evojail/data"), "parsed");
}

TEST(BkctldSettings, ReadsWhatBkctldShips) {
  const auto settings = parse_bkctld_settings(
      "# bkctld.conf(5)\n#CONFDIR='/etc/evobackup'\nJAILDIR='/srv'/jails\nexport "
      "INCDIR=\"/srv/incs\"\n"
      "TPLDIR='/usr/share/"
      "bkctld'\nFIREWALL_RULES=''\nLOGLEVEL=6\nNODE=''\nWARNING=48\nCRITICAL=72\n"
      "DATADIR=/var/lib/bkctld\nSSHD_CONFIG='/etc/$x'\n",
      "/etc/default/bkctld");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->jaildir, "/srv/jails");
  EXPECT_EQ(settings->incdir, "/srv/incs");
  EXPECT_EQ(settings->warning_hours, 48U);
  EXPECT_EQ(settings->critical_hours, 72U);
  EXPECT_EQ(settings->datadir, HostSettings{}.datadir);
  EXPECT_EQ(settings->node, "");
}

TEST(BkctldSettings, DerivesDirectoriesFromThePartition) {
  const auto settings =
      parse_bkctld_settings("INCDIR=/other/incs\nBACKUP_PARTITION=/srv/b/\nJAILDIR=\n", "f");
  ASSERT_TRUE(settings) << settings.error().message();
  EXPECT_EQ(settings->jaildir, "/srv/b/jails");
  EXPECT_EQ(settings->incdir, "/other/incs");
  EXPECT_EQ(settings->archivesdir, "/srv/b/archives");
}

TEST(BkctldSettings, RefusesShell) {
  for (const std::string line :
       {"INCDIR=$JAILDIR", "INCDIR=\"${X:-/y}\"", "INCDIR=`pwd`", "INCDIR=$(pwd)", "INCDIR=~/x",
        "INCDIR=/a\\ b", "INCDIR=/a; reboot", "INCDIR=/a & ", "INCDIR=/a /b", "INCDIR=(/a)",
        "[ -f /x ] && . /x", "INCDIR='/a", "MYOWN=1", "INCDIR=relative"}) {
    const auto settings = parse_bkctld_settings(line, "/etc/default/bkctld");
    ASSERT_FALSE(settings) << line;
    EXPECT_THAT(settings.error().message(), HasSubstr("'/etc/default/bkctld' line 1: ")) << line;
  }
}

class LoadHostSettings : public ::testing::Test {
 protected:
  LoadHostSettings() : dir_(::testing::TempDir() + "host_settings_XXXXXX") {
    EXPECT_NE(::mkdtemp(dir_.data()), nullptr);
  }
  ~LoadHostSettings() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
};

TEST_F(LoadHostSettings, PrefersItsOwnFileThenBkctldsThenTheDefaults) {
  const std::string own = dir_ + "/evojail";
  const std::string bkctld = dir_ + "/bkctld";
  EXPECT_EQ(load_host_settings(own, false, bkctld).value(), HostSettings{});
  ASSERT_TRUE(replace_file(bkctld, "NODE='b'\n", 0644));
  EXPECT_EQ(load_host_settings(own, false, bkctld).value().node, "b");
  ASSERT_TRUE(replace_file(own, "NODE=a\n", 0644));
  EXPECT_EQ(load_host_settings(own, false, bkctld).value().node, "a");
}

TEST_F(LoadHostSettings, AFileThatWasAskedForMustBeThere) {
  const std::string own = dir_ + "/evojail";
  const auto missing = load_host_settings(own, true, dir_ + "/bkctld");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message(), HasSubstr(own));
}

TEST_F(LoadHostSettings, AFileThatCannotBeReadIsNotAMissingOne) {
  EXPECT_FALSE(load_host_settings(dir_, false, dir_ + "/bkctld"));
  EXPECT_FALSE(load_host_settings(dir_ + "/none", false, dir_));
}

}  // namespace
}  // namespace evojail
