#!/bin/bash
# The client against its own history: after an inc was taken, it changes its files by every way that leaves the inode
# what it is. Beside the inc lies a copy by hard links, bkctld's way, which each of them reaches.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
in_own_world "$@"

ROWS=$tests_dir/attack/rows/history
: >"$T/outcomes"
mapfile -t rows < <(awk '!/^#/ { print $1 }' "$ROWS")

# What the client does, one line a row. The file has 64 KiB, and the inc and the copy are there.
attack_files() {
  must in_jail web1 'set -e; cd /data
    printf EVIL | dd of=in-place/file conv=notrunc status=none
    : >truncate/file
    echo EVIL >>append/file
    dd if=/dev/zero of=punch/file bs=4096 count=1 conv=notrunc status=none
    chmod 600 mode/file
    chown 33:33 owner/file
    touch -d 2001-01-01 times/file
    setfacl -m u:33:rwx acl/file
    setfattr -n user.kept -v EVIL attribute/file'
  # An honest client that only changed a mode and a few bytes, and keeps its disk's wear low.
  mkdir -p "$T/honest"
  must push -a web1:/data/honest-rsync/ "$T/honest/"
  chmod 640 "$T/honest/file"
  printf GOOD | dd of="$T/honest/file" conv=notrunc status=none
  must push -a --inplace --no-whole-file "$T/honest/" web1:/data/honest-rsync/
  rm -r "$T/honest"
  printf 'now\n' >&"$HELD_INPUT"
  exec {HELD_INPUT}>&-
  wait "$HELD" || fail 'the session with the open file failed'
}

# hold_file: a session that has a file open for writing from before the inc on.
hold_file() {
  mkfifo "$T/held.input"
  in_jail web1 'exec 3<>/data/held-open/file; echo open; read -r _; printf EVIL >&3' \
    <"$T/held.input" >"$T/held.said" 2>&1 &
  HELD=$!
  exec {HELD_INPUT}>"$T/held.input"
  until_true 30 'a session has a file open' grep -qx open "$T/held.said"
  rm "$T/held.input"
}

# list_rows DIRECTORY OUT: what each row's directory looks like, a file each.
list_rows() {
  local row
  mkdir -p "$2"
  for row in "${rows[@]}"; do list_tree "$1/$row" >"$2/$row"; done
}

# compare_rows WORLD BEFORE AFTER
compare_rows() {
  local row outcome
  for row in "${rows[@]}"; do
    outcome=OK
    ! cmp -s "$2/$row" "$3/$row" || outcome=intact
    printf '%s %s %s\n' "$1" "$row" "$outcome" >>"$T/outcomes"
  done
}

# on_volume TYPE WORLD
on_volume() {
  local type=$1 world=$2 inc
  step "$type"
  make_volume "$type" 600 "$T/$type"
  settle "$T/$type"
  new_jail web1
  must in_jail web1 "cd /data; for row in ${rows[*]}; do
    mkdir \$row; head -c 65536 /dev/urandom >\$row/file; setfattr -n user.kept -v before \$row/file; done"
  hold_file
  run ev inc web1 # with a warning: somebody has a file open
  inc=$INCS/web1/$(incs_of web1)/data
  [[ -d $inc ]] || fail "no inc was taken: $ERR"
  list_rows "$inc" "$T/$type.before"
  if [[ $type == ext4 ]]; then
    cp -al "$JAILS/web1/data" "$VOLUME/linked"
    list_rows "$VOLUME/linked" "$T/linked.before"
  fi
  attack_files
  list_rows "$inc" "$T/$type.after"
  compare_rows "$world" "$T/$type.before" "$T/$type.after"
  if [[ $type == ext4 ]]; then
    list_rows "$VOLUME/linked" "$T/linked.after"
    compare_rows linked "$T/linked.before" "$T/linked.after"
  fi
  forget_jail web1
}

make_client
on_volume ext4 jail
on_volume btrfs btrfs
on_volume xfs xfs

step 'outcomes'
awk -f "$tests_dir/attack/lib/compare.awk" "$ROWS" "$T/outcomes" || fail 'an attack on history did not end as it must'
