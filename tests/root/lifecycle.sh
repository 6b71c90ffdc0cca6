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
until_true 30 'the end of the session is logged' \
  grep -Eqs '127\.0\.0\.1.*[0-9]+.*rsync --server' "$T/log/web1.log"

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
for _ in 1 2 3; do must ev reload web1; done
kill -0 "$running" || fail 'the push was over before the reload'
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
until_true 30 'the leftover is gone' gone
must in_jail web1 'echo the jail goes on'

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
