#!/bin/bash
# A Debian's root file system, /dev and all, pushed by unmodified rsync in the ways of both generations of
# clients: it ends with 0, comes back identical, lies on the disk as it was, and an inc keeps it. The tree is
# that of the system tests, without its largest files and its translations.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

if [[ ${EVOJAIL_WORLD:-} != "$0" ]]; then
  IMAGE=$("$tests_dir/system/image" any)
  export IMAGE
fi
in_own_world "$@"

make_debian() {
  local root=$1 dev=$1/dev
  mkdir "$root"
  tar -C "$root" --numeric-owner --xattrs --xattrs-include='*' -xf "$IMAGE" \
    --exclude='./usr/share/locale/*' --exclude='./usr/share/zoneinfo/*' --exclude='./usr/share/man/*' \
    --exclude='./dev/*'
  find "$root" -type f -size +512k -delete
  make_dev "$dev"
  cp /usr/bin/true "$root/usr/bin/capable"
  setcap cap_net_raw=ep "$root/usr/bin/capable"
  setfacl -m g:4:rx -d -m g:4:rx "$root/var/log"
  setfattr -n user.note -v text "$root/etc/fstab"
  mkdir "$root/home/user"
  chown 1000000500:1000000500 "$root/home/user"
  ln "$root/etc/fstab" "$root/etc/fstab.same"
  truncate -s 8M "$root/var/log/lastlog"
  # rsync takes times within one second for the same, and what comes back may be as old as what was made here.
  find "$root" -mmin -60 -exec touch -h -d '2021-03-29 01:02:03.987654321' {} +
}

make_dev() {
  local dev=$1 name type major minor mode group
  mkdir -p "$dev/pts" "$dev/shm" "$dev/mapper" "$dev/.whiteouts"
  while read -r name type major minor mode group; do
    mknod -m "$mode" "$dev/$name" "$type" "$major" "$minor"
    chown "0:$group" "$dev/$name"
  done <<'NODES'
null c 1 3 0666 0
zero c 1 5 0666 0
full c 1 7 0666 0
random c 1 8 0666 0
urandom c 1 9 0666 0
kmsg c 1 11 0644 0
tty c 5 0 0666 5
console c 5 1 0600 5
ptmx c 5 2 0666 5
tty0 c 4 0 0620 5
ttyS0 c 4 64 0660 20
fuse c 10 229 0666 0
loop0 b 7 0 0660 6
loop-control c 10 237 0660 6
sda b 8 0 0660 6
sda1 b 8 1 0660 6
sr0 b 11 0 0660 24
vda b 254 0 0660 6
nvme0n1 b 259 0 0660 6
mapper/control c 10 236 0600 0
large b 511 1048575 0600 70000
.whiteouts/gone c 0 0 0000 0
NODES
  chmod 4640 "$dev/sda1"
  ln "$dev/sda" "$dev/same-inode"
  ln -s pts/ptmx "$dev/link"
  setfacl -m u:33:rw "$dev/sr0"
  mkfifo -m 0600 "$dev/initctl"
  (cd "$dev" && perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) && bind(S, pack_sockaddr_un("log")) or die')
  find "$dev" -mindepth 1 -exec touch -h -d '2021-03-28 01:02:03.123456789' {} +
}

# nodes DIRECTORY: every device node below, with its numbers.
nodes() { (cd "$1" && find . \( -type b -o -type c \) -exec stat -c '%n %F %t:%T' {} + | sort); }

CHANGES=0
on_volume() {
  local type=$1 inc
  step "$type"
  make_volume "$type" 700 "$T/$type"
  settle "$T/$type"
  new_jail web1

  note 'rsync -aAXHS --devices --specials ends with 0 and says nothing'
  must push -aAXHS --devices --specials "$T/debian/" web1:/var/backup/root/
  equal "$ERR" '' 'rsync complained'
  equal "$(nodes "$JAILS/web1/data/root")" "$(nodes "$T/debian")" 'other device nodes'

  note 'a second run has nothing to do'
  must push -aAXHSi --devices --specials --delete "$T/debian/" web1:/var/backup/root/
  equal "$OUT" '' 'it did something'

  note 'a changed node is seen and brought up to date'
  rm "$T/debian/dev/vda"
  mknod -m 0640 "$T/debian/dev/vda" b 254 $((++CHANGES * 16))
  touch -d "2021-03-28 01:02:04 $CHANGES days" "$T/debian/dev/vda" "$T/debian/dev"
  must push -aAXHSi --devices --specials --delete "$T/debian/" web1:/var/backup/root/
  must_print '^[<c]D[^ ]* dev/vda$'
  equal "$(nodes "$JAILS/web1/data/root")" "$(nodes "$T/debian")" 'other device nodes'

  # A name that only the jail knows must not count on the way back: uid 100 is sshd in every jail.
  note 'what comes back is what went'
  must push -aAXHS --devices --specials --numeric-ids web1:/var/backup/root/ "$T/back/"
  equal "$ERR" '' 'rsync complained'
  must_equal_trees "$T/debian" "$T/back" 'what came back differs'
  rm -rf "$T/back"

  note 'an inc keeps it'
  must ev inc web1
  inc=$(incs_of web1)
  must_equal_trees "$JAILS/web1/data" "$INCS/web1/$inc/data" 'the inc differs'

  note 'with numeric ids it lies on the disk as it was'
  must in_jail web1 'rm -rf /var/backup/root'
  must push -aAXHS --devices --specials --numeric-ids "$T/debian/" web1:/var/backup/numeric/
  must_equal_trees "$T/debian" "$JAILS/web1/data/numeric" 'what lies on the disk differs'

  note 'the client of 2020: -vlogDtprz'
  must push -avz --delete --delete-excluded --force --stats --partial --ignore-errors \
    "$T/debian/dev" "$T/debian/etc" web1:/var/backup/old/
  equal "$ERR" '' 'rsync complained'
  equal "$(nodes "$JAILS/web1/data/old/dev")" "$(nodes "$T/debian/dev")" 'other device nodes'
}

make_client
make_debian "$T/debian"
# The client is that Debian: its names for users and groups are what rsync sends.
for table in passwd group; do
  cp "$T/debian/etc/$table" "$T/$table"
  mount --bind "$T/$table" "/etc/$table"
done
(($(find "$T/debian" | wc -l) > 3000)) || fail 'a tree of that size shows little'
on_volume ext4
forget_jail web1
on_volume btrfs
