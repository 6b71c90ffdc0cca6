# shellcheck shell=bash
# An evojail with the attacker in its base image. The program finds its profiles and its list of programs beside
# itself, so a prefix of one's own has others; the program under test is a copy of the one that was built.

# Where the attacker lies, in the tests' world and in jails. What a client can write to is noexec.
ATK=/mnt/atk

make_prefix() {
  local prefix=$T/prefix profiles
  mkdir -p "$prefix"/{bin,libexec,share/evojail}
  cp "$EVOJAIL" "$prefix/bin/evojail"
  cp -r "$EVOJAIL_BUILD/libexec/evojail" "$prefix/libexec/evojail"
  cp -rL "$EVOJAIL_BUILD/share/evojail/profiles" "$prefix/share/evojail/profiles"
  EVOJAIL=$prefix/bin/evojail
  profiles=$prefix/share/evojail/profiles
  put_attacker "$profiles" "$EVOJAIL_BUILD/tests/atk"
}

# put_attacker PROFILES PROGRAM: into the base images that are made from here on; and profiles that lack layers.
put_attacker() {
  local profiles=$1
  mount -t tmpfs -o mode=755 attacker /mnt
  cp "$2" "$ATK"
  sed -i '0,/"programs": \[/s##&{"reason": "The attacker.", "package": "evojail", "required": true, "programs": ["'$ATK'"]},#' \
    "$profiles/base-image.json"
  without_filter "$profiles/default.json" >"$profiles/nofilter.json"
  with_every_capability "$profiles/nofilter.json" >"$profiles/open.json"
}

# without_filter PROFILE: the same with all its calls allowed, whatever their arguments.
without_filter() {
  sed '/^  "syscalls": \[/,$d' "$1"
  printf '  "syscalls": [{"comment": "Every call that default knows.", "action": "SCMP_ACT_ALLOW", "names": [%s]}]\n}\n' \
    "$(tr -d '\n' <"$1" | grep -o '"names": *\[[^]]*\]' | sed 's/"names"//' | grep -o '"[a-z0-9_]*"' | sort -u | paste -sd,)"
}

# with_every_capability PROFILE: the same with all that the kernel has.
with_every_capability() {
  local last mask
  last=$(cat /proc/sys/kernel/cap_last_cap)
  mask=$(printf '%x' $(((1 << (last + 1)) - 1)))
  sed '/^  "capabilities": \[/,/^  \],/d' "$1" | sed '$d'
  capsh --decode="$mask" | sed 's/.*=//' | tr 'a-z,' 'A-Z\n' |
    sed 's/.*/{"name": "&", "comment": "All."}/' | paste -sd, | sed 's/.*/  , "capabilities": [&]\n}/'
}
