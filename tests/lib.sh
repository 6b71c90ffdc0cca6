# shellcheck shell=bash
# What the whole-program tests, the benchmarks and the demonstration share. A test script begins with
#
#   . "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
#   in_own_world "$@"
#
# and has from there on a mount, network, PID, IPC and UTS namespace of its own, a directory $T that
# goes when it ends, and `ev`, the evojail that was built, with settings of its own under $T.

tests_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in report build world cgroup vm volume network jail refusal client tree compare; do
  # shellcheck source=/dev/null
  . "$tests_dir/lib/$part.sh"
done
unset part
