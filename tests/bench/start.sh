#!/bin/bash
# From the start of a jail to its first SSH banner, against a bare `sshd -D` and against systemd-nspawn that runs
# sshd, taken in turn.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [[ ${EVOJAIL_WORLD:-} != "$0" ]]; then
  IMAGE=$("$tests_dir/system/image")
  export IMAGE
fi
in_own_world "$@"

make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
must ev init web1
# The wait for the banner is many attempts from one address.
printf 'NEW_CONNECTIONS_PER_MINUTE=0\n' >>"$CONF/web1.d/jail.conf"
must ev key web1 "$T/client/id.pub"
port=$(port_of web1)
bare_sshd 2200
mkdir "$T/root"
tar -C "$T/root" --numeric-owner --xattrs -xf "$IMAGE"
mkdir -p "$T/root/run/sshd"
printf 'Port 2201\nHostKey /etc/ssh/ssh_host_ed25519_key\n' >"$T/root/etc/ssh/sshd_config"

bare=() jail=() foreground=() nspawn=()
for ((i = 0; i <= ROUNDS; i++)); do
  start=$(now_us)
  (sshd_of 2200) &
  first_banner 2200
  bare[i]=$(($(now_us) - start))
  kill $!
  wait $! || true

  start=$(now_us)
  "$EVOJAIL" --config "$T/settings" run web1 >/dev/null 2>&1 &
  first_banner "$port"
  foreground[i]=$(($(now_us) - start))
  must ev stop web1
  wait $! || true

  start=$(now_us)
  "$EVOJAIL" --config "$T/settings" start web1 >/dev/null 2>&1
  first_banner "$port"
  jail[i]=$(($(now_us) - start))
  must ev stop web1
done

# Within one cgroup for all rounds, so that its making is not measured.
export T ROUNDS
export -f first_banner now_us pause_ms
# shellcheck disable=SC2016
with_own_cgroup "$BASH" -euo pipefail -c '
  for ((i = 0; i <= ROUNDS; i++)); do
    start=$(now_us)
    systemd-nspawn --quiet --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \
      --console=pipe --directory="$T/root" /bin/sh -c "mkdir -p /run/sshd; exec /usr/sbin/sshd -D" \
      </dev/null >"$T/console" 2>&1 &
    first_banner 2201 || { cat "$T/console" >&2; exit 1; }
    echo $(($(now_us) - start))
    kill -TERM $!
    wait $! || true
  done
' >"$T/nspawn"
mapfile -t nspawn <"$T/nspawn"

# The first round fills caches and counts for nobody.
compare 'evojail run to the first banner' 'sshd -D' ms 1000 '<= 1.2' "${foreground[@]:1}" -- "${bare[@]:1}"
compare 'evojail start to the first banner' 'sshd -D' ms 1000 '' "${jail[@]:1}" -- "${bare[@]:1}"
compare 'evojail start to the first banner' 'nspawn with sshd' ms 1000 '' "${jail[@]:1}" -- "${nspawn[@]:1}"
