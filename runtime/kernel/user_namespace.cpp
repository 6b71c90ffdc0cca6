#include "kernel/user_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "kernel/clone.hpp"
#include "kernel/id_map.hpp"

namespace evojail {
namespace {

Result<void> write_file(const std::string& path, std::string_view text) {
  TRY(const Fd fd, open_path(path, O_WRONLY));
  return write_all(fd.get(), path, text);
}

/// Runs inside the new namespace. A sysctl of a user namespace is the writer's own (ucounts), so
/// the limit is set from here, through the host's /proc, and the jail never needs one with
/// /proc/sys in it.
int forbid_nesting(int channel) {
  char go = 0;
  if (::read(channel, &go, 1) != 1) return 0;
  const int limit = ::open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
  if (limit < 0 || ::write(limit, "0", 1) != 1) return errno;
  ::close(limit);
  if (::write(channel, &go, 1) != 1) return errno;
  // Lives until the parent has the namespace's descriptor and closes its end.
  return ::read(channel, &go, 1) < 0 ? errno : 0;
}

}  // namespace

Result<Fd> make_user_namespace(std::uint32_t base) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_errno("making", "a socket pair");
  }
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  TRY(ChildProcess child, clone_process(CLONE_NEWUSER, [&] {
        ours.reset();
        return forbid_nesting(theirs.get());
      }));
  theirs.reset();
  const std::string proc = fmt::format("/proc/{}/", child.pid());
  const std::string map = uid_map_of(base);
  CHECK(write_file(proc + "uid_map", map));
  CHECK(write_file(proc + "gid_map", map));
  char go = 1;
  if (::write(ours.get(), &go, 1) != 1 || ::read(ours.get(), &go, 1) != 1) {
    TRY(const auto status, child.wait());
    return fail_errno("writing", "/proc/sys/user/max_user_namespaces", status.value);
  }
  TRY(Fd fd, open_path(proc + "ns/user", O_RDONLY));
  ours.reset();
  TRY(const auto status, child.wait());
  if (!status.exited || status.value != 0) return fail("making a user namespace: its maker died");
  return fd;
}

Result<void> enter_user_namespace(int user_namespace) {
  if (::setns(user_namespace, CLONE_NEWUSER) != 0) return fail_errno("entering", "user namespace");
  if (::setgroups(0, nullptr) != 0) return fail_errno("dropping", "supplementary groups");
  if (::setresgid(0, 0, 0) != 0) return fail_errno("becoming", "gid 0");
  if (::setresuid(0, 0, 0) != 0) return fail_errno("becoming", "uid 0");
  return {};
}

}  // namespace evojail
