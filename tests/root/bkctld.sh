#!/bin/bash
# A server of bkctld's: its jails are left alone, and the commands that the manual gives take one over so that its
# client notices nothing. So do those that bring an archived jail back, and that take leave of one.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

manual=$tests_dir/../docs/evojail.8

# follow FIRST-WORDS: runs the manual's example that begins so, with the test's directories for the default ones.
follow() {
  local commands
  commands=$(sed -n "/^$1/,/^\.RE/{/^\.RE/d;p}" "$manual" |
    sed "s/\\\\-/-/g; s,/etc/evobackup,$CONF,g; s, /backup, $VOLUME,g")
  [[ -n $commands ]] || fail "the manual has no example that begins with '$1'"
  # Its evojail is the one under test; bkctld is not on this machine.
  printf '%s\n' "evojail() { '$EVOJAIL' --config '$T/settings' \"\$@\"; }" 'bkctld() { :; }' "$commands" >"$T/commands"
  "$BASH" -euo pipefail "$T/commands" >"$T/followed" 2>&1 || fail "the manual's commands: $(cat "$T/followed")"
}

make_client
make_machine client 1
make_volume ext4 300 "$T/volume"
settle "$T/volume"
old=$JAILS/web1
mkdir -m 700 "$JAILS" "$INCS" "$VOLUME/archives"
mkdir -p "$old"/{etc/ssh,root/.ssh,var/backup,var/log,usr/sbin} "$CONF/web1.d"
mkdir -p "$INCS/web1/$(hour_ago '1 day')/var/backup" "$INCS/web1/$(hour_ago '9 days')"
touch "$old/usr/sbin/sshd"
cp "$T/client/id.pub" "$old/root/.ssh/authorized_keys"
for type in ed25519 rsa; do ssh-keygen -q -t $type -N '' -f "$old/etc/ssh/ssh_host_${type}_key"; done
echo document >"$old/var/backup/document"
chown 33:33 "$old/var/backup/document"
echo line >"$old/var/log/run.log"
policy web1 '+%Y-%m-%d.-0day' '+%Y-%m-%d.-1day'
printf 'WARNING=30\n' >"$CONF/web1.d/check_policy"

step 'a jail of bkctld: not one of evojail'
equal "$(ev list)" ''
for command in status start stop restart is-on key ip port archive remove inc firewall; do
  must_exit 3 ev "$command" web1
  must_say 'laid out by bkctld'
done
must_exit 3 ev freeze web1 --reason drill
must ev check-setup
must_print "bkctld's.*web1"
must ev rm --dry-run
equal "$OUT" "remove web1/$(hour_ago '9 days')"

step 'taken over: the client knows the host, its key opens the jail, its files are there'
follow 'bkctld stop web1'
equal "$(ev port web1)" 2222
ev ip web1 10.99.1.2 >/dev/null
cat >"$T/client/ssh_config" <<CONFIG
Host web1
  HostName 10.99.1.1
  Port 2222
  User root
  IdentityFile $T/client/id
  IdentitiesOnly yes
  UserKnownHostsFile $T/client/known_hosts
  StrictHostKeyChecking yes
  BatchMode yes
CONFIG
printf '[10.99.1.1]:2222 %s\n' "$(cut -d' ' -f1,2 "${old}-bkctld/etc/ssh/ssh_host_rsa_key.pub")" >"$T/client/known_hosts"
must on client ssh -F "$T/client/ssh_config" -o HostKeyAlgorithms=rsa-sha2-512 web1 \
  'cat /var/backup/document /var/log/run.log; stat -c %u /data/document'
equal "$OUT" $'document\nline\n33'
grep -qx 'WARNING=30' "$CONF/web1.d/check_policy" || fail 'check_policy was not taken along'

step 'incs go on, those of before are thinned on'
must ev inc
equal "$(incs_of web1 | wc -l)" 1 'incs of the jail'
must ev rm
equal "$(incs_of web1-bkctld)" "$(hour_ago '1 day')" 'incs of before'

step 'archived, and back again'
must ev archive web1
follow 'mv .*archives.web1'
must ev is-on web1
must on client ssh -F "$T/client/ssh_config" -o HostKeyAlgorithms=rsa-sha2-512 web1 'cat /data/document'
equal "$OUT" document
equal "$(incs_of web1 | wc -l)" 1 'incs of the jail'

step 'archived, and gone for good'
must ev archive web1
follow 'echo none'
equal "$(ls -A "$VOLUME/archives")" ''
[[ ! -e $INCS/web1 && ! -e $CONF/web1.d ]] || fail 'something of the jail is left'
must ev init web1
