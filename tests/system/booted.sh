#!/bin/bash
# The installed program and its units on a Debian that is booted with systemd-nspawn: start, stop, is-on, status
# and reload through systemd, the timers' services, the target, a supervisor that dies. The checks
# themselves are in inside.sh, which runs there as a service.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

if [[ ${EVOJAIL_WORLD:-} != "$0" ]]; then
  IMAGE=$("$tests_dir/system/image")
  export IMAGE
fi
in_own_world "$@"

root=$T/root
mkdir "$root" "$T/results"
tar -C "$root" --numeric-owner --xattrs -xf "$IMAGE"
make_volume btrfs 600 "$T/volume"
DESTDIR=$root cmake --install "$EVOJAIL_BUILD" >"$T/install.log"
[[ -x $root/usr/local/sbin/evojail ]] || fail "the installation brings no program: $(cat "$T/install.log")"

cat >"$root/etc/systemd/system/evojail-test.service" <<'UNIT'
[Unit]
After=multi-user.target
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/tests/system/inside.sh
StandardOutput=file:/results/log
StandardError=inherit
TimeoutStartSec=170
UNIT
mkdir -p "$root/etc/systemd/system/default.target.wants"
ln -s ../evojail-test.service "$root/etc/systemd/system/default.target.wants/"
# Nothing in there needs the network, mail or a disk check.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer ssh.service ssh.socket; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# The program needs the whole API of the kernel, as on a machine of its own: no filter of nspawn's and all
# capabilities.
step 'booting Debian with systemd'
export SYSTEMD_SECCOMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1
with_own_cgroup timeout --kill-after=5 240 systemd-nspawn --quiet --boot --register=no --keep-unit \
  --private-network --capability=all --link-journal=no --resolv-conf=off --timezone=off --console=pipe \
  --directory="$root" --bind="$T/volume:/backup" --bind="$T/results:/results" --bind-ro="$tests_dir:/tests" \
  >"$T/console" 2>&1 </dev/null || true
cat "$T/results/log" 2>/dev/null || fail "the system did not come up: $(tail -n 20 "$T/console")"
[[ -e $T/results/passed ]] || {
  tail -n 60 "$T/results/journal" 2>/dev/null || true
  fail 'the checks in the booted system did not pass'
}
