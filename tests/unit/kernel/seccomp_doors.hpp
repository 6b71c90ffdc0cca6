#pragma once

#include <linux/seccomp.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

namespace evojail::test {

inline constexpr std::uint64_t kHigh = 0xdeadbeef'00000000;  ///< bits the kernel drops from an int
inline constexpr std::uint64_t kMinusOne = 0xffffffff;
inline constexpr std::uint64_t kMinusOne64 = ~std::uint64_t{0};
inline constexpr std::uint64_t kPointer = 0x7ffc'1234'5678;

inline constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;

/// The filter's answer that makes a call fail with `error`.
constexpr std::uint32_t deny(int error = EPERM) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

/// A system call and what the filter answers to it.
struct Row {
  const char* call;
  std::array<std::uint64_t, 6> arguments;
  std::uint32_t answer;
};

/// A door that a profile must shut, with a row that must pass beside those that must not.
struct Door {
  const char* name;
  std::vector<Row> rows;
};

/// What can be done with a socket, a terminal or a file that is open.
[[nodiscard]] std::vector<Door> descriptor_doors();

/// What reaches other processes, the kernel's own objects and the host.
[[nodiscard]] std::vector<Door> kernel_doors();

}  // namespace evojail::test
