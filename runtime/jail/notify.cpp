#include "jail/notify.hpp"

#include <fcntl.h>
#include <systemd/sd-daemon.h>

namespace evojail {

void notify_manager(const std::string& variables) { ::sd_notify(0, variables.c_str()); }

Result<std::optional<Fd>> take_listener() {
  const int count = ::sd_listen_fds(1);
  if (count < 0) return fail_errno("taking", "the sockets from systemd", -count);
  if (count == 0) return std::nullopt;
  if (count > 1) {
    return std::unexpected(Error("systemd passed more than one socket")
                               .hint("the unit that passes it has one ListenStream= for each jail"));
  }
  Fd socket(SD_LISTEN_FDS_START);
  if (::sd_is_socket(socket.get(), AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
    return fail("what systemd passed is no listening stream socket");
  }
  // The supervisor accepts until nobody is waiting.
  if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail_errno("setting up", "the socket from systemd");
  }
  return socket;
}

}  // namespace evojail
