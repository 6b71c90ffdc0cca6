#include "config/authorized_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/base64.hpp"

namespace evojail {
namespace {

using ::testing::HasSubstr;

const std::string kEd25519 =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOGTWJATR4CVfxiVHKwgdEdnsJeLzjTlRsu5+OD8wf81";
const std::string kRsa1024 =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCzUlmk/3F3hXaPOEceRTn3KRGGyYtWcVZsuzOAjK3e18nJJjnOiVCF7q"
    "DPAXjMJMjD5hLX88RNe/cHRvYNeS0GYLjlMwiXnnyKo20MNl9QyNRgOYqfLc+io9H9gpzJupxpCEMNdTTR7awzf545JXNH"
    "z5uBUBCD8EXvDwiX5uhsnw==";
const std::string kEcdsa =
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFoFCbbbXc5zxv+0rqXGKR"
    "fHjeMgBbV32//hzOqWzBKPjYHGiXj+BpkvVK+wvL2LDjFId+Rt860UqyRPYfmajl4=";
const std::string kEcdsa384 =
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBIGNuyl9Cn4xX3eqP16/xM"
    "s0tPpK8tTy3s0nl1cwqSOwtGvxCFVohUhSo0HwKWjmchOWz7aN18TvKVbIvi9AYJnb6YRw4UlQRZRv2IERspXze2rRu+9H"
    "ghRBiooXbN/3mw==";
const std::string kEcdsa521 =
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAAWM+6hmDLMVtQCeCgP/J"
    "3acqsDjUWOwG6avCHFRyrl2hUVW9A6bITQxOMSmor8Nu8KCHxjbYGgI+QjtlE9/N/FJwBxf+5HuJ6+EIoH8aO09B0vlz1X"
    "1CHC7piKLAksx8bOntof7JEp0AtUoMwml4qUkcfbboZimKpVq14yfKcjdQ5fNg==";
const std::string kSkEd25519 =
    "sk-ssh-ed25519@openssh.com "
    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAABAgMEBQYHCAkKCwwNDg8Q"
    "ERITFBUWFxgZGhscHR4fAAAABHNzaDo=";
const std::string kSkEcdsa =
    "sk-ecdsa-sha2-nistp256@openssh.com "
    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlz"
    "dHAyNTYAAABBBAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Oz"
    "w9Pj8AAAAEc3NoOg==";

std::string error_of(std::string_view text) {
  const auto checked = check_authorized_keys(text, "keys");
  return checked ? "sound" : checked.error().message();
}

TEST(AuthorizedKeys, CountsTheKeysOfEveryType) {
  std::string text = "# of web1\n\n";
  for (const auto& key : {kEd25519, kRsa1024, kEcdsa, kEcdsa384, kEcdsa521, kSkEd25519, kSkEcdsa}) {
    EXPECT_EQ(error_of(key), "sound");
    text += key + " root@web1\n";
  }
  EXPECT_EQ(check_authorized_keys(text, "keys").value(), 7U);
}

TEST(AuthorizedKeys, TakesOptionsAndLooseBlanks) {
  for (const std::string& line :
       {"restrict,pty " + kEd25519, "command=\"rsync \\\"a b\\\", #\",no-pty\t" + kEd25519 + " x y",
        "from=\"192.0.2.0/24,!192.0.2.7\" " + kEd25519, "No-PTY " + kEd25519,
        "  " + kEd25519 + "  a comment \r", "cert-authority,principals=\"a\" " + kEd25519,
        "expiry-time=\"20300101\",X11-forwarding " + kEd25519}) {
    EXPECT_EQ(error_of(line), "sound") << line;
  }
}

TEST(AuthorizedKeys, NamesFileAndLine) {
  EXPECT_EQ(error_of("#\n" + kEd25519 + "\nnonsense\n"),
            "'keys' line 3: 'nonsense' is neither a key type nor an option");
  EXPECT_THAT(check_authorized_keys("x", "keys").error().hint(), HasSubstr("id_ed25519.pub"));
}

TEST(AuthorizedKeys, AFileWithoutAKeyIsAnError) {
  EXPECT_EQ(error_of(""), "'keys' holds no key");
  EXPECT_EQ(error_of("# ssh-ed25519 AAAA\n\n"), "'keys' holds no key");
}

TEST(AuthorizedKeys, RefusesPrivateKeysWithoutShowingThem) {
  EXPECT_THAT(error_of("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n"), HasSubstr("private key"));
  EXPECT_THAT(error_of("PuTTY-User-Key-File-3: ssh-ed25519\n"), HasSubstr("private key"));
}

TEST(AuthorizedKeys, RefusesBadOptions) {
  for (const std::string& line :
       {"command=ls " + kEd25519, "command=\"ls " + kEd25519, "nosuch " + kEd25519,
        "no-pty, " + kEd25519, "no-pty=\"x\" " + kEd25519, "command " + kEd25519,
        "no-pty,,restrict " + kEd25519, "command=\"a\"b " + kEd25519, std::string("no-pty"),
        std::string("no-pty "), "no-pty nosuch " + kEd25519}) {
    EXPECT_NE(error_of(line), "sound") << line;
  }
}

TEST(AuthorizedKeys, RefusesDamagedKeys) {
  EXPECT_THAT(error_of("ssh-ed25519"), HasSubstr("no key behind"));
  EXPECT_THAT(error_of("ssh-ed25519 root@web1"), HasSubstr("not base64"));
  EXPECT_THAT(error_of(kEd25519.substr(0, kEd25519.size() - 4)), HasSubstr("cut short"));
  EXPECT_THAT(error_of(kEd25519 + "AAAA"), HasSubstr("something follows"));
  EXPECT_THAT(error_of("ssh-rsa" + kEd25519.substr(kEd25519.find(' '))),
              HasSubstr("says that it is 'ssh-ed25519', not 'ssh-rsa'"));
  EXPECT_THAT(error_of("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAABADBEbJL"), HasSubstr("has 24 bits"));
  EXPECT_THAT(error_of("ssh-rsa AAAAB3NzaC1yc2E="), HasSubstr("damaged"));
  EXPECT_THAT(error_of("ssh-ed25519 /////w=="), HasSubstr("cut short"));
  EXPECT_THAT(error_of("ssh-ed25519 ===="), HasSubstr("not base64"));
  EXPECT_THAT(error_of(kEd25519 + "\x1b[2J"), HasSubstr("control character"));
  EXPECT_THAT(error_of(kEd25519 + " " + std::string(9000, 'x')), HasSubstr("longer than 8192"));
}

TEST(AuthorizedKeys, RefusesTypesThatSshdDoesNotTake) {
  EXPECT_THAT(error_of("ssh-dss AAAAB3NzaC1kc3M="), HasSubstr("DSA"));
  EXPECT_THAT(error_of("restrict ssh-dss AAAAB3NzaC1kc3M="), HasSubstr("DSA"));
  EXPECT_THAT(error_of("ssh-ed25519-cert-v01@openssh.com AAAA"), HasSubstr("certificate"));
}

TEST(Base64, DecodesCanonicalTextOnly) {
  EXPECT_EQ(decode_base64(""), "");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("Zm9v"), "foo");
  EXPECT_EQ(decode_base64("+/+/"), "\xfb\xff\xbf");
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg===", "====", "Zm9v\n", "Z=g=", "Zm-_"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace evojail
