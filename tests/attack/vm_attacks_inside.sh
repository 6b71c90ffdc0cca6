#!/bin/bash
# Runs in the virtual machine of vm_attacks.sh, as a service. evojail is installed, with its default directories.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
for part in prefix worlds; do
  # shellcheck source=/dev/null
  . "$tests_dir/attack/lib/$part.sh"
done

arrange_vm
ROWS=$T/rows
PROFILES=/usr/local/share/evojail/profiles
: >"$T/outcomes"

step "Linux $(uname -r)"
put_attacker "$PROFILES" /tests/atk
for jail in jail nofilter open; do
  [[ $jail == jail ]] && profile=default || profile=$jail
  must ev init "$jail"
  sed -i '/^#*\(PROFILE\|NEW_CONNECTIONS_PER_MINUTE\)=/d' "$CONF/$jail.d/jail.conf"
  printf 'PROFILE=%s\nNEW_CONNECTIONS_PER_MINUTE=0\n' "$profile" >>"$CONF/$jail.d/jail.conf"
  must ev key "$jail" "$T/client/id.pub"
  must ev start "$jail"
  introduce "$jail" 127.0.0.1
done

# Those whose control a kernel may lack, and that are tried in no other world.
awk '/^#/ || !/\?/ { next }
  { for (i = 2; $i != "|"; i++) if ($i !~ /^(jail|nofilter|open|host)=/) next; print }' \
  "$tests_dir/attack/rows/attacks" >"$ROWS"
for jail in jail nofilter open; do attack_as "$jail" in_jail "$jail"; done
DATA=$T/data
mkdir "$DATA"
attack_as host setsid -w env ATK_DATA="$DATA" ATK_TMP="$DATA"
awk -f "$tests_dir/attack/lib/compare.awk" "$ROWS" "$T/outcomes" || fail 'an attack did not end as it must'
echo finished
