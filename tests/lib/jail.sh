# shellcheck shell=bash
# evojail under test, with all its directories under $T, and where a jail's things lie.

EVOJAIL=${EVOJAIL_BUILD:+$EVOJAIL_BUILD/bin/evojail}

# settle VOLUME [LINE...]: writes the host settings, with the volume's directories on VOLUME. Further lines
# are appended.
settle() {
  VOLUME=$1
  shift
  CONF=$T/conf JAILS=$VOLUME/jails INCS=$VOLUME/incs
  {
    printf 'CONFDIR=%s\nJAILDIR=%s\nINCDIR=%s\n' "$CONF" "$JAILS" "$INCS"
    printf 'ARCHIVESDIR=%s\nDATADIR=%s\nRUNDIR=%s\nLOGDIR=%s\n' \
      "$VOLUME/archives" "$T/lib" "$T/run" "$T/log"
    (($# == 0)) || printf '%s\n' "$@"
  } >"$T/settings"
}

ev() { "$EVOJAIL" --config "$T/settings" "$@"; }

# new_jail NAME: makes and starts a jail that takes the test's key; the client knows it as NAME.
new_jail() {
  must ev init "$1"
  must ev key "$1" "$T/client/id.pub"
  must ev start "$1"
  introduce "$1" 127.0.0.1
}

# no_watch: nobody watches over the firewall's rules from here on, so that a test can take them away. Before the
# first jail starts.
no_watch() {
  mkdir -p -m 700 "$T/run/.lock"
  exec {watch}>"$T/run/.lock/.firewall-watch"
  flock -n "$watch" || fail 'somebody watches over the rules already'
}

# forget_jail NAME: removes it; the client forgets its host keys.
forget_jail() {
  must ev remove "$1" --force
  : >"$T/client/known_hosts"
  : >"$T/client/ssh_config"
}

port_of() { ev port "$1"; }
supervisor_of() { pid_listening "$(port_of "$1")"; }
policy() { printf '%s\n' "${@:2}" >"$CONF/$1.d/incs_policy"; }
incs_of() { find "$INCS/$1" -mindepth 1 -maxdepth 1 -name '[0-9]*' -printf '%f\n' 2>/dev/null | sort; }
# inc_name TIME: the name of an inc that is taken then.
inc_name() { date -d "$1" +%Y-%m-%d-%H; }
# hour_ago TIME: an inc's name, the same from the beginning of a test to its end.
hour_ago() { inc_name "$1 ago $test_began"; }
test_began=$(date '+%F %T')
