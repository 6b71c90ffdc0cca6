#!/bin/bash
# Runs as a service of the booted system (booted.sh). evojail is installed, with its default directories; the
# volume is at /backup, and what this writes to /results is read outside.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

T=$(mktemp -d)
export HOME=/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
trap 'journalctl --no-pager >/results/journal 2>&1' EXIT
mkfifo "$T/never"
export CONF=/etc/evobackup INCS=/backup/incs
ev() { evojail "$@"; }
unit_of() { printf 'evojail@%s.service' "$(systemd-escape "$1")"; }
property() { systemctl show --value -p "$2" "$(unit_of "$1")"; }
is_active() { systemctl -q is-active "$(unit_of "$1")"; }

systemctl daemon-reload
make_client

step 'start goes through systemd'
for name in web1 db-1.example; do
  must ev init "$name"
  must ev key "$name" "$T/client/id.pub"
  must_exit 100 ev is-on "$name"
  must ev start "$name"
  must ev is-on "$name"
  is_active "$name" || fail "$(unit_of "$name") is not active"
  introduce "$name" 127.0.0.1
  must in_jail "$name" 'echo here'
  equal "$(property "$name" MainPID)" "$(supervisor_of "$name")" 'the main process of the unit'
  [[ $(property "$name" ControlGroup) == /evojail.slice/* ]] || fail "in another slice: $(property "$name" ControlGroup)"
done
must ev status
must_print 'web1.*\b(on|ON|up)\b'
equal "$(property web1 Type)" notify

step 'a push'
ftp web1 <<<'mkdir /data/made' >"$T/sftp.out" || fail 'mkdir over SFTP'
equal "$(stat -c %a /backup/jails/web1/data/made)" 755 "the unit's umask is the sessions'"
make_tree "$T/tree"
must push -aAXH "$T/tree/" web1:/data/tree/
must push -aAXHni --delete web1:/data/tree/ "$T/tree/"
equal "$OUT" '' differences
until_true 30 'the session is in the journal' \
  "$BASH" -c 'journalctl -q -u evojail@web1.service | grep -q "127\.0\.0\.1.*rsync --server"'

step 'reload through systemd keeps the sessions'
open_session web1
before=$(property web1 MainPID)
must systemctl reload "$(unit_of web1)"
must ev reload web1
session_echoes web1 'through two reloads' || fail 'the session ended'
equal "$(property web1 MainPID)" "$before" 'the supervisor is another one'
is_active web1 || fail 'the unit is not active after a reload'
must in_jail web1 'echo served after the reload'
close_session web1

step 'stop and restart'
must ev restart web1
must in_jail web1 'echo after the restart'
must ev stop web1
must_exit 100 ev is-on web1
equal "$(property web1 ActiveState)" inactive
must systemctl start "$(unit_of web1)"
must ev is-on web1
must systemctl stop "$(unit_of web1)"
must_exit 100 ev is-on web1
must ev start all
must ev is-on web1

step 'a supervisor that is killed comes back'
main=$(property web1 MainPID)
kill -9 "$main"
came_back() { is_active web1 && [[ $(property web1 MainPID) != "$main" ]] && in_jail web1 true 2>/dev/null; }
until_true 60 'the jail is back' came_back

step 'all jails with the target, at boot'
systemctl -q enable "$(unit_of web1)" "$(unit_of db-1.example)" evojail.target
must systemctl start evojail.target
must systemctl stop evojail.target
must_exit 100 ev is-on web1
must_exit 100 ev is-on db-1.example
must systemctl start evojail.target
until_true 30 'the target started web1' is_active web1
until_true 30 'the target started db-1.example' is_active db-1.example
must in_jail db-1.example true

step 'the services of the timers'
must systemctl start evojail-inc.service
equal "$(incs_of web1 | wc -l)" 1 'incs'
must ev inc --at "$(hour_ago '9 days')" web1
must systemctl start evojail-rm.service
equal "$(incs_of web1 | wc -l)" 1 'incs after the thinning'
must systemctl enable --now evojail-inc.timer evojail-rm.timer
must systemctl list-timers
must_print 'evojail-inc.timer'
must_print 'evojail-rm.timer'

step 'firewall rules come back'
systemctl -q is-active evojail-firewall.service || fail 'no jail has brought the watcher along'
rules_there() { [[ $(nft list table inet evojail 2>/dev/null) == *"$(port_of web1)"* ]]; }
until_true 20 'the rules are there' rules_there
nft flush ruleset
flushed=$EPOCHREALTIME
until_true 20 'the rules are back' rules_there
# A second it may take; on a machine as busy as a test's, five.
((${EPOCHREALTIME/[.,]/} - ${flushed/[.,]/} < 5000000)) || fail 'the rules were away for more than five seconds'

step 'a jail that cannot start: systemd has the reason, and so has the user'
echo COLOUR=blue >>"$CONF/web1.d/jail.conf"
must ev stop web1
must_exit 1 ev start web1
must_say 'jail\.conf.*line'
sed -i '$d' "$CONF/web1.d/jail.conf"
systemctl reset-failed "$(unit_of web1)"
must ev start web1

step 'what starts at boot follows the jails'
must ev rename db-1.example db2
must systemctl is-enabled "$(unit_of db2)"
must_print '^enabled$'
! systemctl -q is-enabled "$(unit_of db-1.example)" || fail 'a name that is no more starts at boot'
must ev rename db2 db-1.example
must ev freeze db-1.example --reason drill
must_print 'no longer starts at boot'
! systemctl -q is-enabled "$(unit_of db-1.example)" || fail 'a frozen jail starts at boot'
must ev inc-release db-1.example
must systemctl -q enable "$(unit_of db-1.example)"

step 'removed: no unit is left running, none starts at boot'
must ev remove web1 --force
must ev remove db-1.example --force
equal "$(systemctl list-units --plain --no-legend 'evojail@*' --state=active)" ''
for name in web1 db-1.example; do
  ! systemctl -q is-enabled "$(unit_of "$name")" || fail "$name, removed, starts at boot"
done
must systemctl stop evojail-firewall.service
equal "$(systemctl list-units --failed --plain --no-legend 'evojail*')" '' 'failed units'
touch /results/passed
