#!/bin/bash
# Extended attributes of every namespace that rsync -X of root sends: which are kept, which are not and how
# the client learns it, and the two ways around that need no privilege.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_volume ext4 400 "$T/volume"
settle "$T/volume"
new_jail web1
all=(-aAXHS --devices --specials --numeric-ids)

# rsync leaves a time alone that differs in its fraction of a second only.
long_ago() { find "$T/source" -exec touch -h -d '2021-03-28 01:02:03.123456789' {} +; }

# source_with NAME VALUE: a tree whose file, directory and device node carry that attribute.
source_with() {
  rm -rf "$T/source"
  mkdir -p "$T/source/directory"
  echo content >"$T/source/file"
  mknod "$T/source/node" c 1 3
  local entry
  for entry in file directory node; do
    [[ $1 == user.* && $entry == node ]] || setfattr -n "$1" -v "$2" "$T/source/$entry"
  done
  long_ago
}

# kept NAME VALUE: a push ends with 0, and disk, inc and restore have it.
kept() {
  source_with "$@"
  must push "${all[@]}" --delete "$T/source/" web1:/data/kept/
  equal "$ERR" '' 'rsync complained'
  must push "${all[@]}" -i --delete "$T/source/" web1:/data/kept/
  equal "$OUT" '' 'a second run did something'
  must_equal_trees "$T/source" "$JAILS/web1/data/kept" "$1 on the disk"
  must push "${all[@]}" --delete web1:/data/kept/ "$T/back/"
  must_equal_trees "$T/source" "$T/back" "$1 that came back"
}

step 'kept: user, file capabilities, ACLs, labels of SELinux'
kept user.note text
kept security.capability 0x0100000200200000000000000000000000000000
[[ $(getcap "$T/back/file") == *cap_net_raw* ]] || fail 'that was no file capability'
kept security.selinux system_u:object_r:etc_t:s0
source_with user.note text
setfacl -m u:70000:rw "$T/source/file" "$T/source/node"
setfacl -d -m u:33:rx "$T/source/directory"
must push "${all[@]}" "$T/source/" web1:/data/acl/
must_equal_trees "$T/source" "$JAILS/web1/data/acl" 'ACLs on the disk'

# not_kept NAME: rsync ends with 23 and names file and attribute; everything else has arrived.
not_kept() {
  source_with "$1" value
  setfattr -n user.note -v text "$T/source/file"
  must_exit 23 push "${all[@]}" "$T/source/" "web1:/data/$1/"
  must_say "setxattr\(\".*file.*\",\"$1\"\) failed: Operation not permitted"
  equal "$(cat "$JAILS/web1/data/$1/file")" content
  equal "$(getfattr --absolute-names --only-values -n user.note "$JAILS/web1/data/$1/file")" text
  [[ -c $JAILS/web1/data/$1/node ]] || fail 'the node has not arrived'
  equal "$(getfattr --absolute-names -h -m "^$1" "$JAILS/web1/data/$1/file")" '' 'it was kept'
}

step 'not kept, and said so: trusted.*'
not_kept trusted.foo
not_kept trusted.overlay.opaque

# Up to Linux 6.1 a jail could set these; either they are kept or the client is told.
step 'other security.*: kept, or said so'
source_with security.foo value
run push "${all[@]}" "$T/source/" web1:/data/security/
if ((CODE == 0)); then
  must_equal_trees "$T/source" "$JAILS/web1/data/security" 'what rsync says it has kept'
else
  equal "$CODE" 23
  must_say '"security\.foo"\) failed: Operation not permitted'
fi

step 'left out by a filter of the client, a push ends with 0 and keeps the rest'
leave_out=(--filter='-x trusted.*' --filter='-x security.foo' --filter='-x system.*')
source_with user.note text
setfattr -n trusted.foo -v value "$T/source/file"
setfattr -n security.foo -v value "$T/source/directory"
setcap cap_net_raw=ep "$T/source/file"
setfacl -m u:33:rw "$T/source/file"
must_exit 23 push "${all[@]}" "$T/source/" web1:/data/whole/
must push "${all[@]}" "${leave_out[@]}" "$T/source/" web1:/data/filtered/
equal "$ERR" '' 'rsync complained'
must push "${all[@]}" -i "${leave_out[@]}" "$T/source/" web1:/data/filtered/
equal "$OUT" '' 'a second run did something'
setfattr -x trusted.foo "$T/source/file"
setfattr -x security.foo "$T/source/directory"
must_equal_trees "$T/source" "$JAILS/web1/data/filtered" 'what was not left out'

step 'kept whole by --fake-super on the far side'
source_with trusted.foo value
mkdir -m 2775 "$T/source/deep"
mkfifo "$T/source/deep/fifo"
setfattr -n security.foo -v value "$T/source/file"
setcap cap_net_raw=ep "$T/source/file"
ln "$T/source/file" "$T/source/deep/same"
ln -s ../file "$T/source/deep/link"
mknod "$T/source/deep/disk" b 8 1
chown -h 33:70000 "$T/source/deep"/* "$T/source/directory"
chmod 4755 "$T/source/file"
setcap cap_net_raw=ep "$T/source/file"
long_ago
must push "${all[@]}" -M--fake-super "$T/source/" web1:/data/fake/
equal "$ERR" '' 'rsync complained'
must push "${all[@]}" -i -M--fake-super "$T/source/" web1:/data/fake/
equal "$OUT" '' 'a second run did something'
must push "${all[@]}" -M--fake-super web1:/data/fake/ "$T/back-fake/"
must_equal_trees "$T/source" "$T/back-fake" 'what came back'
