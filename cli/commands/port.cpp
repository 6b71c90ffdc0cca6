#include <fmt/format.h>

#include <memory>

#include "cli/change_settings.hpp"
#include "cli/declare.hpp"
#include "cli/json/jails.hpp"
#include "cli/message.hpp"
#include "cli/port_word.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "store/jails.hpp"
#include "store/ports.hpp"

namespace evojail {
namespace {

struct PortOptions {
  std::string name;
  std::optional<std::string> port;
  bool json = false;
};

/// A bare number: scripts read it, and what `auto` chose.
void print_port(const PortOptions& options, std::uint16_t port) {
  fmt::print("{}\n", options.json ? port_json(options.name, port) : std::to_string(port));
}

Result<void> show_port(const HostSettings& host, const PortOptions& options) {
  TRY(const JailSettings settings, load_jail(host, options.name));
  print_port(options, settings.port);
  return {};
}

Result<void> set_port(const Invocation& invocation, const PortOptions& options) {
  const HostSettings& host = invocation.host;
  TRY(const PortWord wish, parse_port_word(*options.port));
  TRY(const FileLock ports, lock_ports(host));
  TRY(const std::uint16_t port, take_port(host, options.name, wish));
  TRY(const SettingsChange change,
      change_settings(invocation, options.name, [port](const JailSettings&) {
        return Result<SettingsEdit>(SettingsEdit{"PORT", std::to_string(port)});
      }));
  print_port(options, port);
  if (!invocation.quiet) {
    print_note(fmt::format("jail '{}' is on port {}; {}", options.name, port, describe(change)));
  }
  return {};
}

}  // namespace

Action declare_port(Arguments& arguments) {
  auto options = std::make_shared<PortOptions>();
  arguments.word("NAME", options->name, "the jail");
  arguments.optional_word("PORT|auto", options->port,
                          "the new port; auto is the next after the highest in use; without it the "
                          "port is printed, a bare number");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("port web1", "The port, for a script.");
  arguments.example("port web1 2300", "Another one; sessions on the old one end.");
  return [options](const Invocation& invocation) {
    return report(options->port ? set_port(invocation, *options)
                                : show_port(invocation.host, *options));
  };
}

}  // namespace evojail
