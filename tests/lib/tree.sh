# shellcheck shell=bash
# A tree with everything that a backup has to bring back.

# The owners: root, a service account, nobody, one beyond 16 bits, one as a directory service hands out.
TREE_OWNERS=(0 33 65534 70000 1000000500)

# make_tree DIRECTORY: makes it, always the same.
make_tree() {
  local dir=$1 id
  mkdir -p "$dir"
  for id in "${TREE_OWNERS[@]}"; do
    mkdir "$dir/owner-$id"
    printf 'a file of %s\n' "$id" >"$dir/owner-$id/file"
    ln -s file "$dir/owner-$id/link"
    chown -h "$id:$id" "$dir/owner-$id" "$dir/owner-$id"/*
  done
  chown 33:70000 "$dir/owner-33/file"
  make_modes "$dir/modes"
  make_links "$dir/links"
  make_attributes "$dir/attributes"
  make_names "$dir/names"
  make_contents "$dir/contents"
  find "$dir" -depth -exec touch -h -d '2021-03-28 01:02:03.123456789' {} +
}

make_modes() {
  local mode
  mkdir "$1"
  for mode in 0000 0400 0644 0755 1644 2755 4755 6777; do
    echo "$mode" >"$1/file-$mode"
    mkdir "$1/dir-$mode"
    chmod "$mode" "$1/file-$mode" "$1/dir-$mode"
  done
  mkfifo -m 0620 "$1/fifo"
  chown 33:33 "$1/fifo"
}

make_links() {
  mkdir -p "$1/a/b"
  echo 'one inode, three names' >"$1/first"
  ln "$1/first" "$1/a/second"
  ln "$1/first" "$1/a/b/third"
  ln -s /etc/shadow "$1/absolute"
  ln -s ../../../../../../etc/shadow "$1/out"
  ln -s nowhere "$1/dangling"
  ln -s . "$1/loop"
}

make_attributes() {
  mkdir "$1" "$1/inherits"
  echo acl >"$1/acl"
  setfacl -m u:33:rw,u:70000:r,u:1000000500:rwx,g:65534:r,m::rwx "$1/acl"
  setfacl -d -m u:70000:rwx,g:33:rx "$1/inherits"
  echo xattr >"$1/xattr"
  setfattr -n user.plain -v text "$1/xattr"
  setfattr -n user.binary -v 0x00ff0a0d "$1/xattr"
  setfattr -n user.empty -v '' "$1/inherits"
  echo capable >"$1/capable"
  chmod 755 "$1/capable"
  setcap cap_net_raw,cap_dac_read_search=ep "$1/capable"
}

make_names() {
  local name
  mkdir "$1"
  # shellcheck disable=SC2016
  for name in $'new\nline' $'tab\there' ' leading and trailing ' '-rf' '--delete' '*' '?' '[a]' '$(x)' '`x`' \
    "it's" 'say "so"' 'back\slash' '#comment' $'\xff\xfe bytes' $'\x01\x02' 'ünïcödé' '~' '...' '.hidden' \
    "$(printf 'n%.0s' {1..255})"; do
    echo "content of a file with an odd name" >"$1/$name"
  done
  name=$1
  for _ in {1..12}; do name+=/$(printf 'd%.0s' {1..100}); done
  mkdir -p "$name"
  echo deep >"$name/file"
}

make_contents() {
  mkdir "$1" "$1/empty-directory"
  : >"$1/empty"
  seq 1 200000 >"$1/large"
  truncate -s 64M "$1/sparse"
  printf 'in the middle' | dd of="$1/sparse" bs=1 seek=33554432 conv=notrunc status=none
}
