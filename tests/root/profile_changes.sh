#!/bin/bash
# A profile that changes is what the next session runs under, whatever was kept of it from the starts before.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume ext4 600 "$T/volume"
settle "$T/volume"
shipped=$EVOJAIL_BUILD/share/evojail/profiles/default.json
mine=$CONF/profiles/default.json
kept=$T/lib/compiled/default

# forbid CALL: the administrator's own default profile, without that system call.
forbid() {
  mkdir -p "$CONF/profiles"
  sed "s/\"names\": \[\"$1\", /\"names\": [/" "$shipped" >"$mine"
  ! cmp -s "$mine" "$shipped" || fail "the profile does not begin a group with '$1'"
}
may_make() { must in_jail web1 "mkdir /data/$1"; }
may_not_make() {
  must_exit 1 in_jail web1 "mkdir /data/$1"
  must_say 'Operation not permitted'
}
restart() {
  must ev stop web1
  must ev start web1
}

new_jail web1

step 'what a start has compiled is kept, root'\''s own, and not made anew without need'
equal "$(stat -c '%a %u' "$kept")" '600 0'
before=$(stat -c '%i' "$kept")
restart
equal "$(stat -c '%i' "$kept")" "$before"
may_make one

step 'a changed profile is in force after a reload'
forbid mkdir
must ev reload web1
may_not_make two

step 'and after a restart'
rm "$mine"
restart
may_make two
forbid mkdir
restart
may_not_make three

step 'one that is broken is not covered up by what is kept'
printf '}' >>"$mine"
must_exit 1 ev reload web1
must_say 'default\.json'
must ev stop web1
must_exit 1 ev start web1
rm "$mine"

step 'what is kept and damaged is made anew'
for damage in 'truncate -s -1' 'chmod 644' 'chown 1' 'shred -n 1'; do
  must ev start web1
  # shellcheck disable=SC2086 # a command and its options
  must $damage "$kept"
  restart
  equal "$(stat -c '%a %u' "$kept")" '600 0' "after '$damage'"
  may_make "$(wc -w <<<"$damage")${damage%% *}"
  must ev stop web1
done
