#!/bin/bash
# The attacks whose control the machine's own kernel may lack (modules, socket families, other ABIs), on Debian's
# kernel in a virtual machine.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

in_own_world_with_vm "$@"

make_vm_root "$T/root"
cp -a "$tests_dir/attack" "$T/root/tests/"
cp "$EVOJAIL_BUILD/tests/atk" "$T/root/tests/atk"
run_in_vm_at_boot "$T/root" /tests/attack/vm_attacks_inside.sh
step 'booting Debian in a virtual machine'
VM_OPTIONS=secretmem.enable=1 boot_vm "$T/root" 800
cat "$T/vm.out"
grep -qx finished "$T/vm.out" || fail 'the attacks in the virtual machine did not come to their end'
