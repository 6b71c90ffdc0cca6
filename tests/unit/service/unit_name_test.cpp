#include "service/unit_name.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

// What `systemd-escape` of systemd 252 prints for each.
TEST(UnitName, EscapesAsSystemdDoes) {
  EXPECT_EQ(escape_unit_instance("web1"), "web1");
  EXPECT_EQ(escape_unit_instance("web-1"), "web\\x2d1");
  EXPECT_EQ(escape_unit_instance("a.b_c"), "a.b_c");
  EXPECT_EQ(escape_unit_instance(".hidden"), "\\x2ehidden");
  EXPECT_EQ(escape_unit_instance("a/b"), "a-b");
  EXPECT_EQ(escape_unit_instance("a b@c"), "a\\x20b\\x40c");
  EXPECT_EQ(escape_unit_instance("\xc3\xa9"), "\\xc3\\xa9");
}

TEST(UnitName, NamesTheService) { EXPECT_EQ(service_unit("db-1"), "evojail@db\\x2d1.service"); }

}  // namespace
}  // namespace evojail
