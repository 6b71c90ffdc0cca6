#include "cli/fingerprint.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/sha256.hpp"

namespace evojail {
namespace {

std::string hex(const std::array<std::uint8_t, 32>& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

// FIPS 180-4's examples, and a length on each side of where the padding needs another block.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex(sha256(std::string(55, 'a'))),
            "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(hex(sha256(std::string(1000, 'a'))),
            "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

TEST(Base64, ComesBack) {
  for (const std::string bytes : {"", "a", "ab", "abc", "abcd", "\xff\xfe\x01"}) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
  EXPECT_EQ(encode_base64("ab"), "YWI=");
}

// ssh-keygen -lf on this key prints the same.
TEST(Fingerprint, IsWhatSshShows) {
  EXPECT_EQ(fingerprint("ssh-ed25519 "
                        "AAAAC3NzaC1lZDI1NTE5AAAAIGPIZ5jPjYVvDxfYuRJbXyUvXqPTnW8mTZC9pUNgwbnN "
                        "web1\n")
                .value_or("none"),
            "SHA256:yljup5xOFtuYTSFyp0g3BfacSl7MKhEPavdpmQiiXpk");
}

TEST(Fingerprint, NeedsAKey) {
  EXPECT_FALSE(fingerprint(""));
  EXPECT_FALSE(fingerprint("ssh-ed25519"));
  EXPECT_FALSE(fingerprint("ssh-ed25519 !!!!"));
}

}  // namespace
}  // namespace evojail
