#!/bin/bash
# The commands that a person types and scripts read: what they print, and their exit codes.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"

step 'help and version'
must ev --version
must_print '^evojail [0-9]+\.[0-9]+'
must ev --help
for command in init list key port ip run start stop restart reload is-on status firewall inc rm remove \
  update check-setup; do
  grep -qw -- "$command" <<<"$OUT" || fail "--help does not name $command"
  "$EVOJAIL" "$command" --help >/dev/null || fail "no help for $command"
done
must_exit 1 ev no-such-command

step 'no jails yet'
must ev list
equal "$OUT" ''
must ev status

step 'init: settings, keys, policy; owners and modes'
must ev init web1
must ev init db-1.example
conf=$CONF/web1.d
for file in jail.conf incs_policy ssh_host_ed25519_key ssh_host_ecdsa_key; do
  [[ -f $conf/$file ]] || fail "init did not make $file"
done
equal "$(stat -c '%U %a' "$conf/ssh_host_ed25519_key" "$conf/ssh_host_ecdsa_key" | sort -u)" 'root 600'
[[ ! -e $conf/ssh_host_rsa_key ]] || fail 'an RSA key without LEGACY_CLIENTS'
equal "$(grep -v '^#' "$conf/incs_policy" | grep .)" "$(printf '%s\n' '+%Y-%m-%d.-0day' '+%Y-%m-%d.-1day' \
  '+%Y-%m-%d.-2day' '+%Y-%m-%d.-3day' '+%Y-%m-01.-0month' '+%Y-%m-01.-1month')" "bkctld's default policy"
equal "$(stat -c '%U %a' "$JAILS" "$INCS" "$VOLUME/archives" | sort -u)" 'root 700'
btrfs subvolume show "$JAILS/web1" >/dev/null || fail 'the jail is no subvolume'

step 'list'
must ev list
equal "$OUT" "$(printf '%s\n' db-1.example web1)"

step 'port'
must ev port web1
must_print '^[0-9]+$'
must ev port web1 2345
equal "$(ev port web1)" 2345
must ev port web1 auto
must_print '^[0-9]*$'
[[ $(ev port web1) != "$(ev port db-1.example)" ]] || fail 'two jails on one port'

step 'key'
must ev key web1 "$T/client/id.pub"
equal "$(stat -c '%U %a' "$conf/authorized_keys")" 'root 600'
must ev key web1
# A key may have a '+', which is no letter of a regular expression.
grep -qF "$(cut -d' ' -f2 "$T/client/id.pub")" <<<"$OUT" || fail "the key is not in the output: $OUT"
must_key_from_stdin() { ev key web1 - <"$T/client/id.pub" || fail 'a key on standard input'; }
must_key_from_stdin

step 'ip'
equal "$(ev ip web1)" all
must ev ip web1 192.0.2.7
must ev ip web1 2001:db8::/32
must ev ip web1
must_print '192\.0\.2\.7'
must_print '2001:db8::/32'
must ev ip web1 --remove 192.0.2.7
must ev ip web1
must_not_print '192\.0\.2\.7'
must ev ip web1 all

step 'the address of a running jail changes its port at once'
must ev start web1
introduce web1 127.0.0.1
must in_jail web1 true
must ev is-on web1

step 'what was so already is not called a change'
for command in 'ip web1 all' 'ip web1 192.0.2.7' "port web1 $(port_of web1)"; do
  read -ra words <<<"$command"
  ev "${words[@]}" >"$T/first" 2>&1
  must ev "${words[@]}"
  grep -q 'it was so already' <<<"$OUT$ERR" || fail "'$command' again: $OUT$ERR"
done
must ev ip web1 all
must_print 'open to: all; the running jail has taken it up'
must ev key db-1.example
equal "$OUT" ''
must_say "jail 'db-1.example' has no key"
must ev --quiet key db-1.example
equal "$ERR" ''

step 'holds, as they are'
must ev inc-lock web1
must_print "jail 'web1' has no incs"
must_exit 1 ev inc-release web1
must_say '^hint: .*list-incs web1'
inc=$(hour_ago '1 day')
must ev inc --at "$inc" web1
day=$(date -d '60 days' +%F)
must ev inc-hold "web1/$inc" --reason one --until "$day"
equal "$OUT" "inc 'web1/$inc' is held up to and including $day: one"
must ev inc-hold "web1/$inc" --reason two --until "$(date -d '30 days' +%F)"
equal "$OUT" "inc 'web1/$inc' is held up to and including $day: one; two"
must ev inc-hold "web1/$inc" --reason three
equal "$OUT" "inc 'web1/$inc' is held: one; two; three"
must ev inc-release web1

step 'status for people and for programs'
must ev status
must_print 'web1'
must_print 'db-1\.example'
must ev status web1
must_print "$(port_of web1)"
must ev status --json
must_print '"schema_version"'
must_print '"web1"'

step 'status of a policy that stops rm'
for text in '' '# nothing yet' '+%Y-%m-%d' ; do
  policy web1 "$text"
  must_exit 1 ev status web1
  must_print '^web1 +ON +[0-9]+ +\? '
  must_say "^evojail: no inc is removed: .*web1\.d/incs_policy'"
  must_print "^trouble: +no inc is removed: .*web1\.d/incs_policy'"
  must_exit 1 ev status --json
  must_print '"incs_policy_error": "no inc is removed'
  must_exit 1 ev rm web1
done
policy web1 none
must ev status web1
must_print '^web1 +ON +[0-9]+ +0/0 '
must_print "^incs policy: +'none'"
policy web1 '+%Y-%m-%d.-0day'
must ev status --json
must_print '"incs_policy_error": null'

step 'firewall'
must ev firewall web1
must ev firewall all
run nft list table inet evojail
must_print "$(port_of web1)"

step 'update, check-setup'
must ev update
must in_jail web1 'echo the jail runs on with the image it had'
run ev check-setup
grep -q . <<<"$OUT$ERR" || fail 'check-setup says nothing'

step 'start and stop are no error when it is so already'
must ev start web1
must ev stop web1
must ev stop web1
must ev start all
must ev stop all

step 'legacy clients get an RSA host key'
sed -i '/LEGACY_CLIENTS/d' "$conf/jail.conf"
echo LEGACY_CLIENTS=yes >>"$conf/jail.conf"
must ev start web1
[[ -f $conf/ssh_host_rsa_key ]] || fail 'no RSA key with LEGACY_CLIENTS=yes'
must ev stop web1

step 'remove'
must ev remove web1 --force
must ev remove db-1.example --force
equal "$(ev list)" ''
must_exit 2 ev status web1
