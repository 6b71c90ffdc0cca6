#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "journal_fixture.hpp"

namespace evojail::test {
namespace {

namespace fs = std::filesystem;
constexpr const char* kReplacement = ".batch-next";
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JournalBatchTest : public JournalFixture {
 protected:
  void expect_in_batch(const std::string& jail) {
    const auto entry = open().read(jail);
    ASSERT_TRUE(entry) << jail << ": " << entry.error().message();
    EXPECT_EQ(*entry, entry_) << jail;
  }

  JournalEntry other_{.operation = JournalEntry::Operation::inc,
                      .token = "fedcba9876543210",
                      .subject = "2026-11-22-23",
                      .began = 1795388400};
  const std::vector<std::string> jails_{"web1", "web2", "web10"};
};

TEST_F(JournalBatchTest, IsTheEntryOfEachOfItsJailsUntilItIsCleared) {
  const JournalDir journal = open();
  EXPECT_TRUE(journal.write_all(jails_, entry_).value());
  EXPECT_THAT(entries(), SizeIs(1));
  for (const auto& jail : jails_) expect_in_batch(jail);
  for (const char* jail : {"web", "web11", "eb1", "inc", "whole", "2026-11-22-22"}) {
    EXPECT_FALSE(journal.read(jail).value()) << jail;
  }
  ASSERT_TRUE(journal.clear_all(jails_));
  ASSERT_TRUE(journal.clear_all(jails_));
  EXPECT_FALSE(journal.read("web1").value());
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(JournalBatchTest, JailsLeaveItOneByOne) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  ASSERT_TRUE(journal.clear("web2"));
  ASSERT_TRUE(journal.clear("web2"));
  EXPECT_FALSE(journal.read("web2").value());
  expect_in_batch("web1");
  expect_in_batch("web10");
  ASSERT_TRUE(journal.clear("web1"));
  expect_in_batch("web10");
  ASSERT_TRUE(journal.clear("web10"));
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(JournalBatchTest, EntryOfAJailsOwnCountsBeforeIt) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  JournalEntry partial = entry_;
  partial.partial = true;
  ASSERT_TRUE(journal.replace("web2", partial));
  EXPECT_EQ(journal.read("web2").value(), partial);
  expect_in_batch("web1");
  // Cleared, it does not give way to what the batch says.
  ASSERT_TRUE(journal.clear("web2"));
  EXPECT_FALSE(journal.read("web2").value());
  expect_in_batch("web1");
}

TEST_F(JournalBatchTest, ThereIsOneAtATime) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  const std::vector<std::string> others{"db1", "db2"};
  EXPECT_FALSE(journal.write_all(others, other_).value());
  EXPECT_FALSE(journal.read("db1").value());
  expect_in_batch("web1");
  // A single one does not ask for it.
  ASSERT_TRUE(journal.write("db1", other_));
  EXPECT_EQ(journal.read("db1").value(), other_);
}

/// One that failed has left it already, and one that could not be undone is not among them.
TEST_F(JournalBatchTest, IsClearedForSomeAndStaysForOthers) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  ASSERT_TRUE(journal.clear("web1"));
  ASSERT_TRUE(journal.clear_all(std::vector<std::string>{"web1", "web2"}));
  EXPECT_FALSE(journal.read("web2").value());
  expect_in_batch("web10");
  ASSERT_TRUE(journal.clear_all(std::vector<std::string>{"db1"}));
  expect_in_batch("web10");
}

TEST_F(JournalBatchTest, AnotherThatCameInItsPlaceStays) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(std::vector<std::string>{"db1", "db2"}, other_).value());
  for (const char* jail : {"db1", "db2"}) ASSERT_TRUE(journal.clear(jail));
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  ASSERT_TRUE(journal.clear_all(std::vector<std::string>{"db1", "db2"}));
  for (const auto& jail : jails_) expect_in_batch(jail);
}

/// Longer than the target of a symbolic link can be.
TEST_F(JournalBatchTest, HasRoomForAnyNumberOfLongNames) {
  std::vector<std::string> jails;
  for (int i = 0; i < 1000; ++i) jails.push_back(fmt::format("{}-{}", std::string(58, 'j'), i));
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails, entry_).value());
  EXPECT_GT(entries().size(), 10U);
  for (const auto& jail : jails) expect_in_batch(jail);
  // A link that has none left does not hide those behind it.
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(journal.clear(jails[static_cast<std::size_t>(i)]));
  EXPECT_FALSE(journal.read(jails[99]).value());
  for (std::size_t i = 100; i < jails.size(); ++i) expect_in_batch(jails[i]);
  ASSERT_TRUE(journal.clear_all(jails));
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(JournalBatchTest, JailsThatLeaveItAtOnceDoNotPutEachOtherBack) {
  std::vector<std::string> jails;
  for (int i = 0; i < 200; ++i) jails.push_back(fmt::format("jail{}", i));
  ASSERT_TRUE(open().write_all(jails, entry_).value());
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        const JournalDir journal = open();
        for (std::size_t i = first; i < jails.size(); i += 4) {
          EXPECT_TRUE(journal.clear(jails[i]));
          EXPECT_FALSE(journal.read(jails[i]).value());
        }
      });
    }
  }
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(JournalBatchTest, ChangeThatWasCutShortIsNoObstacle) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  ASSERT_EQ(::symlink("half", (host_.incdir + "/.journal/" + kReplacement).c_str()), 0);
  ASSERT_TRUE(journal.clear("web1"));
  EXPECT_THAT(entries(), ElementsAre(".batch-0"));
}

/// It keeps batches away, and harms nobody.
TEST_F(JournalBatchTest, SomebodyElsesLinkIsInNobodysWay) {
  const JournalDir journal = open();
  ASSERT_EQ(::symlink("/etc/passwd", (host_.incdir + "/.journal/.batch-0").c_str()), 0);
  EXPECT_FALSE(journal.read("web1").value());
  EXPECT_FALSE(journal.write_all(jails_, entry_).value());
  ASSERT_TRUE(journal.write("web1", entry_));
  ASSERT_TRUE(journal.clear("web1"));
  EXPECT_THAT(entries(), ElementsAre(".batch-0"));
}

TEST_F(JournalBatchTest, AnEntryThatIsNoneIsAnErrorForItsJails) {
  const JournalDir journal = open();
  ASSERT_EQ(::symlink("ink 0123456789abcdef 2026-11-22-22 1795384800 whole web1",
                      (host_.incdir + "/.journal/.batch-0").c_str()),
            0);
  EXPECT_FALSE(journal.read("web2").value());
  const auto entry = journal.read("web1");
  ASSERT_FALSE(entry);
  EXPECT_THAT(entry.error().message(), HasSubstr(".journal/.batch-0"));
}

/// The name of a jail's replacement is not the batch's.
TEST_F(JournalBatchTest, JailCalledBatchIsAJailLikeAnother) {
  const JournalDir journal = open();
  JournalEntry partial = entry_;
  partial.partial = true;
  std::vector<std::string> jails{"web1", "batch"};
  for (int i = 0; i < 200; ++i) jails.push_back(fmt::format("jail{}", i));
  ASSERT_TRUE(journal.write_all(jails, entry_).value());
  std::atomic<bool> left = false;
  const std::jthread thread([&] {
    for (std::size_t i = 2; i < jails.size(); ++i) EXPECT_TRUE(journal.clear(jails[i]));
    left = true;
  });
  while (!left) {
    EXPECT_TRUE(journal.replace("batch", partial));
    EXPECT_EQ(journal.read("batch").value(), partial);
    expect_in_batch("web1");
    if (HasFailure()) return;
  }
}

/// One that failed leaves it by itself, or another process sees to that, while the rest ends.
TEST_F(JournalBatchTest, IsNotPutBackByOneThatLeavesMeanwhile) {
  const JournalDir journal = open();
  std::vector<std::string> leaving;
  for (int i = 0; i < 20; ++i) leaving.push_back(fmt::format("jail{}", i));
  std::vector<std::string> jails = leaving;
  jails.insert(jails.end(), jails_.begin(), jails_.end());
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(journal.write_all(jails, entry_).value());
    {
      std::atomic<bool> begun = false;
      const std::jthread thread([&] {
        for (const auto& jail : leaving) {
          EXPECT_TRUE(journal.clear(jail));
          begun = true;
        }
      });
      while (!begun) std::this_thread::yield();
      EXPECT_TRUE(journal.clear_all(jails_));
    }
    ASSERT_THAT(entries(), IsEmpty()) << round;
  }
}

/// As when a kill came between the links of the last jails to go.
TEST_F(JournalBatchTest, OneWithoutJailsGivesWay) {
  const JournalDir journal = open();
  ASSERT_EQ(::symlink(format_journal_entry(other_).c_str(),
                      (host_.incdir + "/.journal/.batch-0").c_str()),
            0);
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  for (const auto& jail : jails_) expect_in_batch(jail);
}

TEST_F(JournalBatchTest, LinkInTheWayOfTheSecondIsInNobodysWay) {
  std::vector<std::string> jails;
  for (int i = 0; i < 100; ++i) jails.push_back(fmt::format("{}-{}", std::string(58, 'j'), i));
  ASSERT_EQ(::symlink("/etc/passwd", (open(), host_.incdir + "/.journal/.batch-1").c_str()), 0);
  const auto written = open().write_all(jails, entry_);
  ASSERT_TRUE(written) << written.error().message();
  EXPECT_FALSE(*written);
  EXPECT_THAT(entries(), ElementsAre(".batch-1"));
}

/// What counts before the batch is the last to go.
TEST_F(JournalBatchTest, JailThatCannotLeaveItKeepsItsOwnEntry) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write_all(jails_, entry_).value());
  ASSERT_TRUE(journal.replace("web1", other_));
  const std::string in_the_way = host_.incdir + "/.journal/" + kReplacement;
  fs::create_directory(in_the_way);
  EXPECT_FALSE(journal.clear("web1"));
  EXPECT_EQ(journal.read("web1").value(), other_);
  fs::remove(in_the_way);
  ASSERT_TRUE(journal.clear("web1"));
  EXPECT_FALSE(journal.read("web1").value());
}

}  // namespace
}  // namespace evojail::test
