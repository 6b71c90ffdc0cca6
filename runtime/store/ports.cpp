#include "store/ports.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

constexpr std::uint16_t first_port = 2222;
constexpr std::uint16_t last_port = 65535;

/// Whether something listens on the port, on any address of either family: binding fails then. With
/// SO_REUSEADDR, so that connections of the past in TIME_WAIT do not count.
Result<bool> listened_on(std::uint16_t port) {
  Fd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any6{.sin6_family = AF_INET6,
                    .sin6_port = htons(port),
                    .sin6_flowinfo = 0,
                    .sin6_addr = in6addr_any,
                    .sin6_scope_id = 0};
  sockaddr_in any4{};
  any4.sin_family = AF_INET;
  any4.sin_port = htons(port);
  // A host without IPv6 is probed over IPv4 alone.
  const bool v6 = static_cast<bool>(probe);
  if (!v6) probe.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe) return fail_errno("probing port", std::to_string(port));
  const int on = 1;
  if (::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return fail_errno("probing port", std::to_string(port));
  }
  const auto* address =
      v6 ? reinterpret_cast<const sockaddr*>(&any6) : reinterpret_cast<const sockaddr*>(&any4);
  const socklen_t length = v6 ? sizeof any6 : sizeof any4;
  if (::bind(probe.get(), address, length) == 0) return false;
  if (errno == EADDRINUSE) return true;
  return fail_errno("probing port", std::to_string(port));
}

}  // namespace

Result<FileLock> lock_ports(const HostSettings& host) {
  CHECK(make_run_dirs(host));
  // No jail's lock is called so: theirs are NAME.store, NAME.run and NAME.settings.
  return FileLock::take(host.rundir + "/.lock/ports", FileLock::Wait::yes);
}

Result<std::map<std::uint16_t, std::string>> used_ports(const HostSettings& host) {
  TRY(const auto names, list_jails(host));
  std::map<std::uint16_t, std::string> ports;
  for (const auto& name : names) {
    TRY(const JailSettings settings, load_settings_file(host, name));
    ports.emplace(settings.port, name);
  }
  return ports;
}

Result<std::uint16_t> choose_port(const HostSettings& host) {
  TRY(const auto used, used_ports(host));
  const std::uint32_t start = used.empty() ? first_port : used.rbegin()->first + 1U;
  for (const std::uint32_t from : {start, std::uint32_t{first_port}}) {
    for (std::uint32_t port = from; port <= last_port; ++port) {
      const auto candidate = static_cast<std::uint16_t>(port);
      if (used.contains(candidate)) continue;
      TRY(const bool busy, listened_on(candidate));
      if (!busy) return candidate;
    }
  }
  return fail(fmt::format("no port from {} to {} is free", first_port, last_port));
}

Result<void> check_port_free(const HostSettings& host, const std::string& name,
                             std::uint16_t port) {
  if (port == 0) return fail("0 is no port: 1 to 65535");
  TRY(const auto used, used_ports(host));
  const auto holder = used.find(port);
  if (holder != used.end()) {
    if (holder->second == name) return {};
    return std::unexpected(Error(fmt::format("port {} belongs to jail '{}'", port, holder->second))
                               .hint("choose another, or 'auto'"));
  }
  TRY(const bool busy, listened_on(port));
  if (!busy) return {};
  return std::unexpected(
      Error(fmt::format("port {} is taken: something on this host listens there", port))
          .hint("ss -ltnp shows what; choose another port, or 'auto'"));
}

}  // namespace evojail
