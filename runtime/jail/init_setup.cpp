#include "jail/init_setup.hpp"

#include <sched.h>
#include <unistd.h>

#include "jail/root_tree.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/hardening.hpp"
#include "kernel/mounts.hpp"
#include "kernel/seccomp.hpp"
#include "kernel/user_namespace.hpp"

namespace evojail {
namespace {

Result<void> set_host_name(const std::string& name) {
  if (::sethostname(name.data(), name.size()) == 0) return {};
  return fail_errno("setting host name", name);
}

}  // namespace

Result<void> enter_namespaces() {
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) == 0) {
    return {};
  }
  return fail_errno("entering", "new namespaces");
}

Result<InitHandles> isolate(const LaunchPlan& plan, Fd user_namespace) {
  InitHandles handles;
  // Host root still, in namespaces that belong to the host's user namespace.
  CHECK(join_new_session_keyring());
  CHECK(make_mounts_private());
  TRY(handles.proc,
      new_mount("proc", {.readonly = true, .nosuid = true, .nodev = true, .noexec = true}, {}));
  TRY(handles.report, enter_root_tree(plan, user_namespace.get()));
  CHECK(set_host_name(plan.name));
  // From here on root of the jail: no capability over any of the namespaces made before.
  CHECK(enter_user_namespace(user_namespace.get()));
  user_namespace.reset();
  CHECK(limit_capabilities(plan.capabilities));
  CHECK(set_no_new_privs());
  TRY(handles.mknod_listener, install_filter_with_listener(plan.mknod_filter));
  // Last, since each change of credentials takes them back (prctl(2)).
  CHECK(forbid_tracing());
  CHECK(die_with_parent());
  return handles;
}

}  // namespace evojail
