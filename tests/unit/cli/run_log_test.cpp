#include "cli/run_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace evojail {
namespace {

std::string stream_of(int fd) {
  struct stat state{};
  EXPECT_EQ(::fstat(fd, &state), 0);
  return std::to_string(state.st_dev) + ":" + std::to_string(state.st_ino);
}

std::string logged(const char* journal_stream, LogLevel level) {
  testing::internal::CaptureStderr();
  const std::string here = stream_of(STDERR_FILENO);
  ::setenv("JOURNAL_STREAM", journal_stream == nullptr ? here.c_str() : journal_stream, 1);
  make_run_log("web1")(level, "something");
  ::unsetenv("JOURNAL_STREAM");
  return testing::internal::GetCapturedStderr();
}

TEST(RunLog, HasLevelsForTheJournal) {
  EXPECT_EQ(logged(nullptr, LogLevel::info), "<6>something\n");
  EXPECT_EQ(logged(nullptr, LogLevel::warning), "<4>something\n");
  EXPECT_EQ(logged(nullptr, LogLevel::error), "<3>something\n");
}

TEST(RunLog, HasTimeAndNameElsewhere) {
  EXPECT_THAT(logged("1:1", LogLevel::info),
              testing::MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[+-][0-9]+:[0-9]+ "
                                    "evojail\\[web1\\]: something\n"));
  EXPECT_THAT(logged("1:1", LogLevel::error), testing::HasSubstr("]: error: something\n"));
}

TEST(RunLog, KnowsTheJournalByDeviceAndInode) {
  const auto fd = open_path("/", O_RDONLY);
  ASSERT_TRUE(fd);
  EXPECT_TRUE(is_journal(fd->get(), stream_of(fd->get()).c_str()));
  EXPECT_FALSE(is_journal(fd->get(), nullptr));
  EXPECT_FALSE(is_journal(fd->get(), ""));
  EXPECT_FALSE(is_journal(fd->get(), "7"));
  EXPECT_FALSE(is_journal(fd->get(), "x:y"));
  EXPECT_FALSE(is_journal(fd->get(), "0:1"));
}

}  // namespace
}  // namespace evojail
