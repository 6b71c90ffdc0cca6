#!/bin/bash
# Runs in the virtual machine of isolation.sh, as a service.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# With arguments: one of the attacks below, as a process group of its own.
T=${2:-$(mktemp -d)}
export HOME=/root CONF=/etc/evobackup
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ev() { evojail "$@"; }
cgroup_of() { printf '/sys/fs/cgroup%s' "$(systemctl show --value -p ControlGroup "evojail@$1.service")"; }

# Each goes on until its group is killed; what it started in the jail ends with the jail.
# shellcheck disable=SC2016
fork_bomb() { while :; do in_jail bad1 'b() { b | b & }; b; while :; do :; done' || true; done; }
fork_bomb_works() { (($(cat "$(cgroup_of bad1)/jail/pids.current") > 100)); }
memory_hog() { while :; do in_jail bad1 'while :; do head -c 2G /dev/zero | tail >/dev/null; done' || true; done; }
memory_hog_works() { (($(sed -n 's/^oom_kill //p' "$(cgroup_of bad1)/jail/memory.events") > 0)); }
connection_flood() {
  local port
  port=$(port_of bad1)
  for _ in {1..30}; do
    while :; do { : <>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || true; done &
  done
  wait
}
connection_flood_works() { [[ $(journalctl -q -u evojail@bad1 -o cat) == *'session from '*' began'* ]]; }
if (($# > 0)); then
  "$1"
  exit
fi

mkfifo "$T/never"
trap '(($? == 0)) || journalctl --no-pager -n 60 -u "evojail*"' EXIT
mount -o nosuid,nodev,noexec /dev/nvme0n2 /backup
make_client
for name in good1 bad1; do
  must ev init "$name"
  must ev key "$name" "$T/client/id.pub"
  [[ $name != bad1 ]] || echo 'MEMORY_MAX=256M' >>"$CONF/$name.d/jail.conf"
  must ev start "$name"
  introduce "$name" 127.0.0.1
done
# A push over a line that does not take a whole processor for its ciphers, as the emulated ones would.
mkdir "$T/tree"
for ((i = 0; i < 30; i++)); do head -c 100K /dev/urandom >"$T/tree/$i"; done
push_once() {
  local start
  in_jail good1 'rm -rf /data/tree'
  start=$(now_us)
  push -a --bwlimit=200K "$T/tree/" good1:/data/tree/ >&2
  echo $(($(now_us) - start))
}

begin() {
  setsid "$BASH" "$0" "$1" "$T" >/dev/null 2>&1 </dev/null &
  ATTACK=$!
  until_true 300 "the $1 does something" "$1_works"
}
end() {
  kill -9 -- "-$ATTACK" 2>/dev/null || true
  wait "$ATTACK" 2>/dev/null || true
  must ev restart bad1
}

push_once >/dev/null
for attack in fork_bomb memory_hog connection_flood; do
  quiet=() loud=()
  for ((round = 0; round < ROUNDS; round++)); do
    quiet[round]=$(push_once)
    begin "$attack"
    loud[round]=$(push_once)
    end
  done
  compare "neighbour's push under a ${attack//_/ }" 'in quiet' s 1000000 '<= 1.3' "${loud[@]}" -- "${quiet[@]}"
done
echo finished
