#!/bin/bash
# What bash offers behind the beginning of a command line.
set -euo pipefail
shopt -s extglob
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
. "$source_dir/cli/completion/evojail.bash"

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cat >"$directory/evojail" <<'PROGRAM'
#!/bin/sh
case $* in
  list) printf '%s\n' db1 web1 ;;
  'list-incs web1 --no-header') printf '%s  complete\n' 2026-03-21-11 2026-03-22-11 ;;
  'profile list') printf '%s  text\n' default sftp ;;
esac
PROGRAM
chmod +x "$directory/evojail"

# offers EXPECTED WORD...: the last word is the one being typed.
offers() {
  local expected=$1
  shift
  COMP_WORDS=(evojail "$@") COMP_CWORD=$#
  COMPREPLY=()
  _evojail "$directory/evojail"
  local offered
  offered=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
  [[ ${offered% } == "$expected" ]] && return
  printf "FAILED: behind '%s' bash offers '%s', not '%s'\n" "$*" "${offered% }" "$expected" >&2
  exit 1
}

offers 'start status stop' st
offers '--config' --c
offers 'all db1 web1' start ''
offers 'all db1 web1' rm ''
offers 'db1 web1' rm web1 ''
offers 'web1' --config /etc/settings key we
offers '--dry-run' rm --d
offers 'web1/2026-03-21-11 web1/2026-03-22-11' inc-hold web1
offers 'check list show' profile ''
offers 'sftp' profile show sf
offers 'auto' port web1 a
offers '' init ''
offers '' inc --at ''
