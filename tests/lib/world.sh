# shellcheck shell=bash
# A world of its own for each test script. The PID namespace makes cleaning up certain (whatever dies,
# all of it dies) and leftovers visible (every process in it is the test's or evojail's). The network
# namespace keeps the machine's firewall out of it, the mount namespace its mounts, and the private
# /run its services: evojail does not see the machine's systemd.

# in_own_world ARGUMENTS...: runs this script again inside; returns only there.
in_own_world() {
  if [[ ${EVOJAIL_WORLD:-} == "$0" ]]; then
    arrange_world
    return
  fi
  local code=0
  ((EUID == 0)) || { echo 'needs root' >&2; exit 1; }
  [[ -x ${EVOJAIL_BUILD:-}/bin/evojail ]] || {
    echo "no program at '${EVOJAIL_BUILD:-}/bin/evojail': EVOJAIL_BUILD has to name the build tree" >&2
    exit 1
  }
  T=$(mktemp -d "${TMPDIR:-/var/tmp}/evojail-test.XXXXXX")
  trap ':' INT TERM  # the script inside gets the terminal's signal too and ends; then comes the rest
  EVOJAIL_WORLD=$0 T=$T unshare --mount --net --pid --ipc --uts --fork --kill-child=KILL --mount-proc \
    -- "$BASH" "$0" "$@" || code=$?
  remove_cgroups
  wait_for_loops || { echo "FAILED: a loop device of '$T' is still there" >&2; code=1; }
  rm -rf --one-file-system "$T"
  exit "$code"
}

# The kernel releases a loop device a moment after its last mount has gone.
wait_for_loops() {
  local deadline=$((SECONDS + 30))
  mkfifo "$T/never.outside"
  while grep -qsF "$T/" /sys/block/loop*/loop/backing_file; do
    ((SECONDS < deadline)) || return 1
    read -rt 0.05 _ <>"$T/never.outside" || true
  done
}

arrange_world() {
  trap 'exit 130' INT TERM
  trap 'end_world $?' EXIT
  mount -t tmpfs -o mode=755 run /run
  mkdir -p /run/sshd /run/netns
  hostname evojail-test
  mkfifo "$T/never"
  ip link set lo up
}

# What a failed test leaves to read: the supervisors' logs, and once more, last, what failed. All else goes with
# the namespaces.
end_world() {
  local log shown=0
  (($1 == 0 || $1 == 77)) && return
  for log in "$T"/log/*.log; do
    [[ -s $log ]] || continue
    ((++shown <= 3)) || break
    printf -- '-- the last lines of %s\n' "${log#"$T"/}" >&2
    tail -n 15 "$log" >&2
  done
  [[ ! -s $T/failures ]] || sed '1!d; s/^/failed: /' "$T/failures" >&2
}

# processes: a line "PID COMMAND" for each process that neither is this script nor belongs to it. Kernel
# threads do not live here; a zombie that the script has not reaped yet has no command line.
processes() {
  local dir command
  for dir in /proc/[0-9]*; do
    [[ ${dir#/proc/} != "$$" ]] || continue
    command=$(tr '\0' ' ' 2>/dev/null <"$dir/cmdline") || continue
    [[ -n $command && $command != "$BASH $0"* ]] || continue
    printf '%s %s\n' "${dir#/proc/}" "$command"
  done
}

# processes_like PATTERN: those whose command line matches. The list is made before grep lives, whose own
# command line matches too.
processes_like() {
  local all
  all=$(processes)
  grep -E -- "$1" <<<"$all"
}

mounts() { cut -d' ' -f4,5 /proc/self/mountinfo | sort; }
