#include "kernel/user_namespace.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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

/// Makes the namespace as `owner`: the kernel charges what runs in a user namespace to the uid that
/// made it, and holds that sum to the RLIMIT_NPROC which the maker had; but not where the maker is
/// the host's root. Capabilities stay, for hosts on which only they allow a user namespace.
int unshare_as(std::uint32_t owner, std::uint64_t processes) {
  const rlimit limit{processes, processes};
  if (::setrlimit(RLIMIT_NPROC, &limit) != 0) return errno;
  if (::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0) return errno;
  if (::setgroups(0, nullptr) != 0 || ::setresgid(owner, owner, owner) != 0) return errno;
  if (::setresuid(owner, owner, owner) != 0) return errno;
  return ::unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

/// A sysctl of a user namespace is the writer's own (ucounts), so the limit is set from inside,
/// through the host's /proc, and the jail never needs one with /proc/sys in it.
int forbid_nesting() {
  const int limit = ::open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
  if (limit < 0 || ::write(limit, "0", 1) != 1) return errno;
  ::close(limit);
  return 0;
}

/// The maker's life: a step, its errno to the parent, and the parent's word to go on.
int make_in_steps(int channel, std::uint32_t owner, std::uint64_t processes) {
  int code = unshare_as(owner, processes);
  if (::write(channel, &code, sizeof code) != sizeof code || code != 0) return 1;
  char go = 0;
  if (::read(channel, &go, 1) != 1) return 1;
  code = forbid_nesting();
  if (::write(channel, &code, sizeof code) != sizeof code || code != 0) return 1;
  // Lives until the parent has the namespace's descriptor and closes its end.
  return ::read(channel, &go, 1) == 0 ? 0 : 1;
}

Result<void> await_step(int channel, std::string_view operation, std::string_view object) {
  int code = 0;
  if (::read(channel, &code, sizeof code) != sizeof code) code = ECHILD;
  if (code != 0) return fail_errno(operation, object, code);
  return {};
}

/// user_namespaces(7), ERRORS of unshare(2).
std::string_view cure_of(int code) {
  switch (code) {
    case EPERM:
      return "none can be made in a chroot, and a container may refuse them: run evojail on the "
             "host";
    case ENOSPC:
    case EUSERS:
      return "raise user.max_user_namespaces (sysctl)";
    case EINVAL:
      return "use a kernel with CONFIG_USER_NS";
    default:
      return "";
  }
}

}  // namespace

Result<Fd> make_user_namespace(std::uint32_t base, std::uint64_t processes) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_errno("making", "a socket pair");
  }
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  TRY(ChildProcess child, clone_process(0, [&] {
        ours.reset();
        return make_in_steps(theirs.get(), base, processes);
      }));
  theirs.reset();
  if (auto made = await_step(ours.get(), "making", "a user namespace"); !made) {
    const int code = made.error().code();
    return std::unexpected(std::move(made).error().hint(cure_of(code)));
  }
  const std::string proc = fmt::format("/proc/{}/", child.pid());
  const std::string map = uid_map_of(base);
  CHECK(write_file(proc + "uid_map", map));
  CHECK(write_file(proc + "gid_map", map));
  const char go = 1;
  if (::write(ours.get(), &go, 1) != 1) return fail_errno("going on with", "a user namespace");
  CHECK(await_step(ours.get(), "writing", "/proc/sys/user/max_user_namespaces"));
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
