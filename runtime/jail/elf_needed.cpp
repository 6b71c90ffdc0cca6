#include "jail/elf_needed.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/parse.hpp"

namespace evojail {
namespace {

using Bytes = std::span<const std::byte>;

constexpr unsigned char native_order =
    std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
/// The loader's own bound is memory; real programs need some dozens.
constexpr std::size_t max_needed = 1024;

std::unexpected<Error> bad(std::string_view file, std::string_view what) {
  return fail(fmt::format("reading '{}': not a sound ELF file: {}", file, what));
}

std::optional<Bytes> slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return std::nullopt;
  return bytes.subspan(offset, size);
}

/// A structure at `offset`, copied out: a file aligns nothing.
template <class T>
std::optional<T> copy_at(Bytes bytes, std::uint64_t offset) {
  const auto part = slice(bytes, offset, sizeof(T));
  if (!part) return std::nullopt;
  T value;
  std::memcpy(&value, part->data(), sizeof value);
  return value;
}

/// The NUL-terminated string at `offset` of `table`; it has to end within the table.
std::optional<std::string> string_at(Bytes table, std::uint64_t offset) {
  if (offset >= table.size()) return std::nullopt;
  const auto rest = table.subspan(offset);
  const auto end = std::ranges::find(rest, std::byte{0});
  if (end == rest.end()) return std::nullopt;
  std::string text(static_cast<std::size_t>(end - rest.begin()), '\0');
  std::memcpy(text.data(), rest.data(), text.size());
  return text;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : split_words(path, ":")) parts.emplace_back(part);
  return parts;
}

struct Segments {
  std::vector<Elf64_Phdr> loads;
  std::optional<Elf64_Phdr> dynamic;
  std::optional<Elf64_Phdr> interpreter;
};

Result<Segments> read_segments(Bytes bytes, std::string_view file) {
  const auto header = copy_at<Elf64_Ehdr>(bytes, 0);
  if (!header) return bad(file, "its header is cut short");
  if (header->e_phentsize != sizeof(Elf64_Phdr)) return bad(file, "odd program headers");
  Segments segments;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const std::uint64_t step = i * sizeof(Elf64_Phdr);
    if (header->e_phoff > UINT64_MAX - step) return bad(file, "odd program headers");
    const auto segment = copy_at<Elf64_Phdr>(bytes, header->e_phoff + step);
    if (!segment) return bad(file, "its program headers lie outside it");
    if (segment->p_type == PT_LOAD) segments.loads.push_back(*segment);
    if (segment->p_type == PT_DYNAMIC) segments.dynamic = segment;
    if (segment->p_type == PT_INTERP) segments.interpreter = segment;
  }
  return segments;
}

/// The file bytes that are loaded at `address`.
std::optional<Bytes> loaded_at(Bytes bytes, const Segments& segments, std::uint64_t address,
                               std::uint64_t size) {
  for (const auto& load : segments.loads) {
    if (address < load.p_vaddr) continue;
    const std::uint64_t into = address - load.p_vaddr;
    if (into > load.p_filesz || size > load.p_filesz - into) continue;
    if (load.p_offset > UINT64_MAX - into) continue;
    return slice(bytes, load.p_offset + into, size);
  }
  return std::nullopt;
}

/// String table offsets, as the dynamic section has them.
struct DynamicEntries {
  std::vector<std::uint64_t> needed;
  std::optional<std::uint64_t> soname;
  std::optional<std::uint64_t> rpath;
  std::optional<std::uint64_t> runpath;
  std::uint64_t table = 0;
  std::uint64_t table_size = 0;
};

Result<DynamicEntries> read_dynamic(Bytes section, std::string_view file) {
  DynamicEntries entries;
  for (std::uint64_t offset = 0;; offset += sizeof(Elf64_Dyn)) {
    const auto entry = copy_at<Elf64_Dyn>(section, offset);
    if (!entry || entry->d_tag == DT_NULL) break;
    const std::uint64_t value = entry->d_un.d_val;
    switch (entry->d_tag) {
      case DT_NEEDED:
        entries.needed.push_back(value);
        break;
      case DT_SONAME:
        entries.soname = value;
        break;
      case DT_RPATH:
        entries.rpath = value;
        break;
      case DT_RUNPATH:
        entries.runpath = value;
        break;
      case DT_STRTAB:
        entries.table = value;
        break;
      case DT_STRSZ:
        entries.table_size = value;
        break;
      default:
        break;
    }
    if (entries.needed.size() > max_needed) return bad(file, "it needs too many libraries");
  }
  return entries;
}

Result<void> read_strings(Bytes table, const DynamicEntries& entries, std::string_view file,
                          ElfObject& object) {
  constexpr std::string_view outside = "a name lies outside its string table";
  for (const auto offset : entries.needed) {
    auto name = string_at(table, offset);
    if (!name || name->empty()) return bad(file, outside);
    object.needed.push_back(*std::move(name));
  }
  if (entries.soname) {
    auto name = string_at(table, *entries.soname);
    if (!name) return bad(file, outside);
    object.soname = *std::move(name);
  }
  // ld.so(8): DT_RPATH counts only where there is no DT_RUNPATH.
  if (const auto offset = entries.runpath ? entries.runpath : entries.rpath) {
    const auto path = string_at(table, *offset);
    if (!path) return bad(file, outside);
    (entries.runpath ? object.runpath : object.rpath) = split_path(*path);
  }
  return {};
}

}  // namespace

std::optional<std::uint16_t> elf_machine(Bytes bytes) {
  const auto header = copy_at<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != native_order) {
    return std::nullopt;
  }
  return header->e_machine;
}

Result<ElfObject> read_elf(Bytes bytes, std::string_view file) {
  const auto machine = elf_machine(bytes);
  if (!machine) return bad(file, "not a 64-bit one of this machine's byte order");
  TRY(const Segments segments, read_segments(bytes, file));
  ElfObject object;
  object.machine = *machine;
  if (segments.interpreter) {
    const auto part = slice(bytes, segments.interpreter->p_offset, segments.interpreter->p_filesz);
    auto name = part ? string_at(*part, 0) : std::nullopt;
    if (!name || name->empty()) return bad(file, "its interpreter has no name");
    object.interpreter = *std::move(name);
  }
  if (!segments.dynamic) return object;
  const auto section = slice(bytes, segments.dynamic->p_offset, segments.dynamic->p_filesz);
  if (!section) return bad(file, "its dynamic section lies outside it");
  TRY(const DynamicEntries entries, read_dynamic(*section, file));
  if (entries.needed.empty() && !entries.soname && !entries.rpath && !entries.runpath) {
    return object;
  }
  const auto table = loaded_at(bytes, segments, entries.table, entries.table_size);
  if (!table) return bad(file, "its string table lies outside it");
  CHECK(read_strings(*table, entries, file, object));
  return object;
}

}  // namespace evojail
