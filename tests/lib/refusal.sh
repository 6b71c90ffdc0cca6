# shellcheck shell=bash
# Bad input: a clear line on stderr, nothing on stdout, the right exit code, and nothing changed: not a file, not a
# rule, not a process. Needs settle() of jail.sh.

# Everything that a command could change; logs and last-session records grow by themselves.
picture() {
  find "$CONF" "$T/lib" "$JAILS" "$INCS" "$VOLUME/archives" -printf '%p %y %m %U:%G %s %T@ %i\n' | sort
  find "$T/run" ! -path "$T/run/.lock*" -printf '%p\n' | sort
  find "$CONF" -type f -exec sha256sum {} + | sort
  nft -s list ruleset
  ss -Hltn | sort
}

# bad CODE PATTERN COMMAND...: refused with that code and a message like that.
bad() {
  local code=$1 pattern=$2
  shift 2
  picture >"$T/before"
  must_exit "$code" "$@"
  must_say "$pattern"
  [[ $(head -n 1 <<<"$ERR") == 'evojail: '* ]] || fail "the message does not begin with 'evojail: ': $ERR"
  (($(wc -l <<<"$ERR") <= 3)) || fail "not one clear line: $ERR"
  equal "$OUT" '' "'$*' printed on stdout"
  picture >"$T/after"
  diff "$T/before" "$T/after" >"$T/diff" || fail "'$*' changed something: $(cat "$T/diff")"
}
