#include "store/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "journal_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JournalTest : public JournalFixture {
 protected:
  JournalTest() { entry_.partial = true; }
};

TEST_F(JournalTest, TextIsReadableAndComesBack) {
  EXPECT_EQ(format_journal_entry(entry_), "inc 0123456789abcdef 2026-11-22-22 1795384800 partial");
  using Operation = JournalEntry::Operation;
  for (const auto operation : {Operation::create, Operation::inc, Operation::rm, Operation::remove,
                               Operation::rename, Operation::renamed, Operation::archive}) {
    entry_.operation = operation;
    entry_.partial = !entry_.partial;
    const auto parsed = parse_journal_entry(format_journal_entry(entry_), "f");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, entry_);
  }
  entry_.subject.clear();
  EXPECT_EQ(parse_journal_entry(format_journal_entry(entry_), "f").value(), entry_);
}

TEST_F(JournalTest, AnythingElseIsAnErrorThatNamesTheFile) {
  for (const char* text : {"", "-", "inc", "inc 0123456789abcdef 2026-11-22-22 1795384800",
                           "inc 0123456789ABCDEF 2026-11-22-22 1795384800 whole",
                           "inc 0123456789abcde/ 2026-11-22-22 1795384800 whole",
                           "ink 0123456789abcdef 2026-11-22-22 1795384800 whole",
                           "inc 0123456789abcdef 2026-11-22-22 -1 whole",
                           "inc 0123456789abcdef 2026-11-22-22 1795384800 half",
                           "inc 0123456789abcdef 2026-11-22-22 1795384800 whole more"}) {
    const auto parsed = parse_journal_entry(text, "/incs/.journal/web1");
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().message(), HasSubstr("/incs/.journal/web1"));
  }
}

TEST_F(JournalTest, TemporaryNamesBearTheToken) {
  EXPECT_EQ(entry_.new_name(), ".new-0123456789abcdef");
  EXPECT_EQ(entry_.trash_name(), ".trash-0123456789abcdef");
  EXPECT_EQ(entry_.trash_name("2026-01-01-00"), ".trash-0123456789abcdef-2026-01-01-00");
}

TEST_F(JournalTest, EntryIsThereUntilItIsCleared) {
  const JournalDir journal = open();
  EXPECT_FALSE(journal.read("web1").value());
  ASSERT_TRUE(journal.write("web1", entry_));
  ASSERT_TRUE(journal.sync());
  EXPECT_EQ(open().read("web1").value(), entry_);
  EXPECT_THAT(entries(), ElementsAre("web1"));
  ASSERT_TRUE(journal.clear("web1"));
  ASSERT_TRUE(journal.clear("web1"));
  EXPECT_FALSE(journal.read("web1").value());
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(JournalTest, SecondOperationCannotBegin) {
  const JournalDir journal = open();
  ASSERT_TRUE(journal.write("web1", entry_));
  const auto second = journal.write("web1", entry_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), EEXIST);
}

TEST_F(JournalTest, SomebodyElsesFileIsAnError) {
  const JournalDir journal = open();
  ASSERT_EQ(::symlink("/etc/passwd", (host_.incdir + "/.journal/web1").c_str()), 0);
  EXPECT_FALSE(journal.read("web1"));
}

}  // namespace
}  // namespace evojail::test
