# shellcheck shell=bash
# Volumes in files, on loop devices that go when the mount goes.

# make_volume TYPE MEGABYTES DIRECTORY: a fresh btrfs, ext4 or xfs, mounted as evojail wants its volume.
# Its file lies in $T, or in $VOLUME_IMAGES.
make_volume() {
  local type=$1 megabytes=$2 directory=$3 image
  image=$(mktemp "${VOLUME_IMAGES:-$T}/volume.XXXXXX")
  truncate -s "${megabytes}M" "$image"
  local force=-f
  [[ $type != ext4 ]] || force=-F
  "mkfs.$type" -q "$force" "$image" >"$T/mkfs" 2>&1 || fail "making a volume of $type: $(cat "$T/mkfs")"
  mkdir -p "$directory"
  mount -t "$type" -o loop,nosuid,nodev,noexec "$image" "$directory" ||
    skip_unless_known "$type"
}

# mount(8) has failed: because the kernel does not know the file system, or for another reason?
skip_unless_known() {
  grep -qw "$1" /proc/filesystems && fail "mounting a volume of $1"
  skip_kernel_lacks "$1"
}
