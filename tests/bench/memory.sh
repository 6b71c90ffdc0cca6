#!/bin/bash
# Memory of an idle jail (its supervisor and its init) with fifty running, against an idle sshd, fifty running too:
# the proportional set size, in which shared pages count once for all who share them.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_world "$@"

COUNT=${COUNT:-50}
make_client
make_volume btrfs 1000 "$T/volume"
settle "$T/volume"

pss_of() { awk '$1 == "Pss:" { print $2 }' "/proc/$1/smaps_rollup"; }
# A process and all below it.
pss_of_tree() {
  local sum child
  sum=$(pss_of "$1")
  # shellcheck disable=SC2013
  for child in $(cat /proc/"$1"/task/*/children); do sum=$((sum + $(pss_of_tree "$child"))); done
  echo "$sum"
}

for ((i = 1; i <= COUNT; i++)); do
  must ev init "web$i"
  must ev key "web$i" "$T/client/id.pub"
  bare_sshd $((3000 + i))
done
must ev start all
sshds=()
for ((i = 1; i <= COUNT; i++)); do
  (sshd_of $((3000 + i))) &
  sshds+=($!)
done
# Each has served a connection, so that what it touches then is counted.
for ((i = 1; i <= COUNT; i++)); do
  introduce "web$i" 127.0.0.1
  must in_jail "web$i" true
  first_banner $((3000 + i))
done
only_idle() { ! processes_like 'sshd: .*(root|priv|net)|sshd -i' >/dev/null; }
until_true 60 'all sessions have ended' only_idle

ours=() theirs=()
for ((i = 1; i <= COUNT; i++)); do ours+=("$(pss_of_tree "$(supervisor_of "web$i")")"); done
for pid in "${sshds[@]}"; do theirs+=("$(pss_of_tree "$pid")"); done
compare "PSS of an idle jail, $COUNT running" "sshd -D, $COUNT running" KB 1 '<= 1024 KB' \
  "${ours[@]}" -- "${theirs[@]}"
must ev stop all
