# shellcheck shell=bash
# A virtual machine with a kernel of its own, for what this machine's kernel or cgroups do not have. It is emulated
# (KVM is not everywhere): some ten times slower, so no time measured in it means anything but beside another.

# in_own_world_with_vm ARGUMENTS: in_own_world, with what make_vm_root wants; both come over the network.
in_own_world_with_vm() {
  if [[ ${EVOJAIL_WORLD:-} != "$0" ]]; then
    IMAGE=$("${tests_dir:?}/system/image")
    KERNEL=$("${tests_dir:?}/system/kernel")
    export IMAGE KERNEL
  fi
  in_own_world "$@"
}

# make_vm_root DIRECTORY: a Debian with evojail installed, Debian's kernel modules, and the tests at /tests.
# IMAGE is tests/system/image's tarball, KERNEL tests/system/kernel's directory.
make_vm_root() {
  local root=$1 unit package
  [[ $(uname -m) == x86_64 ]] || skip_kernel_lacks "x86_64, which the virtual machine's system would be copied from"
  mkdir -p "$root"
  tar -C "$root" --numeric-owner --xattrs -xf "$IMAGE"
  DESTDIR=$root cmake --install "$EVOJAIL_BUILD" >"$T/install.log" || fail "installing: $(cat "$T/install.log")"
  mkdir -p "$root/usr/lib/modules" "$root/backup" "$root/tests"
  # In packages of Debian 13 they lie below /usr.
  local modules=$KERNEL/lib/modules
  [[ -d $modules ]] || modules=$KERNEL/usr/lib/modules
  cp -a "$modules"/. "$root/usr/lib/modules/"
  for package in "$KERNEL"/tools/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -C "$root" --keep-directory-symlink -x
  done
  chroot "$root" /sbin/depmod "$(ls "$root/usr/lib/modules")"
  cp -a "${tests_dir:?}"/{lib,lib.sh,system,bench} "$root/tests/"
  for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-timesyncd.service ssh.service ssh.socket getty@tty1.service serial-getty@ttyS0.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
}

# run_in_vm_at_boot ROOT PROGRAM [VARIABLE=VALUE...]: a unit that runs it when the system is up, and then turns the
# machine off. What it writes comes out of boot_vm.
run_in_vm_at_boot() {
  local root=$1 program=$2 wants
  shift 2
  {
    printf '[Unit]\nAfter=multi-user.target\nSuccessAction=poweroff-force\nFailureAction=poweroff-force\n'
    printf '[Service]\nType=oneshot\nExecStart=%s\nTimeoutStartSec=infinity\n' "$program"
    printf 'StandardOutput=file:/dev/ttyS1\nStandardError=inherit\n'
    (($# == 0)) || printf 'Environment="%s"\n' "$@"
  } >"$root/etc/systemd/system/evojail-test.service"
  wants=$root/etc/systemd/system/default.target.wants
  mkdir -p "$wants"
  ln -sf ../evojail-test.service "$wants/"
}

# boot_vm ROOT SECONDS: boots it and waits until it is off, with two processors and an empty ext4 volume on /dev/nvme0n2,
# which the program has to mount: there is no udev that would tell systemd of it.
# VM_OPTIONS are more for the kernel's command line.
# $T/vm.console is what the kernel and systemd said, $T/vm.out what the program of run_in_vm_at_boot wrote.
boot_vm() {
  local root=$1 seconds=$2 code=0 kernel
  kernel=$(compgen -G "$KERNEL/boot/vmlinuz-*" | head -n 1)
  mke2fs -q -F -t ext4 -O ^has_journal -d "$root" "$T/vm.root" 3G >"$T/mkfs"
  mke2fs -q -F -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 "$T/vm.volume" "${VM_VOLUME:-1G}" >"$T/mkfs"
  timeout --kill-after=5 "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m "${VM_MEMORY:-1G}" \
    -nodefaults -no-user-config -no-reboot -display none -kernel "$kernel" \
    -append "root=/dev/nvme0n1 rw console=ttyS0 quiet systemd.show_status=no mitigations=off nokaslr random.trust_cpu=on ${VM_OPTIONS:-}" \
    -device nvme,id=nvme,serial=vm \
    -drive "if=none,id=root,format=raw,cache=unsafe,file=$T/vm.root" -device nvme-ns,bus=nvme,nsid=1,drive=root \
    -drive "if=none,id=volume,format=raw,cache=unsafe,file=$T/vm.volume" -device nvme-ns,bus=nvme,nsid=2,drive=volume \
    -serial "file:$T/vm.console" -serial "file:$T/vm.out" >"$T/vm.qemu" 2>&1 </dev/null || code=$?
  rm -f "$T/vm.root" "$T/vm.volume"
  # A serial line ends its lines with both characters.
  [[ ! -f $T/vm.out ]] || sed -i 's/\r$//' "$T/vm.out"
  ((code == 0)) || fail "the virtual machine: $code, $(tail -n 20 "$T/vm.qemu" "$T/vm.console" "$T/vm.out" 2>&1)"
}

# arrange_vm: what a program of run_in_vm_at_boot begins with: $T, the volume, a client, and evojail as installed, with
# its default directories.
arrange_vm() {
  T=$(mktemp -d)
  export HOME=/root CONF=/etc/evobackup
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  mkfifo "$T/never"
  trap '(($? == 0)) || journalctl --no-pager -n 60 -u "evojail*"' EXIT
  # shellcheck disable=SC2317
  ev() { evojail "$@"; }
  mount -o nosuid,nodev,noexec /dev/nvme0n2 /backup
  make_client
}
