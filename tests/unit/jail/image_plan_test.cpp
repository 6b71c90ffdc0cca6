#include "jail/image_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_host.hpp"
#include "jail/image_record.hpp"

namespace evojail {
namespace {

using test::FakeHost;
using test::programs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using Kind = ImageItem::Kind;

TEST(ImagePlan, FollowsAProgramToItsLoaderAndLibraries) {
  const FakeHost host;
  const auto plan = host.plan(programs({"cat"}));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_THAT(plan->items, Contains(Key("/usr/bin/cat")));
  EXPECT_THAT(plan->items, Contains(Key(host.library_directory() + "/libc.so.6")));
  EXPECT_THAT(plan->items, Contains(Key(HasSubstr("/ld-linux"))));
  EXPECT_THAT(plan->items, Contains(Key("/usr/libexec/evojail/session-shell")));
  const auto& cat = plan->items.at("/usr/bin/cat");
  EXPECT_EQ(cat.source, host.real("/usr/bin/cat"));
  EXPECT_EQ(cat.mode, 0755U);
  EXPECT_EQ(plan->items.at(host.library_directory() + "/libc.so.6").kind, Kind::file);
  EXPECT_EQ(plan->id, image_digest(plan->record));
  EXPECT_EQ(plan->items.at(image_record_path).content, plan->record);
  EXPECT_EQ(plan->items.at(image_record_path).mode, 0600U);
  EXPECT_GT(plan->bytes, cat.identity.size);
}

TEST(ImagePlan, LinksTheNameThatWasAskedForToTheProgramBehindIt) {
  const FakeHost host;
  host.link("/usr/bin/pager", "/etc/alternatives/pager");
  host.link("/etc/alternatives/pager", "/bin/cat");
  const auto plan = host.plan(programs({"pager"}));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->items.at("/usr/bin/pager").kind, Kind::link);
  EXPECT_EQ(plan->items.at("/usr/bin/pager").content, "cat");
  EXPECT_EQ(plan->items.at("/usr/bin/cat").kind, Kind::file);
}

TEST(ImagePlan, LinksNeverLeaveTheTree) {
  const FakeHost host;
  host.link("/usr/bin/outside", "/../../../../../../../usr/bin/sort");
  // In the tree there is no sort, whatever the machine has.
  EXPECT_FALSE(host.plan(programs({"outside"})));
}

TEST(ImagePlan, AMissingProgramNamesItsPackage) {
  const FakeHost host;
  const auto plan = host.plan(programs({"cat", "nosuch"}));
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message(), HasSubstr("the base image needs 'nosuch'"));
  EXPECT_EQ(plan.error().hint(), "apt-get install some-package");
}

TEST(ImagePlan, AnOptionalProgramIsLeftOutWhole) {
  const FakeHost host;
  host.write("/usr/bin/broken", "#!/usr/bin/perl\n", 0755);
  auto manifest = programs({"cat"});
  manifest.programs.push_back(
      {.reason = "a test", .package = "p", .required = false, .programs = {"nosuch", "broken"}});
  const auto plan = host.plan(manifest);
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_THAT(plan->left_out, ElementsAre("nosuch: not installed", HasSubstr("/usr/bin/perl")));
  EXPECT_THAT(plan->items, Not(Contains(Key("/usr/bin/broken"))));
}

TEST(ImagePlan, AMissingLibraryIsAnError) {
  const FakeHost host;
  host.remove(host.library_directory() + "/libc.so.6");
  const auto plan = host.plan(programs({"cat"}));
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message(), HasSubstr("'libc.so.6'"));
}

TEST(ImagePlan, FindsLibrariesByTheConfigurationOfTheLoader) {
  const FakeHost host;
  host.copy(host.real(host.library_directory() + "/libc.so.6"), "/opt/own/libc.so.6");
  host.remove(host.library_directory() + "/libc.so.6");
  host.write("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n");
  host.write("/etc/ld.so.conf.d/own.conf", "# ours\n/opt/own\n");
  host.write("/etc/ld.so.conf.d/ignored.txt", "/opt/none\n");
  const auto plan = host.plan(programs({"cat"}));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->items.at("/opt/own/libc.so.6").kind, Kind::file);
  // The image has no ld.so.cache: the loader finds it by this link.
  const auto& link = plan->items.at(host.library_directory() + "/libc.so.6");
  EXPECT_EQ(link.kind, Kind::link);
  EXPECT_THAT(link.content, HasSubstr("../opt/own/libc.so.6"));
}

TEST(ImagePlan, PassesOverALibraryOfAnotherMachine) {
  const FakeHost host;
  host.write("/etc/ld.so.conf", "/opt/i386\n");
  host.write("/opt/i386/libc.so.6",
             "\x7f"
             "ELF\x01\x01\x01");
  const auto plan = host.plan(programs({"cat"}));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_THAT(plan->items, Not(Contains(Key("/opt/i386/libc.so.6"))));
}

TEST(ImagePlan, AScriptNeedsItsInterpreterInTheImage) {
  const FakeHost host;
  host.write("/usr/bin/script", "#! /bin/cat\n", 0755);
  EXPECT_FALSE(host.plan(programs({"script"})));
  const auto plan = host.plan(programs({"cat", "script"}));
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_THAT(plan->items, Contains(Key("/usr/bin/script")));
}

TEST(ImagePlan, RefusesWhatIsNoProgram) {
  const FakeHost host;
  host.write("/usr/bin/text", "hello\n", 0755);
  host.write("/usr/bin/plain", "#!/bin/cat\n", 0644);
  EXPECT_FALSE(host.plan(programs({"text"})));
  EXPECT_FALSE(host.plan(programs({"cat", "plain"})));
}

TEST(ImagePlan, ALinkToNowhereIsAnError) {
  const FakeHost host;
  auto manifest = programs({"cat"});
  manifest.links.push_back({.path = "/usr/bin/sh", .target = "dash"});
  const auto plan = host.plan(manifest);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message(), HasSubstr("'/usr/bin/sh'"));
  manifest.links[0].target = "cat";
  EXPECT_TRUE(host.plan(manifest));
}

TEST(ImagePlan, TwoThingsByOneNameAreAnError) {
  const FakeHost host;
  auto manifest = programs({"cat"});
  manifest.texts.push_back({.path = "/usr/bin/cat", .text = "x"});
  EXPECT_FALSE(host.plan(manifest));
  manifest.texts[0].path = "/usr/bin/cat/below";
  EXPECT_FALSE(host.plan(manifest));
}

TEST(ImagePlan, CopiesDirectoriesOfData) {
  const FakeHost host;
  host.write("/usr/lib/locale/C.utf8/LC_CTYPE", "x", 0755);
  host.write("/usr/lib/locale/C.utf8/LC_MESSAGES/SYS", "x");
  host.write("/usr/share/zoneinfo/UTC", "utc");
  host.link("/etc/localtime", "/usr/share/zoneinfo/UTC");
  auto manifest = programs({"cat"});
  manifest.data.push_back({.reason = "a test",
                           .package = "p",
                           .required = true,
                           .paths = {"/usr/lib/locale/C.utf8", "/etc/localtime"}});
  const auto plan = host.plan(manifest);
  ASSERT_TRUE(plan) << plan.error().message();
  EXPECT_EQ(plan->items.at("/usr/lib/locale/C.utf8/LC_CTYPE").mode, 0644U);
  EXPECT_EQ(plan->items.at("/usr/lib/locale/C.utf8/LC_MESSAGES/SYS").kind, Kind::file);
  EXPECT_EQ(plan->items.at("/etc/localtime").kind, Kind::file);
  EXPECT_EQ(plan->items.at("/etc/localtime").source, host.real("/usr/share/zoneinfo/UTC"));
}

TEST(ImagePlan, AnUpgradedFileMakesAnotherImage) {
  const FakeHost host;
  const auto before = host.plan(programs({"cat"})).value();
  EXPECT_EQ(host.plan(programs({"cat"}))->id, before.id);
  // As a package manager does: a new file under another name, renamed over the old one.
  host.copy(host.real("/usr/bin/cat"), "/usr/bin/cat.dpkg-new");
  std::filesystem::rename(host.real("/usr/bin/cat.dpkg-new"), host.real("/usr/bin/cat"));
  const auto after = host.plan(programs({"cat"})).value();
  EXPECT_NE(after.id, before.id);
  EXPECT_THAT(compare_image_records(before.record, after.record).changed,
              ElementsAre("/usr/bin/cat"));
  EXPECT_THAT(compare_image_records(before.record, after.record).added, IsEmpty());
}

}  // namespace
}  // namespace evojail
