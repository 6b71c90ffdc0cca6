#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// What the dynamic loader reads in an ELF file to find the rest of a program (elf(5), ld.so(8)).
struct ElfObject {
  std::uint16_t machine = 0;        ///< e_machine: EM_X86_64, EM_AARCH64
  std::string interpreter;          ///< PT_INTERP; empty in a library or a static program
  std::string soname;               ///< DT_SONAME
  std::vector<std::string> needed;  ///< DT_NEEDED, in order
  std::vector<std::string> rpath;   ///< DT_RPATH, split at ':'
  std::vector<std::string>
      runpath;  ///< DT_RUNPATH, split at ':'; where there is one, rpath is empty
};

/// e_machine where `bytes` starts like a 64-bit ELF file of this machine's byte order.
[[nodiscard]] std::optional<std::uint16_t> elf_machine(std::span<const std::byte> bytes);

/// Reads an executable or shared library. Every offset, size and string is checked against `bytes`;
/// what does not fit is an error that names `file`.
[[nodiscard]] Result<ElfObject> read_elf(std::span<const std::byte> bytes, std::string_view file);

}  // namespace evojail
