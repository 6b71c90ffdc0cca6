#include "jail/library_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

TEST(LoaderConfig, ReadsDirectoriesAndIncludes) {
  const auto lines = parse_loader_config(
      "# comment\n\ninclude /etc/ld.so.conf.d/*.conf other.conf\n/usr/local/lib # trailing\n"
      "\t/opt/lib=libc6 \nhwcap 1 nosegneg\n");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[0].include);
  EXPECT_EQ(lines[0].text, "/etc/ld.so.conf.d/*.conf");
  EXPECT_TRUE(lines[1].include);
  EXPECT_EQ(lines[1].text, "other.conf");
  EXPECT_FALSE(lines[2].include);
  EXPECT_EQ(lines[2].text, "/usr/local/lib");
  EXPECT_EQ(lines[3].text, "/opt/lib");
}

TEST(LoaderTokens, PutsInOriginAndLib) {
  const auto expand = [](std::string_view path) {
    return expand_loader_tokens(path, "/usr/bin", "lib/x86_64-linux-gnu");
  };
  EXPECT_EQ(expand("$ORIGIN/../lib"), "/usr/bin/../lib");
  EXPECT_EQ(expand("${ORIGIN}"), "/usr/bin");
  EXPECT_EQ(expand("/opt/$LIB:${LIB}"), "/opt/lib/x86_64-linux-gnu:lib/x86_64-linux-gnu");
  EXPECT_EQ(expand("/plain"), "/plain");
  EXPECT_EQ(expand("$PLATFORM"), "$PLATFORM");
  EXPECT_EQ(expand("$"), "$");
}

class Search : public ::testing::Test {
 protected:
  HostTree tree_ = HostTree::open("/").value();
  static constexpr std::uint16_t machine =
#if defined(__aarch64__)
      183;
#else
      62;
#endif
  LibrarySearch search_ = LibrarySearch::open(tree_, machine).value();
};

TEST_F(Search, FindsTheLibrariesOfThisMachine) {
  const auto found = search_.find("libc.so.6", {}, "/usr/bin/cat", {});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->library->object.soname, "libc.so.6");
  EXPECT_FALSE(found->needs_link);
  // Read once: the second answer is the same object.
  EXPECT_EQ(search_.find("libc.so.6", {}, "/usr/bin/ls", {})->library, found->library);
}

TEST_F(Search, RunpathComesBeforeTheConfiguration) {
  ElfObject by;
  by.runpath = {"/nosuch", "$ORIGIN/../" + search_.default_directory().substr(5)};
  const auto found = search_.find("libc.so.6", by, "/usr/bin/cat", {});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->library->name_path, search_.default_directory() + "/libc.so.6");
}

TEST_F(Search, InheritsRpathButNotBesideRunpath) {
  ElfObject by;
  EXPECT_TRUE(search_.find("cat", by, "/x", {"/usr/bin"}));
  by.runpath = {"/nosuch"};
  EXPECT_FALSE(search_.find("cat", by, "/x", {"/usr/bin"}));
}

TEST_F(Search, SaysWhoNeedsWhat) {
  const auto found = search_.find("libnosuch.so.1", {}, "/usr/bin/cat", {});
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message(),
              ::testing::HasSubstr("'/usr/bin/cat' needs 'libnosuch.so.1'"));
}

}  // namespace
}  // namespace evojail
