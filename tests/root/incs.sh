#!/bin/bash
# Incs on btrfs, ext4 and xfs: dated copies that a client cannot touch, thinned as the policy says.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

make_client
make_tree "$T/tree"

# An evojail in a prefix of its own, whose base image has one program more; writable places are noexec. The program
# has to lie where the image's programs may: on a mount that only this script sees.
with_map_store() {
  local prefix=$T/prefix entry
  entry='{"reason": "A test.", "package": "none", "required": true, "programs": ["/usr/local/sbin/map_store"]},'
  mkdir -p "$prefix/bin" "$prefix/share/evojail"
  cp "$EVOJAIL" "$prefix/bin/"
  cp -r "$EVOJAIL_BUILD/libexec" "$prefix/"
  cp -rL "$EVOJAIL_BUILD/share/evojail/profiles" "$prefix/share/evojail/"
  mount -t tmpfs -o mode=755 tmpfs /usr/local/sbin
  cp "$EVOJAIL_BUILD/tests/map_store" /usr/local/sbin/
  sed -i "0,/\"programs\": \[/s|\"programs\": \[|&$entry|" "$prefix/share/evojail/profiles/base-image.json"
  EVOJAIL=$prefix/bin/evojail
}
with_map_store

# map_file FILE: a session that has a file of the jail mapped and has stored into it; store_mapped stores again.
map_file() {
  rm -f "$T/map.in"
  mkfifo "$T/map.in"
  : >"$T/map.out"
  in_jail web1 /usr/local/sbin/map_store "$1" <"$T/map.in" >"$T/map.out" 2>&1 &
  MAPPER=$!
  exec {MAP_INPUT}>"$T/map.in"
  until_true 30 "'$1' is mapped" grep -qx mapped "$T/map.out"
}
store_mapped() {
  echo now >&"$MAP_INPUT"
  exec {MAP_INPUT}>&-
  wait "$MAPPER" || fail "the store through the mapping failed: $(cat "$T/map.out")"
}

on_volume() {
  local type=$1 older newer inode
  older=$(hour_ago '1 day')
  step "$type"
  make_volume "$type" 1000 "$T/$type"
  settle "$T/$type"
  new_jail web1
  must push -aAXH "$T/tree/" web1:/data/tree/
  must in_jail web1 'echo version one >/data/document; seq 2000 >/data/mapped; seq 2000 >/data/notrunc'
  seq 50000 >"$T/inplace"
  must push -a "$T/inplace" web1:/data/
  inode=$(stat -c %i "$JAILS/web1/data/inplace")
  map_file /data/mapped

  note 'two incs around a change; what the client does later does not reach them'
  must ev inc --at "$older" web1
  must_say 'is partial: a push was in flight'
  equal "$(head -c 6 "$INCS/web1/$older/data/mapped")" before
  list_tree "$INCS/web1/$older/data" >"$T/older.$type"
  must_equal_trees "$T/tree" "$INCS/web1/$older/data/tree" 'the inc differs from what was pushed'
  must in_jail web1 'cd /data
    echo version two >document
    echo appended >>tree/contents/large
    : >tree/links/first
    chmod 600 tree/attributes/xattr
    chown 5:5 tree/owner-33/file
    touch -d 2001-01-01 tree/contents/sparse
    setfattr -n user.plain -v changed tree/attributes/xattr
    setfacl -b tree/attributes/acl
    mv tree/names renamed
    rm -rf tree/modes
    printf OVERWRITTEN | dd of=notrunc bs=1 seek=100 conv=notrunc 2>/dev/null'
  sed 's/^777$/888/' "$T/inplace" >"$T/changed" && touch -r "$T/changed" -d '1 hour ago' "$T/changed"
  cp -p "$T/changed" "$T/inplace"
  must push -a --inplace --no-whole-file "$T/inplace" web1:/data/
  equal "$(stat -c %i "$JAILS/web1/data/inplace")" "$inode" 'rsync wrote another file'
  store_mapped
  must ev inc web1
  newer=$(incs_of web1 | tail -n 1)
  [[ $newer > $older ]] || fail "incs: $(incs_of web1)"
  list_tree "$INCS/web1/$older/data" >"$T/older.$type.now"
  diff "$T/older.$type" "$T/older.$type.now" >"$T/diff" || fail "history was rewritten: $(head -n 20 "$T/diff")"
  equal "$(cat "$INCS/web1/$older/data/document")" 'version one'
  equal "$(cat "$INCS/web1/$newer/data/document")" 'version two'
  note 'overwritten in place, by dd, rsync and a store through a mapping: the later inc has it, the older has not'
  equal "$(head -c 6 "$INCS/web1/$newer/data/mapped")" 'after!'
  equal "$(head -c 111 "$INCS/web1/$newer/data/notrunc" | tail -c 11)" OVERWRITTEN
  must cmp "$T/changed" "$INCS/web1/$newer/data/inplace"
  equal "$(sed -n 777p "$INCS/web1/$older/data/inplace")" 777
  equal "$(head -c 6 "$INCS/web1/$older/data/mapped")" before
  must_equal_trees "$JAILS/web1/data" "$INCS/web1/$newer/data" 'the second inc differs from the jail'

  note 'no inode is reachable both from the jail and from an inc'
  disjoint "$type"

  note 'host keys and authorized keys are in no inc'
  equal "$(find "$INCS/web1/$older" "$INCS/web1/$newer" -name 'ssh_host_*' -o -name authorized_keys)" ''

  note 'an inc that exists is skipped with a warning'
  must ev inc web1
  must_say "$newer"
  equal "$(incs_of web1 | wc -l)" 2

  note 'rm thins as the policy says'
  policy web1 '# only today' '' '+%Y-%m-%d.-0day'
  must ev rm --dry-run web1
  equal "$(grep '^remove' <<<"$OUT")" "remove web1/$older"
  must ev rm --dry-run --explain web1
  must_print "$newer"
  equal "$(incs_of web1 | wc -l)" 2 'a dry run removed something'
  must ev rm web1
  equal "$(incs_of web1)" "$newer"
  disjoint "$type"

  note 'an entry that is not named as an inc is never removed'
  mkdir "$INCS/web1/by-hand"
  policy web1 none
  must ev rm web1
  equal "$(incs_of web1)" ''
  [[ -d $INCS/web1/by-hand ]] || fail 'rm removed what is not an inc'
}

# On btrfs the device of a subvolume is its own, so the same number there is another inode.
disjoint() {
  inodes "$JAILS/web1" >"$T/inodes.jail"
  inodes "$INCS/web1" >"$T/inodes.incs"
  [[ -s $T/inodes.jail && -s $T/inodes.incs ]] || fail 'no inodes to compare'
  equal "$(comm -12 "$T/inodes.jail" "$T/inodes.incs")" '' "inodes shared on $1"
}

on_volume btrfs
forget_jail web1
on_volume ext4
forget_jail web1
on_volume xfs

step 'policies that stop the removal'
must ev inc --at "$(hour_ago '1 day')" web1
must ev inc web1
for bad in '' '# nothing' 'yesterday' '+%Y-%m-%d.-1fortnight' '+%Y-%m-%d.1day'; do
  policy web1 "$bad"
  must_exit 1 ev rm web1
  must_say 'web1'
  equal "$(incs_of web1 | wc -l)" 2 "with the policy '$bad' incs were removed"
done

step 'no policy: no inc is taken and none removed'
rm "$CONF/web1.d/incs_policy"
must ev rm web1
must ev inc --at "$(hour_ago '2 days')" web1
equal "$(incs_of web1 | wc -l)" 2
