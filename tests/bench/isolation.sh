#!/bin/bash
# A neighbour's push while one jail does what it can against it (a fork bomb, a memory hog, a flood of connections)
# against the same push in quiet, in turn, on a Debian with cgroup controllers in a virtual machine. The rows are
# printed in there, by isolation_inside.sh.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ ${EVOJAIL_WORLD:-} != "$0" ]]; then
  "$tests_dir/install-packages" vm
  IMAGE=$("$tests_dir/system/image")
  KERNEL=$("$tests_dir/system/kernel")
  export IMAGE KERNEL
fi
in_own_world "$@"

make_vm_root "$T/root"
run_in_vm_at_boot "$T/root" /tests/bench/isolation_inside.sh "ROUNDS=${ROUNDS:-5}"
boot_vm "$T/root" 3600
grep -v '^finished$' "$T/vm.out"
grep -qx finished "$T/vm.out" || fail 'the benchmark did not come to its end'
