#!/bin/bash
# A client that fills the volume, and whose writing shows in no count: it loses its own sessions, not the
# neighbours theirs, who only wait.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$tests_dir/attack/lib/prefix.sh"
in_own_world "$@"

NEIGHBOURS=(quiet1 quiet2 quiet3 quiet4)

make_prefix
make_client
make_volume ext4 600 "$T/volume"
settle "$T/volume" DISK_RESERVE=50
for name in attacker "${NEIGHBOURS[@]}"; do new_jail "$name"; done
for name in "${NEIGHBOURS[@]}"; do open_session "$name"; done

step 'an attacker fills the volume unseen'
in_jail attacker "$ATK" run write-unseen </dev/null >/dev/null 2>&1 &
writer=$!
until_true 30 'it writes' test -s "$JAILS/attacker/data/unseen"
read -r size available < <(df -B1 --output=size,avail "$T/volume" | tail -n 1)
fallocate -l $((available - size / 2 + (1 << 20))) "$T/volume/filling"

step 'it is ended, and nobody else'
is_over() { ! kill -0 "$writer" 2>/dev/null; }
until_true 60 'the writer is over' is_over
must grep -q 'ending 1 writing session:' "$T/log/attacker.log"
for name in "${NEIGHBOURS[@]}"; do
  session_echoes "$name" 'still here' || fail "the session of $name ended: $(tail -n 2 "$T/log/$name.log")"
  close_session "$name"
done
