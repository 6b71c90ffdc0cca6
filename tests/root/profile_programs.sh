#!/bin/bash
# Every program of the base image, and everything that clients do, in a real jail under its real filter, with
# strace watching from outside. Whatever the filter refuses is on the list of what programs only try: a
# refusal that is not fails the test, and so does one that no longer happens to the kinds it must happen to.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$tests_dir/lib/everyday.sh"
. "$tests_dir/lib/traced_jail.sh"
in_own_world "$@"

# What is refused in normal use, as `profile_trace` writes it, and who tries it to no harm.
tolerated() {
  cat <<'LIST'
socket(0x1) EAFNOSUPPORT            # the C library asks nscd for names, and reads the files then
socket(0x2) EAFNOSUPPORT            # sshd sorts the addresses it would listen on
socket(0xa) EAFNOSUPPORT            # likewise
socket(0x10) EAFNOSUPPORT           # likewise; and the audit log, which sshd does without
clone3(0x0) ENOSYS                  # the C library starts a thread or a program, by clone then
clone3(*) ENOSYS
452(*) ENOSYS                       # fchmodat2: the C library of Debian 13 takes fchmodat then
fchmodat2(*) ENOSYS                 # likewise, as strace of Debian 13 calls it
fallocate(1=0x1) EPERM              # rsync --preallocate says so and goes on without
splice(0x0) EINVAL                  # grep with /dev/null for output reads then
mmap(2=0x6,3=0x22) EPERM            # grep -P compiles its pattern, or interprets it then
fcntl(1=0x6) EINVAL                 # sshd of Debian 13 would write its sessions into a wtmpdb
landlock_create_ruleset(*) EPERM    # xz of Debian 13 would sandbox itself
LIST
}

is_tolerated() {
  local call=$1 errno=$2 pattern wanted _
  while read -r pattern wanted _; do
    pattern=${pattern//'(*)'/'(0x*)'}
    # shellcheck disable=SC2053 # a pattern
    [[ $call == $pattern && $errno == "$wanted" ]] && return 0
  done < <(tolerated)
  return 1
}

# must_all_be_tolerated PROFILE: what its filter refused in $T/trace.
must_all_be_tolerated() {
  local unexpected=0 kind count call errno
  "$EVOJAIL_BUILD/tests/profile_trace" "$PROFILES/$1.json" "$T"/trace/* >"$T/report"
  while read -r kind count call errno; do
    [[ $kind == refused ]] || continue
    is_tolerated "$call" "$errno" && continue
    printf 'refused: %s with %s, %s times\n' "$call" "$errno" "$count" >&2
    unexpected=1
  done <"$T/report"
  ((unexpected == 0)) || fail "under '$1', programs met refusals that are not on the list"
  must grep -q '^refused .* socket(0x1) ' "$T/report"
}

make_client
make_volume ext4 600 "$T/volume"
settle "$T/volume"
make_everyday_tree "$T/tree"

step 'SFTP alone'
new_jail_with web2 sftp
trace_jail web2
must everyday_sftp web2 "$T/tree"
stop_tracing
must_all_be_tolerated sftp
must ev stop web2

step 'clients and programs under the default profile'
new_jail web1
trace_jail web1
must everyday_rsync web1 "$T/tree"
must everyday_sftp web1 "$T/tree"
must everyday_shell web1
stop_tracing
must_all_be_tolerated default

step 'the profile names the programs of the image, and every one of them ran'
profile_programs "$PROFILES/default.json" | sort -u >"$T/named"
programs=$(echo "$(image_of)"/usr/{bin,sbin,lib/openssh})
# shellcheck disable=SC2086 # directories without blanks
{
  find $programs -mindepth 1 -printf '%f\n' | sort -u >"$T/all"
  find $programs -mindepth 1 -type l -printf '%l\n' | sed 's/.*\///' | sort -u >"$T/targets"
}
# What only a link leads to, as awk does to mawk, goes by the link's name.
comm -23 "$T/all" <(comm -23 "$T/targets" "$T/named") >"$T/there"
equal "$(comm -13 "$T/named" "$T/there")" '' 'in the image, but not in the profile'
programs_run >"$T/ran"
equal "$(comm -12 "$T/named" "$T/there" | comm -23 - "$T/ran")" '' 'nothing ran these'
must ev stop web1
