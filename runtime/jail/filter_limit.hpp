#pragma once

namespace evojail {

/// Keeps the calling process, and what comes from it, from installing further seccomp filters. The
/// machine code of filters is memory that no cgroup counts, from one pool of the host
/// (net.core.bpf_jit_limit): whoever empties it keeps the neighbours' sessions, whose filters find
/// no room, from starting. Zero, or the errno of the call that failed.
[[nodiscard]] int refuse_further_filters();

}  // namespace evojail
