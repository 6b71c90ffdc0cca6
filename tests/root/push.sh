#!/bin/bash
# A client pushes a tree with everything in it and gets the same back, on every kind of volume: rsync, SFTP,
# scp, and the shell that its probe asks for. What lies on the backup disk is compared too.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_tree "$T/tree"

on_volume() {
  local type=$1
  step "$type"
  make_volume "$type" 600 "$T/$type"
  settle "$T/$type"
  new_jail web1

  note 'rsync -aAXH ends with 0'
  must push -aAXH "$T/tree/" web1:/data/tree/
  equal "$ERR" '' 'rsync complained'

  note 'a dry run back finds no difference'
  must push -aAXHni --delete web1:/data/tree/ "$T/tree/"
  equal "$OUT" '' 'differences'

  note 'true owners, modes, times, ACLs and attributes lie on the backup disk'
  must_equal_trees "$T/tree" "$JAILS/web1/data/tree" "the pushed tree on $type differs"

  note 'a change is seen: the comparison above could have failed'
  must in_jail web1 'echo more >>/data/tree/contents/large'
  must push -aAXHni --delete web1:/data/tree/ "$T/tree/"
  must_print '^>f.*contents/large$'

  note 'pulled back whole, it is the same tree'
  must push -aAXH "$T/tree/" web1:/data/tree/
  must push -aAXH web1:/data/tree/ "$T/back-$type/"
  must_equal_trees "$T/tree" "$T/back-$type" 'the tree that came back differs'

  note '/data is /var/backup, and /var/log can be written'
  must in_jail web1 'cmp /data/tree/contents/large /var/backup/tree/contents/large'
  must in_jail web1 'echo line >/var/log/PROG.SYNC.rsync.log'
  equal "$(cat "$JAILS/web1/var/log/PROG.SYNC.rsync.log")" line

}

other_tools() {
  step 'sftp, scp, ssh -t'
  local large=$T/tree/contents/large
  printf 'put %s /data/by-sftp\nget /data/by-sftp %s\n' "$large" "$T/from-sftp" | ftp web1 >"$T/sftp.out"
  must cmp "$large" "$T/from-sftp"
  must copy "$large" web1:/data/by-scp
  must copy -O "$large" web1:/data/by-old-scp
  must copy web1:/data/by-scp "$T/from-scp"
  must cmp "$large" "$T/from-scp"
  must cmp "$large" "$JAILS/web1/data/by-old-scp"

  note 'the probe of a client: ssh -t HOST exit, with and without a terminal'
  must in_jail -t web1 exit
  must in_jail -tt web1 exit
  must script -qec "ssh -F '$T/client/ssh_config' -t web1 exit" /dev/null
  must script -qec "ssh -F '$T/client/ssh_config' -t web1 tty" /dev/null
  must_print '/dev/pts/'
  must_exit 7 in_jail web1 'exit 7'
}

on_volume ext4
forget_jail web1
on_volume xfs
forget_jail web1
on_volume btrfs
other_tools
