#!/bin/bash
# A push of 200 MB into a jail against the same push to a bare sshd that writes to the same volume, in turn.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_world "$@"

MEGABYTES=${MEGABYTES:-200}
# In memory, so that the disk's moods do not decide.
mkdir "$T/memory"
mount -t tmpfs memory "$T/memory"
export VOLUME_IMAGES=$T/memory
make_client
make_volume btrfs 2500 "$T/volume"
settle "$T/volume"
new_jail web1
bare_sshd 2200
(sshd_of 2200) &
first_banner 2200
introduce_bare 2200
mkdir "$T/memory/tree" "$T/volume/bare"
for ((i = 0; i < MEGABYTES; i++)); do
  head -c 1M /dev/urandom >"$T/memory/tree/$i"
done

# push_once ALIAS PATH: microseconds of one push into an emptied directory.
push_once() {
  local start
  in_jail "$1" "rm -rf $2"
  sync -f "$T/volume"
  start=$(now_us)
  push -a "$T/memory/tree/" "$1:$2/"
  echo $(($(now_us) - start))
}
bare=() jail=()
for ((i = 0; i <= ROUNDS; i++)); do
  bare[i]=$(push_once bare "$T/volume/bare/tree")
  jail[i]=$(push_once web1 /data/tree)
done
must diff -r "$T/memory/tree" "$JAILS/web1/data/tree"

# Speeds, so that more is better on both sides.
speeds() { for us; do echo $((MEGABYTES * 1000000000 / us)); done; }
mapfile -t bare < <(speeds "${bare[@]:1}")
mapfile -t jail < <(speeds "${jail[@]:1}")
compare "push of $MEGABYTES MB: speed" 'sshd -D' MB/s 1000 '>= 0.97' "${jail[@]}" -- "${bare[@]}"
