#!/bin/bash
# Fifty jails started, pushed to at the same time, inc'ed, thinned, stopped, removed: nothing is lost and nothing
# is left, neither processes nor mounts, rules, descriptors or files under the run directory.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

JAILS_WANTED=${JAILS_WANTED:-50}
make_client
make_volume btrfs 2000 "$T/volume"
settle "$T/volume"
names=()
for ((i = 1; i <= JAILS_WANTED; i++)); do names+=("web$i"); done

mkdir "$T/tree"
seq 1 20000 >"$T/tree/numbers"
for ((i = 0; i < 200; i++)); do echo "file $i" >"$T/tree/file-$i"; done

processes_before=$(processes)
mounts_before=$(mounts)

step "init and start of ${#names[@]} jails"
for name in "${names[@]}"; do
  must ev init "$name"
  must ev key "$name" "$T/client/id.pub"
done
must ev start all
for name in "${names[@]}"; do
  must ev is-on "$name"
  introduce "$name" 127.0.0.1
done
equal "$(for name in "${names[@]}"; do port_of "$name"; done | sort -u | wc -l)" "${#names[@]}" \
  'two jails share a port'
equal "$(ev list | wc -l)" "${#names[@]}" 'the list is not complete'

descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
fds_before=$(descriptors "$(supervisor_of web1)")

step 'all push at the same time'
push_all() {
  local name
  local -A pushes=()
  for name in "${names[@]}"; do
    echo "$1 of $name" >"$T/own.$name"
    { push -a "$T/tree" "$name:/data/" && push -a "$T/own.$name" "$name:/data/own"; } >"$T/push.$name" 2>&1 &
    pushes[$name]=$!
  done
  for name in "${names[@]}"; do
    wait "${pushes[$name]}" || fail "the push of $name: $(cat "$T/push.$name")"
  done
}
push_all first
for name in "${names[@]}"; do
  must diff -r "$T/tree" "$JAILS/$name/data/tree"
  equal "$(cat "$JAILS/$name/data/own")" "first of $name"
done

step 'incs around a change'
must ev inc --at "$(hour_ago '3 days')"
must ev inc --at "$(hour_ago '1 day')"
push_all second
must ev inc
for name in "${names[@]}"; do
  equal "$(incs_of "$name" | wc -l)" 3 "incs of $name"
  must diff -r "$T/tree" "$INCS/$name/$(hour_ago '3 days')/data/tree"
  equal "$(cat "$INCS/$name/$(hour_ago '1 day')/data/own")" "first of $name"
  equal "$(cat "$INCS/$name/$(incs_of "$name" | tail -n 1)/data/own")" "second of $name"
done

step 'thinned by a policy'
for name in "${names[@]}"; do policy "$name" '+%Y-%m-%d.-0day' '+%Y-%m-%d.-1day'; done
must ev rm --dry-run
equal "$(grep -c '^remove ' <<<"$OUT")" "${#names[@]}" 'the dry run'
must_print "^remove web1/$(hour_ago '3 days')$"
equal "$(incs_of web1 | wc -l)" 3 'a dry run removed something'
must ev rm
for name in "${names[@]}"; do
  equal "$(incs_of "$name" | wc -l)" 2 "incs of $name"
  [[ ! -e $INCS/$name/$(hour_ago '3 days') ]] || fail "$name kept the inc that had to go"
done

step 'no descriptor was lost on the way'
sessions_closed() { [[ $(descriptors "$(supervisor_of web1)") -le $fds_before ]]; }
until_true 30 'the supervisor has closed what its sessions had open' sessions_closed

step 'stopped: nothing is left'
must ev stop all
for name in "${names[@]}"; do must_exit 100 ev is-on "$name"; done
equal "$(processes)" "$processes_before" 'processes are left'
equal "$(mounts)" "$mounts_before" 'mounts are left'
equal "$(find "$T/run" -mindepth 1 ! -path "$T/run/.*" )" '' 'files are left under the run directory'
equal "$(ss -Hltn)" '' 'ports are left open'

step 'removed: nothing of the jails is left'
for name in "${names[@]}"; do must ev remove "$name" --force; done
equal "$(ev list)" ''
equal "$(find "$JAILS" "$INCS" "$CONF" -mindepth 1 ! -path '*/.journal*')" '' 'something of the jails is left'
run nft list ruleset
must_not_print 'web[0-9]| 2[2-9][0-9][0-9] '
equal "$(find "$T/run" -mindepth 1 ! -path "$T/run/.lock")" '' 'files are left under the run directory, or locks'
equal "$(find "$T/lib/last-session" -mindepth 1 2>/dev/null)" '' 'records of last sessions are left'
equal "$(grep -c web "$T/lib/uid-ranges/leases" || true)" 0 'uid ranges are still leased'
equal "$(mounts)" "$mounts_before" 'mounts are left'
