#include "jail/elf_needed.hpp"

#include <algorithm>
#include <span>
#include <string>

#include "fuzz.hpp"

// A program or a library, whose bytes are anybody's.
EVOJAIL_FUZZ(elf_needed) {
  const auto bytes = std::as_bytes(std::span(input));
  const auto object = read_elf(bytes, "program");
  if (!object) return;
  require(elf_machine(bytes) == object->machine, "both readers see the same machine");
  const auto is_name = [](const std::string& name) {
    return !name.empty() && name.find('\0') == std::string::npos;
  };
  require(std::ranges::all_of(object->needed, is_name), "libraries have names");
  require(object->rpath.empty() || object->runpath.empty(), "RUNPATH silences RPATH");
}
