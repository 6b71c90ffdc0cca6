#include "config/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::HasSubstr;

Prefix prefix(std::string_view text) { return parse_prefix(text).value(); }

TEST(Prefix, RoundTrips) {
  for (const std::string text :
       {"192.0.2.7", "192.0.2.0/24", "0.0.0.0/0", "10.0.0.0/8", "192.0.2.128/25", "2001:db8::/32",
        "2001:db8::1", "::/0", "::1", "fe80::/10", "2001:db8:8000::/33"}) {
    const auto parsed = parse_prefix(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message();
    EXPECT_EQ(to_string(*parsed), text);
  }
  EXPECT_EQ(to_string(prefix("192.0.2.7/32")), "192.0.2.7");
  EXPECT_EQ(to_string(prefix("2001:DB8:0:0::1/128")), "2001:db8::1");
}

TEST(Prefix, KnowsFamilyAndLength) {
  EXPECT_EQ(prefix("192.0.2.7").family, Prefix::Family::v4);
  EXPECT_EQ(prefix("192.0.2.7").length, 32);
  EXPECT_EQ(prefix("::1").family, Prefix::Family::v6);
  EXPECT_EQ(prefix("::1").length, 128);
  EXPECT_EQ(prefix("192.0.2.0/24").bytes[2], 2);
}

TEST(Prefix, RefusesWhatIsNoAddress) {
  for (const std::string text :
       {"", "all", "192.0.2", "192.0.2.256", "192.0.2.07", "0x7f.1", "192.0.2.7/33", "192.0.2.7/",
        "192.0.2.7/-1", "192.0.2.7/ 8", "192.0.2.0/24/24", "/24", "2001:db8::/129", "fe80::1%eth0",
        "example.org", " 192.0.2.7", "1:2:3:4:5:6:7:8:9"}) {
    EXPECT_FALSE(parse_prefix(text)) << text;
  }
  EXPECT_FALSE(parse_prefix(std::string_view("192.0.2.7\0x", 11)));
}

TEST(Prefix, NamesTheNetworkWhenHostBitsAreSet) {
  const auto parsed = parse_prefix("192.0.2.7/24");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().hint(), HasSubstr("192.0.2.0/24"));
  EXPECT_FALSE(parse_prefix("2001:db8::1/64"));
}

TEST(Prefix, RefusesMappedAddresses) {
  EXPECT_FALSE(parse_prefix("::ffff:192.0.2.7"));
  EXPECT_FALSE(parse_prefix("::ffff:0:0/96"));
}

TEST(Prefix, ContainsItsHosts) {
  EXPECT_TRUE(contains(prefix("192.0.2.0/25"), prefix("192.0.2.127")));
  EXPECT_FALSE(contains(prefix("192.0.2.0/25"), prefix("192.0.2.128")));
  EXPECT_TRUE(contains(prefix("192.0.2.7"), prefix("192.0.2.7")));
  EXPECT_FALSE(contains(prefix("192.0.2.7"), prefix("192.0.2.8")));
  EXPECT_TRUE(contains(prefix("0.0.0.0/0"), prefix("255.255.255.255")));
  EXPECT_TRUE(contains(prefix("2001:db8::/33"), prefix("2001:db8:7fff::1")));
  EXPECT_FALSE(contains(prefix("2001:db8::/33"), prefix("2001:db8:8000::1")));
  EXPECT_FALSE(contains(prefix("::/0"), prefix("192.0.2.7")));
  EXPECT_FALSE(contains(prefix("0.0.0.0/0"), prefix("2001:db8::1")));
}

TEST(Prefix, TakesAMappedHostForIpv4) {
  Prefix host{.family = Prefix::Family::v6, .bytes = {}, .length = 128};
  host.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
  EXPECT_TRUE(contains(prefix("192.0.2.0/24"), host));
  EXPECT_FALSE(contains(prefix("192.0.3.0/24"), host));
  EXPECT_FALSE(contains(prefix("::/0"), host));
}

TEST(Prefix, SortsByFamilyThenAddress) {
  EXPECT_LT(prefix("192.0.2.0/24"), prefix("192.0.2.0/25"));
  EXPECT_LT(prefix("192.0.2.7"), prefix("192.0.3.0"));
  EXPECT_LT(prefix("255.0.0.0"), prefix("::1"));
}

}  // namespace
}  // namespace evojail
