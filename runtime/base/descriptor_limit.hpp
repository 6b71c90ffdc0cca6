#pragma once

#include <cstddef>

namespace evojail {

/// Lets this process, and what it executes, open as many descriptors as it may (RLIMIT_NOFILE), and
/// no more than `most`. @return how many it is allowed then.
std::size_t raise_descriptor_limit(std::size_t most);

}  // namespace evojail
