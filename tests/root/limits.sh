#!/bin/bash
# What bounds a jail without cgroups, and who gets its sessions. Each limit is shown to be what stops it.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume ext4 400 "$T/volume"
settle "$T/volume"
set_in() { sed -i "/^$2=/d" "$CONF/$1.d/jail.conf" && echo "$2=$3" >>"$CONF/$1.d/jail.conf"; }
for name in web1 wide1; do new_jail "$name"; done
set_in web1 MAX_PROCESSES 50
set_in web1 MEMORY_MAX 200M
set_in wide1 MAX_PROCESSES 1000
set_in wide1 MEMORY_MAX 0
for name in web1 wide1; do must ev restart "$name"; done
init_of() { pgrep -P "$(supervisor_of "$1")"; }

step 'processes of one uid'
# shellcheck disable=SC2016
bomb='i=0; while [ $i -lt 120 ]; do sleep 86400 & i=$((i + 1)); echo $i; done >/tmp/made 2>&1'
for name in web1 wide1; do run in_jail "$name" "$bomb"; done
# From outside: in there nothing can be started any more.
made() { awk '/^[0-9]+$/ { made++ } /Cannot fork/ { refused++ } END { print made + 0, refused + 0 }' "/proc/$(init_of "$1")/root/tmp/made"; }
equal "$(made wide1)" '120 0' 'processes in a jail that may have them'
read -r count refused < <(made web1)
((count <= 50 && count > 20 && refused == 1)) || fail "$count processes in a jail that may have 50, $refused refused"
for name in web1 wide1; do must ev restart "$name"; done

step 'processes over all uids of the jail together'
# Root of a jail can be any of 65,536 uids; this comes in by the side to be some of them.
spread() {
  local uid init
  init=$(init_of "$1")
  for uid in 1 2 3 4 5 6; do
    # shellcheck disable=SC2016
    nsenter --target "$init" --user --pid --setuid "$uid" --setgid "$uid" -- /bin/dash -c \
      'i=0; while [ $i -lt 30 ]; do sleep 86400 >/dev/null & echo x; i=$((i + 1)); done' </dev/null || true
  done 2>/dev/null | wc -l
}
equal "$(spread wide1)" 180 'processes in a jail that may have them'
count=$(spread web1)
((count <= 50 && count > 20)) || fail "$count processes in a jail that may have 50"
for name in web1 wide1; do must ev restart "$name"; done

step 'another number of processes waits for a restart, and is said to'
set_in web1 MAX_PROCESSES 60
must ev reload web1
must ev status web1
must_print 'waiting for a restart: MAX_PROCESSES'
must ev restart web1
must ev status web1
must_not_print 'waiting for a restart'

step 'memory of a process'
hog='head -c 300M /dev/zero | tail | wc -c'
must in_jail wide1 "$hog"
equal "$OUT" $((300 << 20)) 'bytes in memory where that is allowed'
run in_jail web1 "$hog"
[[ $OUT == 0 ]] || fail "a process had more than MEMORY_MAX: $OUT"
must_say 'memory exhausted|Killed'
must ev status web1
must_print 'no cgroup was delegated.*MEMORY_MAX holds for each'
must ev status wide1
must_not_print 'MEMORY_MAX'

step 'who does not log in is gone, whatever its sshd does'
set_in web1 LOGIN_GRACE_TIME 5
must ev restart web1
open_session web1
logged_in=$(pgrep -P "$(init_of web1)")
exec {stranger}<>"/dev/tcp/127.0.0.1/$(port_of web1)"
two_sessions() { [[ $(pgrep -cP "$(init_of web1)") == 2 ]]; }
until_true 20 'the stranger has a session' two_sessions
# An sshd that somebody has taken over, or that hangs, ends nothing by itself.
for pid in $(pgrep -P "$(init_of web1)"); do kill -STOP "$pid"; done
only_the_client() { [[ $(pgrep -P "$(init_of web1)") == "$logged_in" ]]; }
until_true 60 'the session in which nobody logged in is gone' only_the_client
grep -q 'nobody has logged in for 15 s' "$T/log/web1.log" || fail 'the log does not say so'
kill -CONT "$logged_in"
session_echoes web1 'the client goes on' || fail 'the session of the client is gone as well'
exec {stranger}<&-
close_session web1

step 'what the shell of whoever starts a jail may open does not decide about its sessions'
set_in wide1 MAX_SESSIONS 100
must ev stop wide1
(
  ulimit -Sn 40
  must ev start wide1
)
callers=()
for _ in {1..20}; do
  exec {caller}<>"/dev/tcp/127.0.0.1/$(port_of wide1)"
  callers+=("$caller")
done
all_in() { [[ $(pgrep -cP "$(init_of wide1)") == 20 ]]; }
until_true 20 'every caller has a session' all_in
for caller in "${callers[@]}"; do exec {caller}<&-; done

step 'one stranger cannot take all sessions'
make_machine stranger 1
make_machine friend 2
introduce web1 10.99.2.1 from_friend
port=$(port_of web1)
# A connection that says nothing.
knock() { on stranger socat -u "TCP:10.99.1.1:$port,bind=$1" - </dev/null >>"$T/banners" 2>/dev/null & }
sessions_from() { ev status web1 --json | grep -c "\"$1\"" || true; }
for _ in {1..20}; do knock 10.99.1.2; done
until_true 30 'connections are turned away' \
  grep -q 'turning 10\.99\.1\.2 .* away: 5 sessions of that source have not logged in' "$T/log/web1.log"
until_true 30 'the stranger has its share' test "$(sessions_from 10.99.1.2)" -ge 5
must on friend ssh -F "$T/client/ssh_config" from_friend 'echo in'
equal "$OUT" in

step 'nor can four, who fill them all'
for host in 3 4 5; do
  ip -n stranger addr add "10.99.1.$host/24" dev eth0
  for _ in {1..5}; do knock "10.99.1.$host"; done
done
all_taken() { [[ $(ev status web1 --json | grep -o '10\.99\.1\.[2-5]' | wc -l) -ge 20 ]]; }
until_true 30 'the strangers hold all sessions' all_taken
for _ in 1 2 3; do
  must on friend ssh -F "$T/client/ssh_config" from_friend 'echo in'
  equal "$OUT" in
done
grep -q 'ending session .* which has not logged in' "$T/log/web1.log" || fail 'nobody made room for it'
