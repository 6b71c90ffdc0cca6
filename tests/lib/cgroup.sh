# shellcheck shell=bash
# A version 2 cgroup of one's own for systemd-nspawn, which wants that hierarchy and finds its place in it by that
# of PID 1. The machine's own cgroups are not touched; remove_cgroups takes this one away.

# with_own_cgroup COMMAND...: runs it in mount, cgroup and PID namespaces in which a new cgroup is all there is. The
# network namespace stays the script's.
with_own_cgroup() {
  unshare --mount -- "$BASH" -euo pipefail -c '
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p "/sys/fs/cgroup/$1"
    echo $$ >"/sys/fs/cgroup/$1/cgroup.procs"
    shift
    exec unshare --mount --cgroup --pid --fork --kill-child=KILL --mount-proc -- "$BASH" -euo pipefail -c "
      umount /sys/fs/cgroup
      mount -t cgroup2 cgroup2 /sys/fs/cgroup
      exec \"\$@\"
    " _ "$@"
  ' _ "${T##*/}" "$@"
}

# remove_cgroups: for the script's end, when no process is left in them.
remove_cgroups() {
  unshare --mount -- "$BASH" -c 'mount -t cgroup2 cgroup2 /mnt && cd /mnt && [[ ! -d $1 ]] ||
    find "$1" -depth -type d -exec rmdir {} +' _ "${T##*/}"
}
