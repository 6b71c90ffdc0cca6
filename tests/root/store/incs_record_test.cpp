// What is kept about an inc: its record, the settings and keys of that day.

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>

#include "base/file.hpp"
#include "config/layout.hpp"
#include "root/store/incs_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(IncsTest, RecordTellsHowItWasTaken) {
  world_.make_jail("web1");
  const auto outcome =
      world_.take("web1", "2026-01-01-00", [] { return OpenSessions{{"192.0.2.7"}, true, false}; });
  ASSERT_EQ(outcome.status, IncStatus::taken);
  const auto info = find_inc(world_.host, "web1", "2026-01-01-00");
  ASSERT_TRUE(info);
  ASSERT_TRUE(info->record);
  EXPECT_EQ(*info->record, outcome.record);
  EXPECT_TRUE(info->record->push_in_flight);
  EXPECT_TRUE(info->record->partial);
  EXPECT_FALSE(info->complete);
  EXPECT_THAT(info->record->sessions, ElementsAre("192.0.2.7"));
  EXPECT_EQ(info->record->engine, GetParam() == FileSystem::btrfs ? "btrfs" : "tree");
  EXPECT_GT(info->record->began, 0);
  EXPECT_GE(*info->record->ended, info->record->began);
  EXPECT_EQ(info->locked, GetParam() == FileSystem::btrfs);
}

TEST_P(IncsTest, SessionsAreAskedForAroundEachInc) {
  world_.make_jail("web1");
  world_.make_jail("web2");
  // The second jail's session begins when the first's inc is under way, its third after the
  // snapshot or walk.
  std::atomic<unsigned> first = 0;
  std::atomic<unsigned> second = 0;
  std::vector<IncRequest> requests(2);
  requests[0] = {.jail = "web1", .sessions = [&first] {
                   ++first;
                   return OpenSessions{{}, false, true};
                 }};
  requests[1] = {.jail = "web2", .sessions = [&first, &second] {
                   EXPECT_GT(first, 0U);
                   OpenSessions now{{"1: 192.0.2.7 port 1, since 2026"}, false, false};
                   if (++second > 1) {
                     now.lines[0] += ", rsync --server";
                     now.lines.emplace_back("2: 192.0.2.8 port 2, since 2026");
                     now.push_in_flight = true;
                   }
                   return now;
                 }};
  const IncOptions options;
  const auto outcomes = take_incs(world_.host, requests, "2026-01-01-00", options);
  ASSERT_EQ(outcomes[0].status, IncStatus::taken);
  ASSERT_EQ(outcomes[1].status, IncStatus::taken);
  EXPECT_EQ(first, 2U);
  EXPECT_EQ(second, 2U);
  EXPECT_FALSE(outcomes[0].record.partial);
  EXPECT_TRUE(outcomes[1].record.partial);
  EXPECT_TRUE(outcomes[1].record.push_in_flight);
  EXPECT_THAT(outcomes[1].record.sessions,
              ElementsAre("1: 192.0.2.7 port 1, since 2026, rsync --server",
                          "2: 192.0.2.8 port 2, since 2026"));
}

TEST_P(IncsTest, APushDoesNotKeepAnIncFromBeingBuiltOn) {
  if (GetParam() == FileSystem::btrfs) return;  // its incs are built on none
  world_.make_jail("web1");
  const auto pushing = [] { return OpenSessions{{"192.0.2.7"}, true, false}; };
  ASSERT_EQ(world_.take("web1", "2026-01-01-00", pushing).status, IncStatus::taken);
  const auto second = world_.take("web1", "2026-01-02-00", pushing);
  ASSERT_EQ(second.status, IncStatus::taken);
  EXPECT_TRUE(second.record.partial);
  EXPECT_EQ(second.record.copied_bytes, 0U);
  EXPECT_EQ(second.record.linked, 3U);
  // What changed under the eyes of both is not linked.
  write_file(world_.data("web1") + "/changed", "affter\n");
  const auto third = world_.take("web1", "2026-01-03-00", pushing);
  EXPECT_EQ(third.record.linked, 2U);
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-02-00") + "/data/changed"), "before\n");
  EXPECT_EQ(read_text(world_.inc("web1", "2026-01-03-00") + "/data/changed"), "affter\n");
}

TEST_P(IncsTest, RecordFollowsAnIncThatIsRenamed) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  std::filesystem::rename(world_.inc("web1", "2026-01-01-00"), world_.inc("web1", "2025-12-31-23"));
  const auto info = find_inc(world_.host, "web1", "2025-12-31-23");
  ASSERT_TRUE(info);
  ASSERT_TRUE(info->record);
  EXPECT_EQ(info->record->inc, "2026-01-01-00");
  // An inc that takes the old name is another one.
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  EXPECT_NE(find_inc(world_.host, "web1", "2026-01-01-00")->identity, info->identity);
}

TEST_P(IncsTest, DamagedRecordHidesNothing) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const auto identity = find_inc(world_.host, "web1", "2026-01-01-00")->identity;
  write_file(JailPaths(world_.host, "web1").meta_dir + "/incs/" + identity + ".json", "{");
  const auto incs = list_incs(world_.host, "web1");
  ASSERT_TRUE(incs);
  ASSERT_EQ(incs->size(), 1U);
  EXPECT_FALSE(incs->front().record);
  EXPECT_FALSE(incs->front().complete);
}

TEST_P(IncsTest, SettingsAndKeysAreMirrored) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const JailPaths paths(world_.host, "web1");
  const std::string mirror = paths.meta_dir + "/settings";
  EXPECT_EQ(read_text(mirror + "/ssh_host_ed25519_key"), "key\n");
  EXPECT_EQ(read_text(mirror + "/jail.conf"), read_text(paths.conf));
  struct stat st{};
  ASSERT_EQ(::stat((mirror + "/ssh_host_ed25519_key").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  ASSERT_TRUE(replace_settings(world_.host, "web1", "PORT=2300\n"));
  std::filesystem::remove(paths.check_policy);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  EXPECT_EQ(read_text(mirror + "/jail.conf"), "PORT=2300\n");
  EXPECT_FALSE(path_exists(mirror + "/check_policy"));
  // They are beside the incs, not in them.
  EXPECT_FALSE(path_exists(world_.inc("web1", "2026-01-01-01") + "/settings"));
}

// A host that was rebuilt in part: with jail.conf alone an inc is taken, and the only copies of the
// host keys, which clients know, lie here.
TEST_P(IncsTest, HostKeysThatTheHostLostStayInTheMirror) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const JailPaths paths(world_.host, "web1");
  std::filesystem::remove(paths.host_key("ed25519"));
  std::filesystem::remove(paths.authorized_keys);
  ASSERT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
  const std::string mirror = paths.meta_dir + "/settings";
  EXPECT_EQ(read_text(mirror + "/ssh_host_ed25519_key"), "key\n");
  EXPECT_FALSE(path_exists(mirror + "/authorized_keys")) << "a key that was taken away is gone";
  write_file(paths.host_key("ed25519"), "another\n");
  ASSERT_EQ(world_.take("web1", "2026-01-01-02").status, IncStatus::taken);
  EXPECT_EQ(read_text(mirror + "/ssh_host_ed25519_key"), "another\n");
}

/// The inc has its name by then.
TEST_P(IncsTest, MirrorThatCannotBeMadeUndoesTheInc) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const JailPaths paths(world_.host, "web1");
  const std::string mirrored = paths.meta_dir + "/settings/jail.conf";
  std::filesystem::remove(mirrored);
  std::filesystem::create_directory(mirrored);
  const auto outcome = world_.take("web1", "2026-01-01-01");
  EXPECT_EQ(outcome.status, IncStatus::failed);
  ASSERT_TRUE(outcome.error);
  EXPECT_THAT(outcome.error->message(), HasSubstr("inc '2026-01-01-01' of jail 'web1'"));
  EXPECT_THAT(outcome.error->message(), HasSubstr(mirrored));
  EXPECT_THAT(world_.inc_names("web1"), ElementsAre("2026-01-01-00"));
  EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator(paths.meta_dir + "/incs")), 1);
  EXPECT_THAT(world_.leftovers(), IsEmpty());
  std::filesystem::remove(mirrored);
  EXPECT_EQ(world_.take("web1", "2026-01-01-01").status, IncStatus::taken);
}

TEST_P(IncsTest, SettingsThatCannotBeMirroredDoNotStopAnInc) {
  world_.make_jail("web1");
  ASSERT_EQ(world_.take("web1", "2026-01-01-00").status, IncStatus::taken);
  const JailPaths paths(world_.host, "web1");
  write_file(paths.conf_dir + "/dump", std::string(5 << 20, 'x'));
  std::filesystem::remove(paths.check_policy);
  const auto outcome = world_.take("web1", "2026-01-01-01");
  ASSERT_EQ(outcome.status, IncStatus::taken) << outcome.error->message();
  ASSERT_EQ(outcome.warnings.size(), 1U);
  EXPECT_THAT(outcome.warnings[0], HasSubstr("dump"));
  EXPECT_FALSE(path_exists(paths.meta_dir + "/settings/check_policy"));
}

}  // namespace
}  // namespace evojail::test
