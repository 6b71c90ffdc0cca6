#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/fingerprint.hpp"
#include "cli/json/jails.hpp"
#include "cli/key_file.hpp"
#include "cli/message.hpp"
#include "cli/port_word.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "config/check_policy.hpp"
#include "config/jail_settings.hpp"
#include "jail/base_image.hpp"
#include "jail/host_keys.hpp"
#include "jail/jail_rules.hpp"
#include "monitor/wanted_firewall.hpp"
#include "retention/policy.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"
#include "store/ports.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

struct InitOptions {
  std::string name;
  std::optional<std::string> port;
  std::optional<std::string> key;
  bool legacy_clients = false;
  bool json = false;
};

struct MadeJail {
  std::uint16_t port = 0;
  bool has_key = false;
  std::vector<HostKey> host_keys;
};

NewJail plan_jail(const InitOptions& options, std::uint16_t port, const std::string& keys,
                  const std::vector<HostKey>& host_keys) {
  NewJail jail;
  jail.settings = new_jail_settings(port, options.legacy_clients);
  jail.incs_policy = new_policy();
  jail.check_policy = new_check_policy();
  jail.files.push_back({"authorized_keys", keys, 0600});
  for (const HostKey& key : host_keys) {
    const std::string file = fmt::format("ssh_host_{}_key", key.type);
    jail.files.push_back({file, key.private_key, 0600});
    jail.files.push_back({file + ".pub", key.public_key, 0644});
  }
  return jail;
}

/// What a jail needs beside its directories.
Result<void> enrol(const HostSettings& host, const std::string& name) {
  CHECK(lease_uid_range(host, name));
  TRY(const FirewallJail wanted, wanted_firewall(host, name));
  return apply_firewall(host, wanted);
}

Result<MadeJail> make_jail(const HostSettings& host, const InitOptions& options) {
  TRY(const PortWord wish, parse_port_word(options.port.value_or("auto")));
  std::string keys;
  if (options.key) {
    TRY(keys, read_key_file(*options.key));
  }
  // Before anything is made, and once more under the lock.
  if (wish) CHECK(check_port_free(host, options.name, *wish));
  CHECK(make_store(host));
  CHECK(make_run_dirs(host));
  MadeJail made;
  made.has_key = options.key.has_value();
  TRY(made.host_keys,
      make_host_keys(new_host_key_types(options.legacy_clients), options.name, host.rundir));
  CHECK(ensure_base_image(host));
  TRY(const FileLock ports, lock_ports(host));
  TRY(made.port, take_port(host, options.name, wish));
  CHECK(create_jail(host, options.name, plan_jail(options, made.port, keys, made.host_keys)));
  if (auto enrolled = enrol(host, options.name); !enrolled) {
    // Not a jail by half: it is empty and nobody has seen it yet.
    [[maybe_unused]] const auto removed = remove_jail(host, options.name, true);
    [[maybe_unused]] const auto released = release_uid_range(host, options.name);
    return std::unexpected(std::move(enrolled).error());
  }
  return made;
}

/// bkctld's users put jails there, too; more often the volume is not mounted.
void warn_of_root_volume(const HostSettings& host) {
  const auto facts = inspect_store(host);
  if (!facts || !facts->on_root) return;
  print_warning(
      fmt::format("'{}' lies on the root file system, with no volume mounted at it or above it: a "
                  "client can fill the host's own disk",
                  host.jaildir));
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0') return "HOST";
  return name.data();
}

void tell(const InitOptions& options, const MadeJail& made, const std::string& command) {
  fmt::print("jail '{}' made, on port {}\n\nnext:\n", options.name, made.port);
  if (!made.has_key) {
    fmt::print("  {} key {} FILE        the client's public key\n", command, options.name);
  }
  fmt::print("  {} ip {} ADDRESS      who may connect (now: all)\n", command, options.name);
  fmt::print("  {} start {}\n", command, options.name);
  fmt::print(
      "\non the client, in ~/.ssh/config:\n"
      "  Host backup-{0}\n    HostName {1}\n    Port {2}\n    User root\n"
      "and then: rsync -aAXH --delete /etc backup-{0}:/data/\n",
      options.name, host_name(), made.port);
  fmt::print("\nhost keys, as ssh shows them on the first connection:\n");
  for (const HostKey& key : made.host_keys) {
    fmt::print("  {} ({})\n", fingerprint(key.public_key).value_or("?"), key.type);
  }
}

}  // namespace

Action declare_init(Arguments& arguments) {
  auto options = std::make_shared<InitOptions>();
  arguments.word("NAME", options->name, "letters, digits, '.', '_' and '-', up to 64");
  arguments.option("--port", "PORT|auto", options->port,
                   "the jail's TCP port; auto, the default: the next after the highest in use");
  arguments.option("--key", "FILE", options->key, "the client's public keys; - for stdin");
  arguments.flag("--legacy-clients", options->legacy_clients,
                 "an RSA host key and the key exchange of older clients as well");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("init web1", "A jail on the next free port.");
  arguments.example("init web1 --port 2300 --key web1.pub", "On this port, open to this key.");
  arguments.note(
      "A new jail keeps incs of today and the three days before, and of the first of this month "
      "and the last: CONFDIR/NAME.d/incs_policy says so and can be edited.");
  return [options](const Invocation& invocation) {
    if (const auto fit = require_new_name(invocation.host, options->name); !fit) {
      return report(fit);
    }
    auto made = make_jail(invocation.host, *options);
    if (!made) {
      return report(std::move(made).error().in(fmt::format("making jail '{}'", options->name)));
    }
    warn_of_root_volume(invocation.host);
    const std::string command = invocation.settings_file.empty()
                                    ? "evojail"
                                    : "evojail --config " + invocation.settings_file;
    if (options->json) {
      fmt::print("{}\n", new_jail_json(options->name, made->port, made->host_keys));
    } else if (!invocation.quiet) {
      tell(*options, *made, command);
    }
    return exit_code::done;
  };
}

}  // namespace evojail
