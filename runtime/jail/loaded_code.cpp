#include "jail/loaded_code.hpp"

#include <elf.h>
#include <link.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace evojail {
namespace {

struct Note {
  std::uint32_t type = 0;
  std::string_view name;
  std::string_view description;
};

/// The next note of a PT_NOTE segment (elf(5)), taken off the front of `notes`.
std::optional<Note> take_note(std::string_view& notes) {
  ElfW(Nhdr) head{};
  if (notes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, notes.data(), sizeof head);
  notes.remove_prefix(sizeof head);
  const auto padded = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
  if (notes.size() < padded(head.n_namesz) + padded(head.n_descsz)) return std::nullopt;
  const Note note{.type = head.n_type,
                  .name = notes.substr(0, head.n_namesz),
                  .description = notes.substr(padded(head.n_namesz), head.n_descsz)};
  notes.remove_prefix(padded(head.n_namesz) + padded(head.n_descsz));
  return note;
}

std::string_view build_id(const dl_phdr_info& object) {
  using namespace std::string_view_literals;
  for (std::size_t i = 0; i < object.dlpi_phnum; ++i) {
    const auto& segment = object.dlpi_phdr[i];
    // Properties are aligned in another way, and never hold a build id.
    if (segment.p_type != PT_NOTE || segment.p_align > 4) continue;
    std::string_view notes(std::bit_cast<const char*>(object.dlpi_addr + segment.p_vaddr),
                           segment.p_filesz);
    while (const auto note = take_note(notes)) {
      if (note->type == NT_GNU_BUILD_ID && note->name == "GNU\0"sv) return note->description;
    }
  }
  return {};
}

struct BuildIds {
  std::string all;
  bool complete = true;
};

int add_build_id(dl_phdr_info* object, std::size_t /*size*/, void* data) {
  auto& ids = *static_cast<BuildIds*>(data);
  const std::string_view id = build_id(*object);
  ids.all += id;
  ids.complete &= !id.empty();
  return 0;
}

// Before main(): what is loaded later (dlopen(3)) changes nothing of what is bound by then.
const BuildIds at_start = [] {
  BuildIds ids;
  ::dl_iterate_phdr(add_build_id, &ids);
  return ids;
}();

}  // namespace

std::optional<std::string> loaded_code() {
  if (!at_start.complete) return std::nullopt;
  return at_start.all;
}

}  // namespace evojail
