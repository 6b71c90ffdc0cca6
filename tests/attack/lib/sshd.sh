# shellcheck shell=bash
# The attacker in sshd's stead: what a client has that takes over sshd before or after it has logged in, with the
# accepted connection in its hands. A line over the connection says what to try; the outcome comes as a file.

# replace_sshd: for all jails, from the next connection on.
replace_sshd() {
  local sshd
  sshd=$(image_of)/usr/sbin/sshd
  cp "$ATK" "$sshd.new"
  mv "$sshd.new" "$sshd"
}

# ask PORT DIRECTORY PROBE: one connection, one attempt; the outcome is in that file of DIRECTORY.
ask() {
  local fd
  rm -f "$2/$3"
  exec {fd}<>"/dev/tcp/127.0.0.1/$1"
  printf '%s %s\n' "$3" "$VICTIM" >&"$fd"
  until_true 60 "the outcome of $3" test -e "$2/$3"
  exec {fd}>&-
}

# attack_connections WORLD PORT DIRECTORY: tries what the rows want at PORT, each over a connection of its own;
# files of DIRECTORY say how it went. All at once, since silence takes its time.
attack_connections() {
  local world=$1 port=$2 directory=$3 probe fd connections=()
  for probe in $(wanted "$world" service); do
    rm -f "$directory/$probe"
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    connections+=("$fd")
    printf '%s %s\n' "$probe" "$VICTIM" >&"$fd"
  done
  for probe in $(wanted "$world" service); do
    until_true 60 "the outcome of $probe in the world '$world'" test -e "$directory/$probe"
    note_outcome "$world" "$probe" "$(cat "$directory/$probe")"
  done
  for fd in "${connections[@]}"; do exec {fd}>&-; done
}

# attack_connections_of_host: an sshd without a jail, with what evojail is careful not to leave to it.
attack_connections_of_host() {
  ln -s "$ATK" "$T/host/sshd"
  (
    cd "$T/host" || exit
    exec 200</etc/shadow
    exec env ATTACK_SECRET=here ATK_DATA="$DATA" socat "TCP-LISTEN:$HOST_SSHD,reuseaddr,fork" \
      EXEC:"$T/host/sshd",nofork 2>"$T/host/log"
  ) &
  until_true 30 'the sshd without a jail listens' something_listens "$HOST_SSHD"
  attack_connections host "$HOST_SSHD" "$DATA"
}
