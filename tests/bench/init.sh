#!/bin/bash
# Time and disk of `init` with a base image there already, host keys included, on btrfs.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_own_world "$@"

make_volume btrfs 1000 "$T/volume"
settle "$T/volume"
must ev init first
must ev start first
must ev stop first

used() {
  btrfs filesystem sync "$T/volume"
  df --output=used -B1 "$T/volume" | tail -n 1
}
times=()
before=$(used)
for ((i = 1; i <= ROUNDS; i++)); do
  start=$(now_us)
  ev init "web$i" >/dev/null 2>&1
  times+=($(($(now_us) - start)))
done
volume=$((($(used) - before) / ROUNDS))
settings=$(du -s -B1 "$CONF/web1.d" | cut -f1)
row 'init: time' "$(scaled "$(median "${times[@]}")" 1000 ms)" '' '' '' '<= 50 ms'
row 'init: disk, settings and keys included' "$(scaled $((volume + settings)) 1024 KB)" '' '' '' '<= 64 KB'
