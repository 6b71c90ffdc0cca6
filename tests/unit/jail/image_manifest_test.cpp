#include "jail/image_manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.hpp"
#include "jail/share_dir.hpp"

namespace evojail {
namespace {

using ::testing::HasSubstr;

/// A manifest with `member` put in place of its namesake.
std::string with(const std::string& name, const std::string& member) {
  std::string text = "{\"description\": \"d\"";
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"programs", "[]"},
                                   {"data", "[]"},
                                   {"links", "[]"},
                                   {"texts", "[]"},
                                   {"directories", "[]"},
                                   {"session_shell", "\"/usr/libexec/shell\""}}) {
    text += ",\n\"" + key + "\": " + (key == name ? member : value);
  }
  return text + "}";
}

std::string error_of(const std::string& text) {
  const auto manifest = parse_image_manifest(text, "image.json");
  return manifest ? "" : manifest.error().message();
}

TEST(ImageManifest, ReadsAllMembers) {
  const auto manifest = parse_image_manifest(
      R"({"description": "d", "session_shell": "/usr/libexec/shell",
          "programs": [{"reason": "r", "package": "p", "required": true,
                        "programs": ["ls", "[", "/usr/sbin/sshd"]}],
          "data": [{"reason": "r", "package": "p", "required": false, "paths": ["/etc/localtime"]}],
          "links": [{"reason": "r", "path": "/bin", "target": "usr/bin"}],
          "texts": [{"reason": "r", "path": "/etc/group", "lines": ["root:x:0:", "users:x:100:"]}],
          "directories": [{"reason": "r", "paths": ["/data", "/tmp"]},
                          {"reason": "r", "paths": ["/run"]}]})",
      "image.json");
  ASSERT_TRUE(manifest) << manifest.error().message();
  ASSERT_EQ(manifest->programs.size(), 1U);
  EXPECT_TRUE(manifest->programs[0].required);
  EXPECT_EQ(manifest->programs[0].package, "p");
  EXPECT_THAT(manifest->programs[0].programs, ::testing::ElementsAre("ls", "[", "/usr/sbin/sshd"));
  ASSERT_EQ(manifest->data.size(), 1U);
  EXPECT_FALSE(manifest->data[0].required);
  ASSERT_EQ(manifest->links.size(), 1U);
  EXPECT_EQ(manifest->links[0].target, "usr/bin");
  ASSERT_EQ(manifest->texts.size(), 1U);
  EXPECT_EQ(manifest->texts[0].text, "root:x:0:\nusers:x:100:\n");
  EXPECT_THAT(manifest->directories, ::testing::ElementsAre("/data", "/tmp", "/run"));
  EXPECT_EQ(manifest->session_shell, "/usr/libexec/shell");
}

TEST(ImageManifest, NamesFileLineAndPlace) {
  EXPECT_EQ(error_of(with("none", "")), "");
  EXPECT_THAT(error_of(with("data", "[{\"paths\": []}]")),
              HasSubstr("image.json:3: /data/0: member 'reason' is missing"));
  EXPECT_THAT(error_of("{\"colour\": 1}"), HasSubstr("unknown member 'colour'"));
  EXPECT_THAT(error_of("{\n\"programs\": [}"), HasSubstr("image.json:2"));
  EXPECT_THAT(error_of("[]"), HasSubstr("has to be an object"));
}

TEST(ImageManifest, RefusesBadValues) {
  const auto program = [](const std::string& name) {
    return with("programs",
                "[{\"reason\": \"r\", \"package\": \"p\", \"required\": true, "
                "\"programs\": [\"" +
                    name + "\"]}]");
  };
  EXPECT_EQ(error_of(program("ls")), "");
  for (const std::string bad : {"", "a/b", "../ls", "/usr/../ls", "/usr//ls", "/usr/ls/", ".", "..",
                                "a b", "a\\nb", "a\\u0000b"}) {
    EXPECT_NE(error_of(program(bad)), "") << bad;
  }
  for (const std::string bad : {"etc", "/", "/etc/", "/etc/./x", "", "/a b"}) {
    EXPECT_NE(error_of(with("session_shell", "\"" + bad + "\"")), "") << bad;
    EXPECT_NE(error_of(with("directories", "[{\"reason\": \"r\", \"paths\": [\"" + bad + "\"]}]")),
              "")
        << bad;
  }
  for (const std::string bad : {"{}", "[1]", "\"x\"", "[[]]", "[{\"reason\": \"\"}]"}) {
    EXPECT_NE(error_of(with("programs", bad)), "") << bad;
  }
  EXPECT_NE(error_of(with("links", R"([{"reason": "r", "path": "/a", "target": "b c"}])")), "");
  EXPECT_NE(
      error_of(with("data", R"([{"reason": "r", "package": "p", "required": 1, "paths": []}])")),
      "");
}

/// The shipped manifest keeps what unmodified clients rely on: rsync maps owners by these names.
TEST(ImageManifest, ShippedOneHasTheTablesThatClientsMapBy) {
  const auto share = find_share_dir();
  ASSERT_TRUE(share) << share.error().message();
  const std::string file = *share + "/profiles/base-image.json";
  const auto text = read_file(file);
  ASSERT_TRUE(text) << text.error().message();
  const auto manifest = parse_image_manifest(*text, file);
  ASSERT_TRUE(manifest) << manifest.error().message();
  const auto find_text = [&](const std::string& path) {
    const auto found = std::ranges::find(manifest->texts, path, &ImageText::path);
    return found == manifest->texts.end() ? std::string() : found->text;
  };
  EXPECT_THAT(find_text("/etc/passwd"),
              HasSubstr("root:x:0:0:root:/root:" + manifest->session_shell + "\n"));
  EXPECT_THAT(find_text("/etc/passwd"), HasSubstr("\nsshd:x:100:65534:"));
  EXPECT_THAT(find_text("/etc/passwd"), HasSubstr("\nnobody:x:65534:65534:"));
  EXPECT_EQ(find_text("/etc/group"),
            "root:x:0:\ndaemon:x:1:\nshadow:x:42:\nstaff:x:50:\nusers:x:100:\nssh:x:102:\n"
            "nogroup:x:65534:\n");
  for (const std::string point :
       {"/dev", "/proc", "/data", "/var", "/tmp", "/run", "/etc/ssh", "/root"}) {
    EXPECT_THAT(manifest->directories, ::testing::Contains(point));
  }
}

}  // namespace
}  // namespace evojail
