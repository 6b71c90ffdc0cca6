#include "jail/image_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ImageRecord, SaysWhatDiffers) {
  const auto changes = compare_image_records(
      "directory /a\nfile /a/kept 755 1 2.3 4\nfile /a/newer 755 1 2.3 4\nlink /a/gone x\n",
      "directory /a\nfile /a/added 755 1 2.3 4\nfile /a/kept 755 1 2.3 4\nfile /a/newer 755 1 2.3 "
      "5\n");
  EXPECT_THAT(changes.added, ElementsAre("/a/added"));
  EXPECT_THAT(changes.removed, ElementsAre("/a/gone"));
  EXPECT_THAT(changes.changed, ElementsAre("/a/newer"));
}

TEST(ImageRecord, ALinkThatBecomesAFileHasChanged) {
  const auto changes = compare_image_records("link /bin/sh dash\n", "file /bin/sh 755 1 2.3 4\n");
  EXPECT_THAT(changes.changed, ElementsAre("/bin/sh"));
  EXPECT_THAT(changes.added, IsEmpty());
  EXPECT_THAT(changes.removed, IsEmpty());
}

// Test vectors of the FNV-1a reference: http://www.isthe.com/chongo/tech/comp/fnv/
TEST(ImageRecord, DigestIsFnv1a) {
  EXPECT_EQ(image_digest(""), "cbf29ce484222325");
  EXPECT_EQ(image_digest("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(image_digest("foobar"), "85944171f73967e8");
}

TEST(ImageRecord, KnowsIds) {
  EXPECT_TRUE(is_image_id(image_digest("x")));
  for (const char* name : {"", ".", "..", "current", ".building", "85944171f73967e",
                           "85944171f73967e80", "85944171F73967E8", "85944171f73967e/"}) {
    EXPECT_FALSE(is_image_id(name)) << name;
  }
}

}  // namespace
}  // namespace evojail
