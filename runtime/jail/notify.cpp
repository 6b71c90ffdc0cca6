#include "jail/notify.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/parse.hpp"

namespace evojail {
namespace {

// The protocols are systemd's promised interface, and simple; its library in every supervisor costs
// more than both.

/// sd_listen_fds(3).
constexpr int first_passed = 3;

std::optional<int> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : parse_number<int>(text, 0, 1 << 22);
}

std::optional<int> socket_option(int socket, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (::getsockopt(socket, SOL_SOCKET, option, &value, &size) != 0) return std::nullopt;
  return value;
}

}  // namespace

bool systemd_is_running() {
  struct stat state{};
  return ::lstat("/run/systemd/system", &state) == 0 && S_ISDIR(state.st_mode);
}

void notify_manager(const std::string& variables) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(name);
  if (length < 2 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, name, length);
  // An abstract name (unix(7)).
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  [[maybe_unused]] const auto sent =
      ::sendto(socket.get(), variables.data(), variables.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

bool is_service() { return number_in_environment("SYSTEMD_EXEC_PID") == ::getpid(); }

void forget_foreign_manager() {
  if (is_service()) return;
  for (const char* name : {"NOTIFY_SOCKET", "INVOCATION_ID", "WATCHDOG_PID", "WATCHDOG_USEC"}) {
    ::unsetenv(name);
  }
}

Result<std::optional<Fd>> take_listener() {
  const auto process = number_in_environment("LISTEN_PID");
  const auto count = number_in_environment("LISTEN_FDS");
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  // They may be meant for the process that started this one.
  if (process != ::getpid() || !count || *count == 0) return std::nullopt;
  if (*count > 1) {
    return std::unexpected(
        Error("systemd passed more than one socket")
            .hint("the unit that passes it has one ListenStream= for each jail"));
  }
  Fd socket(first_passed);
  if (socket_option(socket.get(), SO_TYPE) != SOCK_STREAM ||
      socket_option(socket.get(), SO_ACCEPTCONN) != 1) {
    return fail("what systemd passed is no listening stream socket");
  }
  // The supervisor accepts until nobody is waiting.
  if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0 ||
      ::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail_errno("setting up", "the socket from systemd");
  }
  return socket;
}

}  // namespace evojail
