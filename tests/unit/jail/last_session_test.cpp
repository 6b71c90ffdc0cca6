#include "jail/last_session.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "support/temp_directory.hpp"

namespace {
int syncs = 0;
}  // namespace

/// In the place of libc's.
extern "C" int fsync(int fd) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace evojail {
namespace {

class LastSessionTest : public testing::Test {
 protected:
  LastSessionTest() { host_.datadir = directory_.path(); }
  test::TempDirectory directory_;
  HostSettings host_;
};

TEST_F(LastSessionTest, IsThereAtOnceAndWaitsForNoDisk) {
  const LastSession session{.peer = "192.0.2.7",
                            .began = 1,
                            .ended = 2,
                            .received = 3,
                            .sent = 4,
                            .command = "true",
                            .outcome = "exit 0"};
  syncs = 0;
  ASSERT_TRUE(write_last_session(host_, "web1", session));
  EXPECT_EQ(syncs, 0);
  const auto read = read_last_session(host_, "web1");
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->ended, 2);
  EXPECT_EQ((*read)->outcome, "exit 0");
}

TEST_F(LastSessionTest, IsNoneWhereAPowerCutLeftNothingToRead) {
  ASSERT_TRUE(write_last_session(host_, "web1", {}));
  for (const char* text : {"", "{\"peer\":", "{}"}) {
    std::ofstream(host_.datadir + "/last-session/web1") << text;
    const auto read = read_last_session(host_, "web1");
    ASSERT_TRUE(read) << text;
    EXPECT_FALSE(*read) << text;
  }
}

}  // namespace
}  // namespace evojail
