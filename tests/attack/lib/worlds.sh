# shellcheck shell=bash
# Where the attacker is let loose. What it came to there goes to $T/outcomes, a line "WORLD ROW OUTCOME" each.
#
#   jail      a jail with the default profile
#   nofilter  the same without the filter
#   open      the same without the filter and with every capability, as root of its user namespace
#   nowall    as nofilter, and the table of the firewall is gone
#   chroot    root of the host in the base image and no namespace: what bkctld gave
#   loose     root of a user namespace to which its other namespaces belong, as in a container without root
#   host      root of the host

# wanted WORLD PLACE: the probes that the rows want tried there.
wanted() {
  awk -v world="$1" '!/^#/ && $0 ~ "[ ]" world "=" { print $1 }' "$ROWS" |
    grep -Fxf <("$ATK" list | sed -n "s/^$2 //p") || true
}

# note_outcome WORLD ROW OUTCOME
note_outcome() { printf '%s %s %s\n' "$@" >>"$T/outcomes"; }

# attack_as WORLD COMMAND...: COMMAND leads into the world.
attack_as() {
  local world=$1 probes
  shift
  probes=$(wanted "$world" session)
  [[ -n $probes ]] || fail "no row wants to be tried in the world '$world'"
  # shellcheck disable=SC2086 # a word each
  run "$@" "$ATK" run $probes
  ((CODE == 0)) || fail "the attack in the world '$world' ended with $CODE: $ERR"
  awk -v world="$world" '{ print world, $0 }' <<<"$OUT" >>"$T/outcomes"
}

# What stands for the base image and the client's data where there is no jail.
make_host_side() {
  BASE=$T/host/base DATA=$T/host/data
  mkdir -p "$DATA"
  cp -a "$(image_of)" "$BASE"
  mkdir -p "$BASE/root/.ssh"
  mkdir "$VOLUME/host"
  touch "$BASE/root/.ssh/authorized_keys" "$BASE/etc/ssh/sshd_config" "$BASE/dev/null" "$BASE/dev/zero"
}

attack_the_host() {
  attack_as host setsid -w "$ATK" with-key \
    env ATK_DATA="$DATA" ATK_BASE="$BASE" ATK_TMP="$DATA" ATK_VOLUME="$VOLUME/host" ATK_VICTIM="$VICTIM"
}

attack_from_container() {
  attack_as loose unshare --user --map-root-user --mount --net --pid --ipc --uts --cgroup --fork --mount-proc \
    setsid -w env ATK_DATA="$DATA" ATK_BASE="$BASE"
}

attack_from_chroot() { attack_as chroot chroot "$BASE"; }
