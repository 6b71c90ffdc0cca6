# shellcheck shell=bash
# Saying what is being shown, failing with a reason, running commands whose outcome matters, waiting.

step() { printf '== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  [[ ! -p ${T:-}/never ]] || printf '%s\n' "$*" >>"$T/failures"
  exit 1
}

# The only accepted reason to skip: the kernel really lacks something. 77 is CTest's code for it.
skip_kernel_lacks() {
  printf 'skipped: kernel lacks %s\n' "$*"
  exit 77
}

# run COMMAND...: runs it and keeps what it said in $OUT and $ERR and its exit code in $CODE.
run() {
  local out err
  out=$(mktemp "$T/out.XXXXXX") err=$(mktemp "$T/err.XXXXXX")
  CODE=0
  "$@" >"$out" 2>"$err" </dev/null || CODE=$?
  OUT=$(tr -d '\0' <"$out") ERR=$(tr -d '\0' <"$err")
  rm -f "$out" "$err"
}

# must COMMAND...: runs it; anything but 0 ends the test.
must() {
  run "$@"
  ((CODE == 0)) || fail "'$*' ended with $CODE: ${ERR:-$OUT}"
}

# must_exit CODE COMMAND...: runs it; any other exit code ends the test.
must_exit() {
  local wanted=$1
  shift
  run "$@"
  ((CODE == wanted)) || fail "'$*' ended with $CODE instead of $wanted: ${ERR:-$OUT}"
}

# must_say PATTERN: the last command's stderr has a line that matches the extended regular expression.
must_say() {
  grep -Eq -- "$1" <<<"$ERR" || fail "nothing like /$1/ in the message: $ERR"
}

# must_print PATTERN: the same of its stdout.
must_print() {
  grep -Eq -- "$1" <<<"$OUT" || fail "nothing like /$1/ in the output: $OUT"
}

must_not_print() {
  ! grep -Eq -- "$1" <<<"$OUT" || fail "/$1/ is in the output: $OUT"
}

equal() {
  [[ $1 == "$2" ]] || fail "${3:-values differ}: '$1' is not '$2'"
}

# until_true SECONDS WHAT COMMAND...: waits for a condition; what has not come by the deadline is a failure.
# The deadline is far beyond what is expected, so that a slow machine does not decide a test.
until_true() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || fail "after a long wait still not: $what"
    pause
  done
}

# Sleeps for about a twentieth of a second without a process; only ever between two looks at a condition.
pause() { read -rt 0.05 _ <>"$T/never" || true; }
