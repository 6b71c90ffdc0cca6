#!/bin/bash
# Start, stop, restart, reload and their exit codes; the death of a supervisor; what a session leaves behind; the
# removal of a jail that runs.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
processes_before=$(processes)
mounts_before=$(mounts)

init_of() { ev status --json "$1" | sed -n 's/.*"init_pid": \([0-9]*\).*/\1/p'; }

step 'start, is-on, stop'
must ev init web1
must_exit 100 ev is-on web1
must ev key web1 "$T/client/id.pub"
starter_umask=$(umask)
umask 077 # what the unit has
must ev start web1
umask "$starter_umask"
must ev is-on web1
introduce web1 127.0.0.1
port=$(port_of web1)
greets 127.0.0.1 "$port" || fail 'start came back before the port answers'
greets ::1 "$port" || fail 'the port does not answer over IPv6'
must in_jail web1 'echo here'
ftp web1 <<<'mkdir /data/made' >"$T/sftp.out" || fail 'mkdir over SFTP'
must push --no-perms "$EVOJAIL" web1:/data/pushed
equal "$(stat -c %a "$JAILS/web1/data/made" "$JAILS/web1/data/pushed" | xargs)" '755 755' \
  'whoever started the jail decides about modes'
equal "$(readlink "/proc/$(init_of web1)/exe")" "$EVOJAIL_BUILD/libexec/evojail/evojail-init" 'the program of init'
equal "$(tr '\0' '\n' <"/proc/$(init_of web1)/environ")" '' 'init has an environment'
must ev stop web1
must_exit 100 ev is-on web1
equal "$(processes)" "$processes_before" 'processes are left'
equal "$(mounts)" "$mounts_before" 'mounts are left'

step 'in the foreground'
"$EVOJAIL" --config "$T/settings" run web1 >"$T/foreground" 2>&1 &
until_true 30 'evojail run answers' greets 127.0.0.1 "$port"
must ev is-on web1
equal "$(supervisor_of web1)" $! 'run is not its own supervisor'
must ev stop web1
wait $! || fail "evojail run ended with $? after a stop: $(cat "$T/foreground")"
must ev start web1

step 'a session is in the log: peer, start, end, bytes, and what it claims'
must push "$EVOJAIL" web1:/data/program
size=$(stat -c %s "$EVOJAIL")
logged() { grep -Eqs -- "$1" "$T/log/web1.log"; }
until_true 30 'the end of the session is logged' \
  logged "127\.0\.0\.1 port [0-9]+ ended after [0-9]+ s, [0-9]+ bytes received, [0-9]+ sent; .*'rsync --server .* /data/program': exit 0$"
ended=$(grep -E "ended after .*'rsync --server .* /data/program'" "$T/log/web1.log" | tail -n 1)
peer=$(grep -Eo '127\.0\.0\.1 port [0-9]+' <<<"$ended")
grep -q "session from $peer began" "$T/log/web1.log" || fail "no beginning of the session in the log: $ended"
received=$(sed -E 's/.* ([0-9]+) bytes received.*/\1/' <<<"$ended")
((received > size && received < size * 2)) || fail "$size bytes were pushed, the log says: $ended"
(($(sed -E 's/.* ([0-9]+) sent.*/\1/' <<<"$ended") > 1000)) || fail "nothing was answered, says the log: $ended"
must_exit 23 in_jail web1 'exit 23'
until_true 30 'the exit status is logged' logged "'exit 23': exit 23$"
must in_jail web1 "true 'a' # ': exit 7"
until_true 30 'a quote in a command ends nothing' logged "x27a.x27 # .x27: exit 7': exit 0$"

step 'restart ends the sessions and says how many'
open_session web1
before=$(supervisor_of web1)
must ev restart web1
grep -Eq '\b1 session' <<<"$OUT$ERR" || fail "not said how many sessions: $OUT$ERR"
until_true 20 'the session is gone' session_ended web1
close_session web1
[[ $(supervisor_of web1) != "$before" ]] || fail 'the same supervisor as before'
must in_jail web1 'echo here again'

step 'a reload in the middle of a push does not disturb it'
dd if=/dev/urandom of="$T/big" bs=1M count=48 status=none
before=$(supervisor_of web1)
push --bwlimit=16M "$T/big" web1:/data/big >"$T/push.out" 2>&1 &
running=$!
arrives() { compgen -G "$JAILS/web1/data/.big.*" >/dev/null; }
until_true 60 'the push has begun' arrives
open_session web1
# Held in the middle for the first reload, whatever time that takes; the others are in the stream of data.
mapfile -t pushing < <(processes_like "(rsync|ssh) .*web1.*big" | cut -d' ' -f1)
kill -STOP "${pushing[@]}"
must ev reload web1
kill -0 "$running" || fail 'the push was over before the reload'
kill -CONT "${pushing[@]}"
for _ in 1 2; do must ev reload web1; done
session_echoes web1 'through the reload' || fail 'the session ended'
wait "$running" || fail "the push was disturbed: $(cat "$T/push.out")"
must cmp "$T/big" "$JAILS/web1/data/big"
close_session web1
equal "$(supervisor_of web1)" "$before" 'the supervisor is another one'
must in_jail web1 'echo served after the reload'

step 'a key taken away: --now ends the sessions'
open_session web1
ssh-keygen -q -t ed25519 -N '' -f "$T/client/other"
must ev key web1 "$T/client/other.pub"
session_echoes web1 'only new connections' || fail 'the session ended without --now'
must_exit 255 in_jail web1 exit
must ev key web1 "$T/client/other.pub" --now
until_true 20 'the session is gone' session_ended web1
close_session web1
must ev key web1 "$T/client/id.pub"
must in_jail web1 'echo in again'

step 'what a session leaves in the background is gone ten seconds later'
lives() { processes_like 'sleep 7777' >/dev/null; }
gone() { ! lives; }
must in_jail web1 '(trap "" HUP TERM INT; exec sleep 7777) >/dev/null 2>&1 </dev/null &'
lives || fail 'the leftover was gone at once: nothing is shown'
left_at=$SECONDS
until_true 30 'the leftover is gone' gone
(($((SECONDS - left_at)) >= 8 && $((SECONDS - left_at)) <= 20)) ||
  fail "ten seconds it has, it had $((SECONDS - left_at))"
must in_jail web1 'echo the jail goes on'

step 'a profile without a shell: none is there to be run, and SFTP works'
runs_in() { nsenter --target "$(init_of web1)" --mount --root -- "$@" >"$T/ran" 2>&1; }
runs_in /bin/sh -c 'exit 0' || fail "no shell under the default profile: $(cat "$T/ran")"
echo PROFILE=sftp >>"$CONF/web1.d/jail.conf"
must ev reload web1
must_print 'with the next restart: .*programs of the profile'
must ev restart web1
for program in /bin/sh /usr/bin/dash /usr/bin/rsync /usr/bin/env; do
  ! runs_in "$program" --version || fail "$program runs under the profile sftp"
  grep -q 'No such file' "$T/ran" || fail "$program is refused for another reason: $(cat "$T/ran")"
done
ftp web1 <<<"put $T/settings /data/by-sftp" >"$T/sftp.out" || fail 'SFTP does not work without a shell'
must cmp "$T/settings" "$JAILS/web1/data/by-sftp"
before=$(find "$T/lib/images/views" -mindepth 2 -maxdepth 2)
must ev restart web1
equal "$(find "$T/lib/images/views" -mindepth 2 -maxdepth 2)" "$before" 'the view of the image was made again'
sed -i '$d' "$CONF/web1.d/jail.conf"
must ev restart web1
runs_in /bin/sh -c 'exit 0' || fail "no shell under the default profile: $(cat "$T/ran")"

step 'kill -9 of a supervisor takes the whole jail with it'
open_session web1
must in_jail web1 '(trap "" HUP; exec sleep 7777) >/dev/null 2>&1 </dev/null &'
kill -9 "$(supervisor_of web1)"
until_true 20 'the session is gone' session_ended web1
close_session web1
all_gone() { [[ $(processes) == "$processes_before" ]]; }
until_true 20 'every process of the jail is gone' all_gone
must_exit 100 ev is-on web1
equal "$(mounts)" "$mounts_before" 'mounts are left'
must ev start web1
must in_jail web1 'echo back'

step 'the removal of a running jail stops it first'
open_session web1
must ev remove web1 --force
until_true 20 'the session is gone' session_ended web1
close_session web1
until_true 20 'every process of the jail is gone' all_gone
must_exit 2 ev is-on web1
equal "$(find "$JAILS" "$INCS" "$CONF" -mindepth 1 ! -path '*/.journal*')" '' 'something of the jail is left'
equal "$(mounts)" "$mounts_before" 'mounts are left'
nothing_listens "$port" || fail 'the port is still open'
