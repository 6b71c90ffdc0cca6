# shellcheck shell=bash
# What the benchmarks share: time, medians, a bare sshd to compare with, and rows of one table. A benchmark is a
# script that prints rows; tests/bench/run prints the head and runs them all.

# shellcheck source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

ROUNDS=${ROUNDS:-15}

now_us() { echo "${EPOCHREALTIME/[^0-9]/}"; }

median() {
  printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END {
    print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# row WHAT OURS UNIT [OTHER RATIO]... : medians as they are to be printed.
row() { printf '%-44s %12s  %-18s %12s %8s  %s\n' "$1" "$2" "$3" "${4:--}" "${5:--}" "${6:-}"; }
head_of_table() { row 'what' 'evojail' 'compared with' 'other' 'ratio' 'aim'; }

# compare WHAT OTHER UNIT DIVISOR AIM OURS-VALUES -- OTHER-VALUES: one row of two medians.
compare() {
  local what=$1 other=$2 unit=$3 divisor=$4 aim=$5 ours=() theirs=() a b
  shift 5
  while [[ $1 != -- ]]; do ours+=("$1"); shift; done
  shift
  theirs=("$@")
  a=$(median "${ours[@]}") b=$(median "${theirs[@]}")
  row "$what" "$(scaled "$a" "$divisor" "$unit")" "$other" "$(scaled "$b" "$divisor" "$unit")" \
    "$(awk -v a="$a" -v b="$b" 'BEGIN { printf "%.2f", a / b }')" "$aim"
}
scaled() { awk -v v="$1" -v d="$2" -v u="$3" 'BEGIN { printf "%.1f %s", v / d, u }'; }

# bare_sshd PORT: writes settings for an ordinary sshd that takes the client's key; `sshd_of PORT` runs it.
bare_sshd() {
  mkdir -p "$T/bare"
  [[ -f $T/bare/key ]] || ssh-keygen -q -t ed25519 -N '' -f "$T/bare/key"
  cat >"$T/bare/$1" <<CONFIG
ListenAddress 127.0.0.1:$1
HostKey $T/bare/key
AuthorizedKeysFile $T/client/id.pub
StrictModes no
PidFile none
Subsystem sftp internal-sftp
CONFIG
}
# exec: the caller's background process is sshd itself.
sshd_of() { exec /usr/sbin/sshd -D -f "$T/bare/$1" -E "$T/bare/log"; }

introduce_bare() {
  printf '[127.0.0.1]:%s %s\n' "$1" "$(cut -d' ' -f1,2 "$T/bare/key.pub")" >>"$T/client/known_hosts"
  sed -n '/^Host web1$/,/LogLevel/p' "$T/client/ssh_config" |
    sed "s/^Host web1/Host bare/; s/Port .*/Port $1/" >>"$T/client/bare"
  cat "$T/client/bare" >>"$T/client/ssh_config"
}

# first_banner PORT: returns when an SSH server there has said its first line.
first_banner() {
  local line deadline=$((SECONDS + 30))
  until ((SECONDS > deadline)); do
    if { exec {banner}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null; then
      read -r line <&"$banner" || line=''
      exec {banner}>&-
      [[ $line != SSH-2.0-* ]] || return 0
    fi
    pause_ms
  done
  echo "nothing answers on port $1" >&2
  return 1
}
# A thousandth of a second, so that the waiting does not take the processor from what is waited for.
pause_ms() { read -rt 0.001 _ <>"$T/never" || true; }
