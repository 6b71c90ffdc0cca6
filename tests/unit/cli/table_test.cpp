#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

Table sample() {
  Table table;
  table.column("NAME");
  table.column("PORT", Table::Align::right);
  table.column("NOTES");
  table.row({{"web1"}, {"2222"}, {"held", Colour::warning}});
  table.row({{"database-1"}, {"80"}, {""}});
  return table;
}

TEST(Table, AlignsColumnsAndEndsLinesWithoutBlanks) {
  EXPECT_EQ(sample().format(true, false),
            "NAME        PORT  NOTES\n"
            "web1        2222  held\n"
            "database-1    80\n");
}

TEST(Table, LeavesTheHeadingOut) {
  EXPECT_EQ(sample().format(false, false),
            "web1        2222  held\n"
            "database-1    80\n");
}

TEST(Table, ColoursCellsNotPadding) {
  EXPECT_EQ(sample().format(false, true),
            "web1        2222  \x1b[33mheld\x1b[0m\n"
            "database-1    80\n");
}

TEST(Table, MayBeEmpty) {
  Table table;
  table.column("NAME");
  EXPECT_EQ(table.format(true, false), "NAME\n");
  EXPECT_EQ(table.format(false, false), "");
}

TEST(Table, FillsShortRows) {
  Table table;
  table.column("A");
  table.column("B");
  table.row({{"x"}});
  EXPECT_EQ(table.format(false, false), "x\n");
}

}  // namespace
}  // namespace evojail
