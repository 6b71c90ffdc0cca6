#!/bin/bash
# Each bad input, one by one: a clear line on stderr, nothing on stdout, the right exit code, and nothing changed:
# not a file, not a rule, not a process.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
new_jail web1
must ev init db1
must ev inc --at "$(hour_ago '1 day')" web1
supervisor=$(supervisor_of web1)

step 'names'
for name in '' . .. all -x .hidden _x 'a b' a/b ../web2 'a;b' $'a\nb' ünï web1.d "$(printf 'a%.0s' {1..65})"; do
  bad 1 'name' ev init -- "$name"
done
for command in start stop restart reload is-on status port ip key remove firewall; do
  bad 2 "no jail.*nosuch|nosuch.*no such jail|no such jail.*nosuch" ev "$command" nosuch
done
for command in inc rm; do bad 2 'nosuch' ev "$command" nosuch; done
bad 1 'exist' ev init web1

step 'ports'
for port in 0 65536 -1 22x '' 99999999999999999999 0x50 '22 '; do
  bad 1 'port' ev port db1 -- "$port"
done
bad 1 'port.*use|taken|web1' ev port db1 "$(port_of web1)"
socat TCP-LISTEN:2999,fork,reuseaddr /dev/null &
until_true 30 'a foreign service listens' something_listens 2999
bad 1 '2999' ev port db1 2999

step 'addresses'
for address in nonsense 1.2.3 1.2.3.256 1.2.3.4/33 1.2.3.4/24 ::1/129 fe80::/200 ::ffff:1.2.3.4 '1.2.3.4 5.6.7.8' \
  '' example.org; do
  bad 1 'address|network|bits' ev ip web1 -- "$address"
done
bad 1 '192\.0\.2\.99' ev ip web1 --remove 192.0.2.99

step 'keys'
bad 1 'No such file' ev key web1 "$T/nosuch.pub"
: >"$T/empty"
bad 1 'key' ev key web1 "$T/empty"
bad 1 'private|key' ev key web1 "$T/client/id"
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA short' >"$T/cut.pub"
bad 1 'line 1' ev key web1 "$T/cut.pub"
{ cat "$T/client/id.pub"; echo 'not a key'; } >"$T/second.pub"
bad 1 'line 2' ev key web1 "$T/second.pub"
bad 1 'key' ev key web1 "$T"

step 'settings of a jail'
good=$(cat "$CONF/web1.d/jail.conf")
for line in 'COLOUR=blue' 'PORT=99999' 'MAX_SESSIONS=0' 'ALLOW=nobody' 'just words' 'PROFILE=../../etc/passwd' \
  'TMP_SIZE=lots'; do
  printf '%s\n%s\n' "$good" "$line" >"$CONF/web1.d/jail.conf"
  bad 1 "jail\.conf.* line [0-9]+" ev reload web1
  bad 1 "jail\.conf.* line [0-9]+" ev restart web1
done
printf '%s\nPROFILE=nosuch\n' "$good" >"$CONF/web1.d/jail.conf"
bad 1 'nosuch' ev restart web1
printf '%s\n' "$good" >"$CONF/web1.d/jail.conf"
equal "$(supervisor_of web1)" "$supervisor" 'the jail does not run any more'

step 'settings of the host'
cp "$T/settings" "$T/settings.good"
for line in 'COLOR=blue' 'JAILDIR=relative' 'DISK_RESERVE=200' 'CONFDIR=$(id)' 'JAILDIR=/somewhere/else'; do
  echo "$line" >>"$T/settings"
  bad 1 "settings.* line [0-9]+" ev list
  cp "$T/settings.good" "$T/settings"
done
bad 1 'No such file' "$EVOJAIL" --config "$T/nosuch" list

step 'policies'
for line in '+%Y-%m-%d' '%Y.-1day' '+%H.-1day' '+%Y-%m-%d.-1hour' '+%Y-%m-%d.1day' ''; do
  printf '%s\n' "$line" >"$CONF/web1.d/incs_policy"
  bad 1 'incs_policy' ev rm web1
  bad 1 'incs_policy' ev rm --dry-run web1
done
policy web1 '+%Y-%m-%d.-0day'

step 'settings of one jail among others'
ln -s loop.d "$CONF/loop.d"
mkdir -p "$CONF/torn.d" "$CONF/empty.d" "$CONF/dir.d/jail.conf"
echo stray | tee "$CONF/stray" "$CONF/file.d" >/dev/null
echo 'PORT=' >"$CONF/torn.d/jail.conf"
must_exit 1 ev list
equal "$OUT" $'db1\ndir\nloop\ntorn\nweb1'
must_say "^evojail: 3 of 5 jails failed:"
must_say "loop: .*Too many levels"
must_say "torn: .*jail\.conf' line 1"
equal "$(wc -l <<<"$ERR")" 4 'more than a line each'
hour=$(hour_ago '2 days')
must_exit 1 ev inc --at "$hour"
must_say "jail 'loop': .*Too many levels"
for jail in db1 web1; do
  [[ -d $INCS/$jail/$hour ]] || fail "no inc of $jail"
done
policy torn none
mkdir -p "$INCS/torn/$hour" && chmod 700 "$INCS/torn"
must_exit 1 ev rm
must_say "torn.*jail\.conf' line 1"
[[ ! -e $INCS/web1/$hour && -e $INCS/torn/$hour ]] || fail "rm: $(ls "$INCS"/*)"
must_exit 1 ev firewall all
must_print '^web1: port'
rm -r "$CONF"/{loop,torn,empty,dir,file}.d "$CONF/stray" "$INCS/torn"

step 'incs'
for name in 2026-13-01-00 2026-02-30-00 2026-01-01-24 2026-1-1-1 yesterday ../x; do
  bad 1 'inc|%Y' ev inc --at "$name" web1
done

step 'the volume'
chmod 755 "$JAILS"
bad 1 "$JAILS" ev start db1
bad 1 "$JAILS" ev init new1
chmod 700 "$JAILS"
mkdir "$T/plain"
mount -t tmpfs plain "$T/plain"
sed "s|^JAILDIR=.*|JAILDIR=$T/plain/jails|; s|^INCDIR=.*|INCDIR=$T/plain/incs|; s|^CONFDIR=.*|CONFDIR=$T/plain/etc|" \
  "$T/settings" >"$T/settings.tmpfs"
bad 1 'btrfs|ext4|xfs' "$EVOJAIL" --config "$T/settings.tmpfs" init new1
equal "$(find "$T/plain" -mindepth 1)" '' 'directories were made on a volume that is refused'
# A host where nothing has been made yet: what is refused leaves it so.
sed "s|=$T/volume/|=$T/volume/fresh/|; s,=$T/\(conf\|lib\|run\|log\)$,=$T/fresh/\1," "$T/settings" >"$T/settings.fresh"
fresh() { "$EVOJAIL" --config "$T/settings.fresh" "$@"; }
bad 1 '2999' fresh init new1 --port 2999
bad 1 'port' fresh init new1 --port 70000
bad 1 'No such file' fresh init new1 --key "$T/nosuch.pub"
[[ ! -e $T/fresh && ! -e $T/volume/fresh ]] || fail 'a refused init made directories'
# In a network namespace of its own: whoever watches over the rules here does not let them go for those of strangers.
apart() { unshare --net "$EVOJAIL" --config "$T/settings.fresh" "$@"; }
must apart init new1 --port 2998
must apart remove new1 --force

step 'no root'
for command in 'init new1' 'start db1' 'inc' 'rm' 'remove web1 --force'; do
  read -ra words <<<"$command"
  bad 1 'root' setpriv --reuid=65534 --regid=65534 --clear-groups \
    "$EVOJAIL" --config "$T/settings" "${words[@]}"
done

step 'the running jail has noticed nothing'
equal "$(supervisor_of web1)" "$supervisor"
must in_jail web1 'echo served'
