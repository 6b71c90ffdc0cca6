#!/bin/bash
# A jail's limits on a Debian with a kernel, an init and cgroup controllers of its own, in a virtual machine. The
# checks themselves are in vm_limits_inside.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

in_own_world_with_vm "$@"

make_vm_root "$T/root"
run_in_vm_at_boot "$T/root" /tests/system/vm_limits_inside.sh
step 'booting Debian in a virtual machine'
boot_vm "$T/root" 540
cat "$T/vm.out"
grep -q '^all limits hold' "$T/vm.out" || fail "the checks in the virtual machine did not pass"
