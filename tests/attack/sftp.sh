#!/bin/bash
# A client with the profile sftp: by SFTP alone it tries for the host's files, for the programs and settings of its
# jail, and for what the host copies. The same commands for root of the host show that each would succeed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$tests_dir/lib/traced_jail.sh"
in_own_world "$@"

ROWS=$tests_dir/attack/rows/sftp
SERVER=/usr/lib/openssh/sftp-server
HOST_PORT=2620 VICTIM_PORT=2621
: >"$T/outcomes"

note() { printf '%s %s %s\n' "$@" >>"$T/outcomes"; }

# note_whether WORLD ROW WORD: whether the last command printed it.
note_whether() {
  if [[ $OUT == *"$3"* ]]; then note "$1" "$2" OK; else note "$1" "$2" refused; fi
}

# sftp_as WORLD: the batch on standard input, as that world's client. $OUTCOME says what it came to.
sftp_as() {
  local code=0
  if [[ $1 == host ]]; then
    sftp -q -D "$SERVER" -b - >/dev/null 2>"$T/said" || code=$?
  else
    ftp "$1" >/dev/null 2>"$T/said" || code=$?
  fi
  case $code:$(cat "$T/said") in
    0:*) OUTCOME=OK ;;
    *'write remote'*) OUTCOME=unwritten ;;
    *'not found'* | *'No such file'*) OUTCOME=missing ;;
    *'Permission denied'*) OUTCOME=denied ;;
    *Failure*) OUTCOME=failure ;;
    *) fail "a batch ended with $code: $(cat "$T/said")" ;;
  esac
}

# attempt ROW BATCH: in both worlds. BASE is the root of the programs, with the client's own /tmp in it.
attempt() {
  local row=$1 batch=$2 world
  for world in jail host; do
    BASE=
    [[ $world == jail ]] || BASE=$T/host/base
    sftp_as "$world" <<<"${batch//BASE/$BASE}"
    note "$world" "$row" "$OUTCOME"
  done
}

step 'the jails, and a host'
make_client
make_volume ext4 600 "$T/volume"
settle "$T/volume"
new_jail_with jail sftp
new_jail default
mkdir -p "$T/host" "$T/fetched"
cp -a "$(image_of)" "$T/host/base"
mkdir -p "$T/host/base/root/.ssh"
touch "$T/host/base/etc/ssh/sshd_config"
echo "of the host" >"$T/secret"
echo evil >"$T/evil"

step 'files of the host'
attempt secret-path "get $T/secret $T/fetched/path"
attempt secret-link "$(printf 'symlink %s BASE/tmp/link\nget BASE/tmp/link %s' "$T/secret" "$T/fetched/link")"
attempt secret-link-above "$(printf 'symlink %s%s BASE/tmp/above\nget BASE/tmp/above %s' \
  ../../../../../../../../../../../../../.. "$T/secret" "$T/fetched/above")"
attempt secret-hard-link "ln $T/secret BASE/tmp/hard"

step 'the programs and settings of the jail'
attempt base-mode 'chmod 777 BASE/etc/passwd'
attempt base-owner 'chown 33 BASE/etc/passwd'
attempt base-time "put -p $T/evil BASE/usr/evil"
attempt base-write "put $T/evil BASE/etc/passwd"
attempt base-hard-link 'ln BASE/etc/passwd BASE/tmp/passwd'
attempt base-rename "$(printf 'put %s BASE/tmp/evil\nrename BASE/tmp/evil BASE/etc/group' "$T/evil")"
attempt base-remove 'rm BASE/etc/passwd'
attempt keys-write "put $T/evil BASE/root/.ssh/authorized_keys"
attempt settings-write "put $T/evil BASE/etc/ssh/sshd_config"
attempt dev-create "put $T/evil BASE/dev/evil"
attempt proc-init "get /proc/1/environ $T/fetched/environ"
attempt proc-kernel "get /proc/sys/kernel/osrelease $T/fetched/osrelease"
attempt proc-memory "put $T/evil /proc/self/mem"

step 'commands and connections'
for world in jail default; do
  run in_jail "$world" 'echo it runs' </dev/null
  note_whether "$world" exec 'it runs'
done
socat "TCP-LISTEN:$VICTIM_PORT,reuseaddr,fork" SYSTEM:'echo greetings' &
until_true 30 'the victim listens' something_listens "$VICTIM_PORT"
/usr/sbin/sshd -p "$HOST_PORT" -f /dev/null -h "$CONF/jail.d/ssh_host_ed25519_key" \
  -o AuthorizedKeysFile="$T/client/id.pub" -o StrictModes=no -o PidFile=none -o ListenAddress=127.0.0.1
until_true 30 'the host has an sshd' something_listens "$HOST_PORT"
for world in jail host; do
  port=$HOST_PORT
  [[ $world == host ]] || port=$(port_of jail)
  run timeout 20 ssh -F "$T/client/ssh_config" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
    -p "$port" -W "127.0.0.1:$VICTIM_PORT" jail </dev/null
  note_whether "$world" forward greetings
done

step 'what the host copies'
{
  for ((i = 0; i < 200; ++i)); do printf 'mkdir /data/d%s\nput %s /data/d%s/file\n' "$i" "$T/evil" "$i"; done
  printf 'mkdir /data/swapped\nput %s /data/swapped/secret\nsymlink %s /data/link\n' "$T/evil" "$T"
} >"$T/batch"
ftp jail <"$T/batch" >/dev/null || fail "making the files by SFTP"
swaps() {
  local i
  for ((i = 0; i < 500; ++i)); do
    printf 'rename /data/%s /data/%s\n' swapped aside link swapped swapped link aside swapped
  done
}
swaps >"$T/batch"
ftp jail <"$T/batch" >/dev/null 2>"$T/swapping" &
swapping=$!
run ev inc jail # with a warning, where it met one of the swaps
wait "$swapping" || fail "the swaps failed: $(cat "$T/swapping")"
[[ $(incs_of jail) ]] || fail "no inc was taken: $ERR"
if grep -rq 'of the host' "$INCS/jail"; then note jail inc-swap OK; else note jail inc-swap intact; fi
cp -rL "$JAILS/jail/data/link/secret" "$T/fetched/copied"
must grep -q 'of the host' "$T/fetched/copied"
note host inc-swap OK

step 'outcomes'
awk -f "$tests_dir/attack/lib/compare.awk" "$ROWS" "$T/outcomes" || fail 'an attack did not end as it must'
