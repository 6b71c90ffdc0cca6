# shellcheck shell=bash
# Building, for the demonstration, the tests and the benchmarks: quiet, with the whole output where it failed.

# build DIRECTORY LOG CMAKE-ARGUMENT...: configures and builds the repository there.
build() {
  local directory=$1 log=$2 cache=()
  shift 2
  ! command -v ccache >/dev/null || cache=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
  {
    cmake -S "${tests_dir:?}/.." -B "$directory" -G Ninja "${cache[@]}" "$@" && cmake --build "$directory"
  } >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    fail "building in $directory"
  }
}
