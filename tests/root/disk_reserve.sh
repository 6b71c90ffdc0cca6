#!/bin/bash
# DISK_RESERVE: on a volume that runs full, sessions that write end, however they write; those that do not, and the
# neighbours', go on. status says so. When there is room again, a push works again.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume ext4 400 "$T/volume"
settle "$T/volume" DISK_RESERVE=30
for name in web1 db1; do new_jail "$name"; done
must ev init idle1
must ev start idle1

# Leaves 20 MB less than a reserve of 30 percent.
fill() {
  local size available
  read -r size available < <(df -B1 --output=size,avail "$T/volume" | tail -n 1)
  fallocate -l $((available - size * 3 / 10 + (20 << 20))) "$T/volume/filling"
}
# writes ALIAS FILE: a session that writes to it over and over, and receives next to nothing.
writes() {
  in_jail "$1" "while :; do dd if=/dev/zero of=/data/$2 bs=1M count=4 conv=fsync 2>/dev/null; done" </dev/null &
  WRITER=$!
  until_true 30 "$1 writes /data/$2" test -s "$JAILS/$1/data/$2"
}
pushes() {
  push --inplace --bwlimit=2M "$T/big" "$1:/data/big" >"$T/push.out" 2>&1 &
  PUSHER=$!
  until_true 30 "the push to $1 has begun" test -s "$JAILS/$1/data/big"
}
is_over() { ! kill -0 "$1" 2>/dev/null; }
says_low() { [[ $(ev status "$1" 2>&1) == *'below DISK_RESERVE'* ]]; }

head -c 60M /dev/urandom >"$T/big"
open_session web1
open_session db1

step 'while there is room, everybody goes on'
for jail in web1 idle1; do ! says_low "$jail" || fail "status of $jail says that the volume is low"; done
must push "$T/big" web1:/data/big
rm "$JAILS/web1/data/big"

step 'on a volume that is low, writers end and others do not'
pushes web1
writes web1 zeros
for process in "$WRITER" "$PUSHER"; do
  ! is_over "$process" || fail 'a writer was gone before the volume was low'
done
fill
until_true 60 'the writer that receives nothing is over' is_over "$WRITER"
until_true 60 'the push is over' is_over "$PUSHER"
! wait "$PUSHER" || fail 'the push ended well'
session_echoes web1 'still here' || fail 'a quiet session of the same jail ended'
session_echoes db1 'still here' || fail "the neighbour's session ended"
until_true 30 'the log says so' grep -Eq 'ending [0-9]+ writing sessions?: [0-9.]+ [KMG]iB are free on the volume, DISK_RESERVE keeps [0-9.]+ [KMG]iB' "$T/log/web1.log"
! grep -q 'writing session' "$T/log/db1.log" || fail 'sessions of the neighbour were ended'

step 'who was ended for it does not come back and write on'
run in_jail web1 'dd if=/dev/zero of=/data/again bs=1M count=1'
[[ $CODE != 0 && ! -e $JAILS/web1/data/again ]] || fail 'the next session wrote on'
grep -q 'turning .* away: the volume is below DISK_RESERVE' "$T/log/web1.log" || fail 'the log does not say so'
must in_jail db1 true

step 'status says until when new sessions are turned away'
must ev status web1
must_print "^warning: +new sessions are turned away until $(date +%Y)-[0-9-]+ [0-9:]+, or until the volume has room"
until=$(grep -oE 'until [0-9]{4}-[0-9-]+ [0-9:]+' <<<"$OUT")
left=$(($(date -d "${until#until }" +%s) - $(date +%s)))
((left > 0 && left <= 3600)) || fail "away for $left s: $OUT"
must ev status db1
must_not_print 'turned away until'

step 'status says so, of a jail that does nothing too'
must ev status
must_say 'are free on the volume, DISK_RESERVE keeps'
for jail in web1 db1 idle1; do until_true 30 "status of $jail says it" says_low "$jail"; done

step 'what a session has left behind does not write on'
lives() { processes_like 'dd if=/dev/zero of=/data/behind' >/dev/null; }
gone() { ! lives; }
must in_jail db1 '(trap "" HUP TERM; exec dd if=/dev/zero of=/data/behind bs=64K) >/dev/null 2>&1 </dev/null &'
until_true 30 'it is gone' gone
session_echoes db1 'and still here' || fail "the neighbour's quiet session ended"

step 'with room again, a push works again'
rm -f "$T/volume/filling" "$JAILS/web1/data/"{zeros,big} "$JAILS/db1/data/behind"
not_low() { ! says_low "$1"; }
for jail in web1 db1 idle1; do until_true 30 "$jail has room" not_low "$jail"; done
must ev status web1
must_not_print 'turned away until'
must push "$T/big" web1:/data/big
must cmp "$T/big" "$JAILS/web1/data/big"
close_session web1
close_session db1

step 'a volume runs out of inodes as well'
# Leaves 500 more than a reserve of 30 percent.
mkdir "$T/volume/many"
read -r inodes left < <(df --output=itotal,iavail "$T/volume" | tail -n 1)
(cd "$T/volume/many" && seq 1 $((left - inodes * 3 / 10 - 500)) | xargs touch)
# shellcheck disable=SC2016
in_jail web1 'i=0; while mkdir /data/m$i; do (cd /data/m$i && touch $(seq 1 100)); sleep 0.1; i=$((i + 1)); done' </dev/null >/dev/null 2>&1 &
WRITER=$!
until_true 120 'who makes files is over' is_over "$WRITER"
grep -Eq 'ending [0-9]+ writing sessions?: [0-9]+ inodes are free on the volume, DISK_RESERVE keeps [0-9]+' "$T/log/web1.log" ||
  fail 'the log does not say so'
must ev status
must_say 'inodes are free on the volume'
touch "$JAILS/db1/data/one more" || fail 'there is no inode left for the neighbour'
