#!/bin/bash
# A slip of the hand is refused, changes nothing, and the answer says how the thing that was meant is done.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume btrfs 600 "$T/volume"
settle "$T/volume"
new_jail web1
must ev init db1
inc=$(hour_ago '1 day')
must ev inc --at "$inc" web1
policy web1 none

# hint CODE PATTERN HINT COMMAND...: as bad, with a hint like that.
hint() {
  local wanted=$3
  bad "$1" "$2" "${@:4}"
  must_say "^hint: .*$wanted"
}

step 'a name beside all'
for command in rm 'rm --dry-run' 'rm --explain' inc; do
  read -ra words <<<"$command"
  for names in 'all typo' 'typo all' 'all web1' 'web1 all db1'; do
    read -ra more <<<"$names"
    hint 1 "'all'.*'(typo|web1)'" 'either' ev "${words[@]}" "${more[@]}"
  done
done
must ev rm --dry-run all all
equal "$OUT" "remove web1/$inc"

step 'an inc where a jail is wanted'
for command in rm inc; do hint 1 "web1/$inc.* inc" 'evojail' ev "$command" "web1/$inc"; done
hint 1 'inc' 'evojail rm web1 --explain.*by hand' ev rm "web1/$inc"
hint 1 'inc' "evojail inc web1 --at $inc" ev inc "web1/$inc"
for command in status start list-incs key 'freeze --reason x'; do
  read -ra words <<<"$command"
  hint 1 "web1/$inc" "'web1'" ev "${words[@]}" "web1/$inc"
done

step 'all where one jail is wanted, and words in another order'
for command in key port is-on list-incs archive 'remove --force' 'freeze --reason x'; do
  read -ra words <<<"$command"
  hint 1 "'all' cannot be a jail's name" 'every jail' ev "${words[@]}" all
done
hint 1 "no command 'web1'" 'evojail start web1' ev web1 start
hint 1 "no command 'web1'" 'evojail --help' ev web1 begin

step 'a jail where an inc is wanted'
for word in web1 web1/; do
  hint 1 "'$word' names no inc" 'web1/.*evojail list-incs web1' ev inc-hold "$word" --reason x
done
hint 1 "'.meta' cannot be the name of an inc" 'evojail list-incs web1' ev inc-hold web1/.meta --reason x
for command in inc-lock inc-unlock inc-release; do
  hint 1 "'web1/' names no inc" 'evojail list-incs web1' ev "$command" web1/
  hint 2 "no such jail: 'nosuch'" 'evojail list' ev "$command" "nosuch/$inc"
  hint 1 "'web1' has no inc '2020-01-01-00'" 'evojail list-incs web1' ev "$command" web1/2020-01-01-00
  hint 1 'cannot be the name of an inc' 'evojail list-incs web1' ev "$command" web1/a/b
done
hint 1 'INC is missing' 'evojail list-incs web1' ev verify web1
hint 1 "'web1' has no inc '2020-01-01-00'" 'evojail list-incs web1' ev verify web1 2020-01-01-00
hint 1 "'$inc'" 'verify NAME' ev verify "web1/$inc" "$inc"
must ev verify "web1/$inc"
must_print "^inc 'web1/$inc' is as it was taken"
must ev verify web1 "$inc"

step 'addresses'
hint 1 "'all'" 'evojail ip web1 none' ev ip web1 --remove all
hint 1 "'none'" 'evojail ip web1 all' ev ip web1 --remove none
hint 1 'not on the list' 'the list is: all' ev ip web1 --remove 192.0.2.7

step 'keys'
hint 1 "$T/nosuch.pub.*No such file" 'authorized_keys|ssh-keygen' ev key web1 "$T/nosuch.pub"
hint 1 "$T/nosuch.pub.*No such file" 'ssh-keygen' ev init new1 --key "$T/nosuch.pub"
hint 1 'No such file' 'is a key.*standard input' ev key web1 "$(cat "$T/client/id.pub")"

step 'profiles'
hint 1 "'sftp'.*No such file" 'evojail profile check .*/sftp\.json' ev profile check sftp
hint 1 'nosuch' 'evojail profile check' ev profile show "$T/nosuch.json"
hint 1 "'nosuch'" 'evojail profile list' ev profile show nosuch

step 'names that are taken'
hint 1 "jail 'web1' exists already" 'evojail list' ev init web1
hint 1 "jail 'web1' exists already" 'evojail list' ev rename db1 web1
hint 1 "'web1' is its name already" 'evojail list' ev rename web1 web1
# What is left of another jail is seen before sessions end.
mkdir "$CONF/gone.d"
hint 1 "'$CONF/gone.d' exists" 'another name' ev rename web1 gone
rmdir "$CONF/gone.d"
# Nor does a jail that could not be started again end for it.
cp "$CONF/web1.d/jail.conf" "$T/good"
echo COLOUR=blue >>"$CONF/web1.d/jail.conf"
bad 1 "jail\.conf.* line [0-9]+" ev rename web1 web2
cat "$T/good" >"$CONF/web1.d/jail.conf"

# Cut short behind its last step, a renaming goes on as it says.
must ev init old1
must ev rename old1 new1
token="0123456789abcdef" now=$(date +%s)
ln -s "rename $token new1 $now whole" "$INCS/.journal/old1"
ln -s "renamed $token old1 $now whole" "$INCS/.journal/new1"
hint 1 "jail 'new1': its renaming .* cut short" 'evojail rename old1 new1' ev start new1
must ev rename old1 new1
must ev start new1
must ev remove new1 --force

step 'host settings'
for option in --config --config=; do bad 1 '--config needs a value' "$EVOJAIL" list "$option"; done
hint 1 "nosuch'.*No such file" 'host settings' "$EVOJAIL" --config "$T/nosuch" list

step 'without root'
# $T may lie where only root comes.
mkdir -m 755 /run/conf
mount --bind "$CONF" /run/conf
sed 's|^CONFDIR=.*|CONFDIR=/run/conf|' "$T/settings" >/run/settings
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$EVOJAIL" --config /run/settings "$@"; }
chmod 755 /run/conf
run nobody list
equal "$CODE $OUT" $'1 db1\nweb1' 'list without root'
must_say '^evojail: the settings of 2 jails .* without root'
must_say '^hint: .*sudo'
equal "$(wc -l <<<"$ERR")" 2 'one line and its hint'
for closed in /run/conf /run/settings; do
  chmod 700 "$closed"
  run nobody list
  equal "$CODE $OUT" '1 '
  must_say "'$closed': Permission denied"
  must_say '^hint: .*root'
  chmod 755 "$closed"
done
