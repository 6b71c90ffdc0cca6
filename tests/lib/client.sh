# shellcheck shell=bash
# The client's side: one key, one known_hosts, and an entry a jail in a file for `ssh -F`.

# make_client: the key. Every option that a client's own machine could set is set here.
make_client() {
  mkdir -p "$T/client"
  ssh-keygen -q -t ed25519 -N '' -C client@test -f "$T/client/id"
  : >"$T/client/known_hosts"
  : >"$T/client/ssh_config"
}

# introduce NAME ADDRESS [ALIAS]: `in_jail ALIAS` (NAME unless given) reaches the jail NAME at ADDRESS. The
# host keys are taken from the jail's settings: a host that shows another is an error.
introduce() {
  local name=$1 address=$2 alias=${3:-$1} port key
  port=$(port_of "$name")
  for key in "$CONF/$name.d"/ssh_host_*_key.pub; do
    printf '[%s]:%s %s\n' "$address" "$port" "$(cut -d' ' -f1,2 "$key")"
  done >>"$T/client/known_hosts"
  cat >>"$T/client/ssh_config" <<CONFIG
Host $alias
  HostName $address
  Port $port
  User root
  IdentityFile $T/client/id
  IdentitiesOnly yes
  UserKnownHostsFile $T/client/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
  ConnectTimeout 10
  LogLevel ERROR
CONFIG
}

in_jail() { ssh -F "$T/client/ssh_config" "$@"; }
push() { rsync -e "ssh -F $T/client/ssh_config" "$@"; }
ftp() { sftp -q -F "$T/client/ssh_config" -b - "$@"; }
copy() { scp -q -F "$T/client/ssh_config" "$@"; }

# open_session ALIAS [MACHINE [SSH_OPTION...]]: a session that stays open until its input closes, started in the
# background; ${SESSIONS[ALIAS]} is its process and $T/client/said.ALIAS what the jail answered.
declare -A SESSIONS=()
open_session() {
  local alias=$1 machine=${2:-}
  local options=("${@:3}")
  mkfifo "$T/client/input.$alias"
  # Emptied here: what the session before said must not be taken for this one's.
  : >"$T/client/said.$alias"
  ${machine:+ip netns exec "$machine"} ssh -F "$T/client/ssh_config" "${options[@]}" "$alias" 'echo ready; cat' \
    <"$T/client/input.$alias" >"$T/client/said.$alias" 2>/dev/null &
  SESSIONS[$alias]=$!
  exec {fd}>"$T/client/input.$alias"
  SESSION_INPUTS[$alias]=$fd
  until_true 30 "a session of $alias" grep -qx ready "$T/client/said.$alias"
}
declare -A SESSION_INPUTS=()

# session_echoes ALIAS WORD: whether the session still carries bytes both ways.
session_echoes() {
  { printf '%s\n' "$2" >&"${SESSION_INPUTS[$1]}"; } 2>/dev/null || return 1
  until_true 30 "$1 echoes $2" grep -qx "$2" "$T/client/said.$1"
}

session_ended() { ! kill -0 "${SESSIONS[$1]}" 2>/dev/null; }
close_session() {
  local fd=${SESSION_INPUTS[$1]}
  exec {fd}>&-
  wait "${SESSIONS[$1]}" 2>/dev/null || true
  rm -f "$T/client/input.$1"
  unset "SESSIONS[$1]" "SESSION_INPUTS[$1]"
}
