#include "jail/push_end.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

TEST(PushEnd, RsyncsReceivingSideThatEndedWell) {
  for (const char* command : {
           "rsync --server -logDtpre.iLsfxCIvu . /data/",
           "/usr/bin/rsync --server -e.LsfxCIvu --delete . /data",
           "nice -n 5 rsync --server -vlogDtpre.iLsfxC --numeric-ids . /data/new",
           "rsync --server -logDtpre.iLsfxCIvu . /data/--sender -n",
       }) {
    EXPECT_TRUE(is_push(command, "exit 0")) << command;
    EXPECT_TRUE(is_push(command, "exit 24")) << command;
    for (const char* outcome : {"exit 23", "exit 1", "exit 240", "signal 24", ""}) {
      EXPECT_FALSE(is_push(command, outcome)) << command << ": " << outcome;
    }
  }
}

TEST(PushEnd, NothingElse) {
  for (const char* command : {
           "",
           "login shell",
           "rsync",
           "rsync --version",
           "ls rsync",
           "rsync --server --sender -logDtpre.iLsfxCIvu . /data/",
           "rsync --server -nlogDtpre.iLsfxCIvu . /data/",
           "rsync --server -logDtprne.iLsfxCIvu --delete . /data/",
           "myrsync --server -logDtpre.iLsfxCIvu . /data/",
           "rsyncd --server -logDtpre.iLsfxCIvu . /data/",
       }) {
    EXPECT_FALSE(is_push(command, "exit 0")) << command;
  }
}

}  // namespace
}  // namespace evojail
