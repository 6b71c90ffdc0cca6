#!/bin/bash
# After a reboot the next inc reads everything again, unless the jail was stopped in good order before it. A boot is
# what the kernel calls it: here a file over its id.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
boots=0
reboot() {
  printf '%08d-0000-4000-8000-000000000000\n' "$((++boots))" >"$T/boot.$boots"
  mount --bind "$T/boot.$boots" /proc/sys/kernel/random/boot_id
}
older_than_stamps_tell() { (($(date +%s) - $(stat -c %Z "$1") > 3)); }

on_volume() {
  local type=$1 read
  step "$type"
  make_volume "$type" 600 "$T/$type"
  settle "$T/$type"
  new_jail web1
  must in_jail web1 'seq 100000 >/data/numbers'
  must ev stop web1
  until_true 30 'the stamps are old' older_than_stamps_tell "$JAILS/web1/data/numbers"
  must ev inc --at "$(hour_ago '9 days')" web1

  note 'nothing is read within one boot'
  read_anew 0 '8 days'

  note 'nor after a stop in good order, the jail running or not'
  reboot
  read_anew 0 '7 days'
  must ev start web1
  must ev stop web1
  reboot
  must ev start web1
  read_anew 0 '6 days'
  must ev stop web1

  note 'a supervisor that is killed is no crash of the machine'
  must ev start web1
  kill_supervisor
  read_anew 0 '5 days'

  note 'but the machine goes down with it then: all is read, once'
  reboot
  read_anew "$(stat -c %s "$JAILS/web1/data/numbers")" '4 days'
  read_anew 0 '3 days'

  note 'the same where the jail was started again before'
  must ev start web1
  kill_supervisor
  reboot
  must ev start web1
  must ev stop web1
  read_anew "$(stat -c %s "$JAILS/web1/data/numbers")" '2 days'
  forget_jail web1
  [[ ! -e $T/lib/boots/web1 ]] || fail 'a removed jail is remembered'
}

# read_anew BYTES AGE: an inc compares so many bytes and copies none.
read_anew() {
  must ev inc --json --at "$(hour_ago "$2")" web1
  must_print "\"compared_bytes\": $1\$"
  must_print '"copied_bytes": 0,'
}

kill_supervisor() {
  local pid
  pid=$(supervisor_of web1)
  kill -KILL "$pid"
  until_true 30 'the supervisor has gone' gone "$pid"
}
gone() { [[ ! -d /proc/$1 ]]; }

reboot
on_volume ext4
on_volume xfs
