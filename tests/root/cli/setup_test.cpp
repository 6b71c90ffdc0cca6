// check-setup, update, profile, and what every command does before it begins.

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

using HostSetup = Program;

/// The findings of one subject at one level.
std::vector<std::string> findings(const json& document, const std::string& subject,
                                  const std::string& level) {
  std::vector<std::string> texts;
  for (const auto& finding : document["findings"]) {
    if (finding["subject"] == subject && finding["level"] == level)
      texts.push_back(finding["text"]);
    EXPECT_EQ(finding["cure"].is_null(), finding["level"] == "good") << finding;
  }
  return texts;
}

TEST_F(HostSetup, IsCheckedAndEachFindingHasItsCure) {
  must({"init", "web1"});
  const json sound = json::parse(run({"check-setup", "--json"}).out);
  EXPECT_EQ(findings(sound, "volume", "missing").size(), 0U);
  EXPECT_EQ(findings(sound, "volume", "good").size(), 3U);
  EXPECT_EQ(findings(sound, "idmapped mounts", "good").size(), 1U);
  EXPECT_EQ(findings(sound, "user namespaces", "good").size(), 1U);
  EXPECT_EQ(findings(sound, "firewall", "good").size(), 1U);
  EXPECT_EQ(findings(sound, "jails", "good").size(), 1U);
  EXPECT_EQ(findings(sound, "profiles", "missing").size(), 0U);

  test::run("nft flush ruleset");
  test::run(
      "nft add table inet other; nft 'add chain inet other in { type filter hook input "
      "priority 0; policy drop; }'");
  add_setting("web1", "COLOUR=blue");
  test::run("chmod 755 " + host().incdir);
  const Ended broken = run({"check-setup", "--json"});
  EXPECT_EQ(broken.code, 1);
  const json document = json::parse(broken.out);
  EXPECT_EQ(findings(document, "volume", "missing").size(), 1U);
  EXPECT_EQ(findings(document, "jails", "missing").size(), 1U);
  EXPECT_EQ(findings(document, "firewall", "missing").size(), 1U);
  EXPECT_EQ(findings(document, "firewall", "note").size(), 1U);
  EXPECT_THAT(run({"check-setup"}).out, HasSubstr("         cure: chmod 0700 "));
}

TEST_F(HostSetup, IsToldAllThatIsWrongAtOnce) {
  must({"init", "web1"});
  add_setting("web1", "PROFILE=nosuch");
  test::run("chmod 755 " + host().jaildir);
  test::run("mount -o remount,dev " + std::filesystem::path(host().jaildir).parent_path().string());
  std::filesystem::create_directories(host().jaildir + "/old1/usr/sbin");
  write(host().jaildir + "/old1/usr/sbin/sshd", "");
  const json document = json::parse(run({"check-setup", "--json"}).out);
  EXPECT_THAT(findings(document, "volume", "missing"),
              ElementsAre(HasSubstr("has mode 0755"), HasSubstr("not mounted nodev")));
  EXPECT_THAT(findings(document, "jails", "missing"),
              ElementsAre("jail 'web1': there is no profile 'nosuch'"));
  EXPECT_THAT(findings(document, "jails", "note"), ElementsAre(HasSubstr("bkctld's")));
  EXPECT_THAT(findings(document, "jails", "note"), ElementsAre(HasSubstr("old1")));
}

TEST_F(HostSetup, EveryFileOfAJailIsRead) {
  must({"init", "web1"});
  for (const auto& [file, text] :
       {std::pair{"incs_policy", "nonsense\n"}, std::pair{"check_policy", "WARNING=soon\n"},
        std::pair{"authorized_keys", "no key\n"}}) {
    const std::string before = read(conf("web1", file));
    write(conf("web1", file), text);
    const Ended checked = run({"check-setup", "--json"});
    EXPECT_EQ(checked.code, 1) << file;
    EXPECT_THAT(findings(json::parse(checked.out), "jails", "missing"),
                ElementsAre(HasSubstr(file)));
    write(conf("web1", file), before);
  }
  EXPECT_EQ(run({"check-setup"}).code, 0);
}

// No directory is missing that the first `init` makes, and nobody is told to make one where the
// volume may not be mounted.
TEST_F(HostSetup, OfAFreshHostMissesNothing) {
  const Ended checked = run({"check-setup", "--json"});
  const json document = json::parse(checked.out);
  EXPECT_EQ(findings(document, "volume", "missing").size(), 0U);
  EXPECT_EQ(findings(document, "volume", "note").size(), 1U);
  EXPECT_EQ(findings(document, "idmapped mounts", "good").size(), 1U);
  EXPECT_THAT(checked.out, testing::Not(HasSubstr("mkdir")));
}

TEST_F(HostSetup, TheImageIsUpdated) {
  const json first = json::parse(must({"update", "--json"}).out);
  EXPECT_EQ(first["built"], true);
  EXPECT_EQ(first["pruned"], json::array());
  EXPECT_THAT(must({"update"}).out, HasSubstr("is up to date"));
}

TEST_F(HostSetup, ProfilesAreListedShownAndChecked) {
  EXPECT_THAT(must({"profile", "list"}).out, HasSubstr("default"));
  const json list = json::parse(must({"profile", "list", "--json"}).out);
  EXPECT_GE(list["profiles"].size(), 2U);
  EXPECT_THAT(must({"profile", "show", "sftp"}).out, HasSubstr("CAP_CHOWN"));
  const std::string text = must({"profile", "show", "default", "--json"}).out;
  write(path("mine.json"), text);
  EXPECT_THAT(must({"profile", "check", path("mine.json")}).out, HasSubstr("is sound"));
  const json sound = json::parse(must({"profile", "check", path("mine.json"), "--json"}).out);
  EXPECT_EQ(sound["filters"].size(), 2U);
  write(path("mine.json"), text.substr(0, text.size() / 2));
  const Ended broken = run({"profile", "check", path("mine.json")});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.err, MatchesRegex("evojail: .*mine\\.json:[0-9]+: .*\n(hint: .*\n)?"));
  EXPECT_EQ(run({"profile", "show", "nosuch"}).code, 1);
  EXPECT_EQ(run({"profile", "show"}).code, 1);
}

TEST_F(HostSetup, UsageErrorsAreOneLineAndAHint) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {}, {"bogus"}, {"init"}, {"start"}, {"list", "x"}, {"init", "web1", "--bogus"}}) {
    const Ended ended = run(words);
    EXPECT_EQ(ended.code, 1) << testing::PrintToString(words);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, MatchesRegex("evojail: [^\n]+\nhint: [^\n]+\n"));
  }
  EXPECT_THAT(must({"--version"}).out, MatchesRegex("evojail [0-9.]+\n"));
  EXPECT_THAT(must({"--help"}).out, StartsWith("usage: evojail "));
  EXPECT_THAT(must({"init", "--help"}).out, HasSubstr("Examples:"));
}

TEST_F(HostSetup, RootIsWanted) {
  const Ended ended =
      run({"init", "web1"}, {.wrapper = {"setpriv", "--reuid=65534", "--clear-groups"}});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, StartsWith("evojail: 'evojail init' needs root\n"));
}

TEST_F(HostSetup, JailsThatOnlyRootMaySeeAreNotNoJails) {
  must({"init", "web1"});
  test::run("chmod 755 " + path("") + " " + host().confdir);
  const RunOptions nobody{.wrapper = {"setpriv", "--reuid=65534", "--clear-groups"}};
  const Ended ended = run({"list"}, nobody);
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("Permission denied"));
  EXPECT_EQ(must({"list"}).out, "web1\n");
}

TEST_F(HostSetup, AFullStdoutIsAnError) {
  must({"init", "web1"});
  const Ended ended = run(
      {},
      {.wrapper = {"sh", "-c", "exec \"$0\" --config " + path("settings") + " list >/dev/full"}});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("writing 'stdout': No space left on device"));
}

}  // namespace
}  // namespace evojail::test
