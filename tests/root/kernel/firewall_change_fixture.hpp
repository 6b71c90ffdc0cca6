#pragma once

#include <string>

#include "firewall_fixture.hpp"

namespace evojail::test {

/// Two jails of unlike settings, and tables of an administrator's own beside theirs.
class FirewallChangeTest : public FirewallTest {
 protected:
  // The longest name there can be, with every kind of character, and one that starts with a digit.
  const std::string long_name = "a.b-c_" + std::string(57, 'x') + "-";
  FirewallJail first = [&] {
    FirewallJail jail = jail_at(long_name, port, kFirstUid,
                                {"10.99.0.0/24", "192.0.2.7", "240.0.0.0/4", "2001:db8::/32"});
    jail.new_connections_per_minute = 60;
    return jail;
  }();
  FirewallJail second = [&] {
    FirewallJail jail = jail_at("2nd..", other_port, kSecondUid, {});
    jail.allow_all = true;
    return jail;
  }();

  void apply_both() {
    expect_done(firewall.apply(first));
    expect_done(firewall.apply(second));
  }

  static std::string rules() { return run("nft list ruleset"); }

  /// A name in nft's syntax that a table of the administrator's own has.
  static void make_other_tables() {
    run(R"(nft -f - <<'END'
table inet filter {
  set ban { type ipv4_addr; flags timeout; elements = { 192.0.2.1 } }
  chain input { type filter hook input priority filter; policy drop; ip saddr @ban drop; accept; }
}
table ip evojail {
  chain input { type filter hook input priority 5; tcp dport 9 drop; }
}
END)");
  }
  static std::string other_tables() {
    return run("nft list table inet filter; nft list table ip evojail");
  }
};

}  // namespace evojail::test
