#!/bin/bash
# The worst client: root in its jail, with programs of its own. It tries everything in rows/attacks, in a session
# and in sshd's place, and what it came to is compared with what must happen. The same program makes the same
# attempts in worlds that lack a layer, where it succeeds: no denial is one for another reason.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$tests_dir/lib/traced_jail.sh"
for part in prefix worlds kills sshd; do
  # shellcheck source=/dev/null
  . "$tests_dir/attack/lib/$part.sh"
done
in_own_world "$@"

ROWS=$tests_dir/attack/rows/attacks
export VICTIM=2600 HOST_SSHD=2610
: >"$T/outcomes"

step 'a victim on the host, and something to be leaked'
make_prefix
echo 519 >/proc/sys/net/ipv4/tcp_fastopen # without a cookie first, on both sides
"$ATK" victim "$VICTIM" &
until_true 30 'the victim listens' something_listens "$VICTIM"
socat ABSTRACT-LISTEN:evojail-attack,fork /dev/null &
socat -u ABSTRACT-RECV:evojail-attack-datagrams /dev/null &
until_true 30 'the host has an abstract socket' grep -q '@evojail-attack$' /proc/net/unix
until_true 30 'the host has another' grep -q '@evojail-attack-datagrams$' /proc/net/unix
ATTACK_SECRET=of-the-host sleep infinity &
export HOST_PROCESS=$!
cd "$T"
exec 200</etc/shadow
export ATTACK_SECRET=of-the-host

step 'the jails'
make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
no_watch
for jail in jail nofilter open; do
  [[ $jail == jail ]] && profile=default || profile=$jail
  must ev init "$jail"
  sed -i '/^#*\(PROFILE\|MAX_SESSIONS\|NEW_CONNECTIONS_PER_MINUTE\)=/d' "$CONF/$jail.d/jail.conf"
  printf 'PROFILE=%s\nMAX_SESSIONS=200\nNEW_CONNECTIONS_PER_MINUTE=0\n' "$profile" >>"$CONF/$jail.d/jail.conf"
  must ev key "$jail" "$T/client/id.pub"
  must "$ATK" with-key "$EVOJAIL" --config "$T/settings" start "$jail"
  introduce "$jail" 127.0.0.1
done
make_host_side

step 'in a session'
for jail in jail nofilter open; do attack_as "$jail" in_jail "$jail"; done
attack_with_signals

step 'in places with fewer layers'
attack_from_container
attack_from_chroot
attack_the_host

step "in sshd's place"
replace_sshd
for jail in jail nofilter open; do
  attack_connections "$jail" "$(port_of "$jail")" "$JAILS/$jail/data"
done
attack_connections_of_host
outlive_sessions
must nft delete table inet evojail
attack_connections nowall "$(port_of nofilter)" "$JAILS/nofilter/data"
kill_init_from_host

step 'outcomes'
awk -f "$tests_dir/attack/lib/compare.awk" "$ROWS" "$T/outcomes" || fail 'an attack did not end as it must'
