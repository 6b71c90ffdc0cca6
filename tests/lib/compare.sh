# shellcheck shell=bash
# Trees as text, one entry a line, so that two can be compared and a difference be read.

# list_tree DIRECTORY: every entry with type, mode, owner, size, time to the nanosecond, link target,
# ACL, extended attributes and a checksum of its content. Names of one inode show as equal to the first.
# Sizes of directories and numbers of inodes are the file system's own affair and stay out.
list_tree() (
  cd "$1" || exit
  export LC_ALL=C
  echo '-- entries'
  find . -printf '%p\0%y %m %U:%G %s %T@ -> %l\0' | escape_pairs | sed -E 's/( d [0-9]+ [0-9:]+ )[0-9]+ /\1- /' |
    sort
  echo '-- devices'
  find . \( -type b -o -type c \) -print0 | sort -z | xargs -0r stat -c '%n %F %t:%T'
  echo '-- contents'
  find . -type f -print0 | sort -z | xargs -0r sha256sum --zero | tr '\n\0' '\1\n'
  echo '-- hard links'
  find . -type f -links +1 -printf '%i\0%p\0' | escape_pairs | sort |
    awk '{ i = $1; sub(/^[0-9]+ /, ""); if (i == last) print first " = " $0; else { first = $0; last = i } }' | sort
  echo '-- ACLs and attributes'
  find . ! -type l -print0 | sort -z | xargs -0r getfacl -nPsp -- 2>/dev/null
  find . -print0 | sort -z | xargs -0r getfattr -hd -m - -e hex -- 2>/dev/null |
    sed -E '/^(system\.posix_acl|trusted\.SGI_ACL)/d' | list_attributes
)

# Two NUL-terminated strings a line, newlines within them made visible.
escape_pairs() { tr '\n\0' '\1\n' | paste -d' ' - -; }

# getfattr prints in the order of the disk; here the order is that of the names.
list_attributes() { awk '/^# file/ { f = $0; next } NF { print f " " $0 }' | sort; }

# must_equal_trees A B [WHAT]: any difference is printed and ends the test.
must_equal_trees() {
  list_tree "$1" >"$T/list.a"
  list_tree "$2" >"$T/list.b"
  diff "$T/list.a" "$T/list.b" >"$T/list.diff" ||
    fail "${3:-the trees differ}: $(head -n 20 "$T/list.diff" | cut -c 1-300)"
}

# inodes DIRECTORY...: the inodes of all files below, sorted; the file system is one.
inodes() { find "$@" ! -type d -printf '%D:%i\n' | sort -u; }
