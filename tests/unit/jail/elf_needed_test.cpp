#include "jail/elf_needed.hpp"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace evojail {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// A file with one loaded segment, a dynamic section and a string table: small enough to bend.
struct SmallElf {
  Elf64_Ehdr header{};
  Elf64_Phdr load{};
  Elf64_Phdr dynamic{};
  Elf64_Phdr interpreter{};
  std::array<Elf64_Dyn, 8> entries{};
  std::array<char, 96> strings{};

  static constexpr std::uint64_t base = 0x10000;

  SmallElf() {
    constexpr std::string_view names(
        "\0libone.so.1\0libtwo.so.2\0$ORIGIN/../lib:/opt/lib\0libself.so.3\0/lib64/ld.so", 75);
    std::ranges::copy(names, strings.begin());
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = EM_X86_64;
    header.e_phoff = offsetof(SmallElf, load);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 3;
    load = {.p_type = PT_LOAD,
            .p_flags = PF_R,
            .p_offset = 0,
            .p_vaddr = base,
            .p_paddr = 0,
            .p_filesz = sizeof(SmallElf),
            .p_memsz = sizeof(SmallElf),
            .p_align = 4096};
    dynamic = load;
    dynamic.p_type = PT_DYNAMIC;
    dynamic.p_offset = offsetof(SmallElf, entries);
    dynamic.p_filesz = sizeof entries;
    interpreter = load;
    interpreter.p_type = PT_INTERP;
    interpreter.p_offset = offsetof(SmallElf, strings) + 62;
    interpreter.p_filesz = 13;
    entry(0, DT_NEEDED, 1);
    entry(1, DT_NEEDED, 13);
    entry(2, DT_RPATH, 25);
    entry(3, DT_SONAME, 49);
    entry(4, DT_STRTAB, base + offsetof(SmallElf, strings));
    entry(5, DT_STRSZ, sizeof strings);
    entry(6, DT_NULL, 0);
  }

  void entry(std::size_t place, std::int64_t tag, std::uint64_t value) {
    entries.at(place).d_tag = tag;
    entries.at(place).d_un.d_val = value;
  }

  [[nodiscard]] std::string text() const {
    return {reinterpret_cast<const char*>(this), sizeof *this};
  }
};

TEST(Elf, ReadsWhatTheLoaderReads) {
  const SmallElf elf;
  const auto object = read_elf(bytes_of(elf.text()), "small");
  ASSERT_TRUE(object) << object.error().message();
  EXPECT_EQ(object->machine, EM_X86_64);
  EXPECT_EQ(object->interpreter, "/lib64/ld.so");
  EXPECT_EQ(object->soname, "libself.so.3");
  EXPECT_THAT(object->needed, ElementsAre("libone.so.1", "libtwo.so.2"));
  EXPECT_THAT(object->rpath, ElementsAre("$ORIGIN/../lib", "/opt/lib"));
  EXPECT_THAT(object->runpath, IsEmpty());
}

TEST(Elf, RunpathSilencesRpath) {
  SmallElf elf;
  elf.entry(6, DT_RUNPATH, 40);
  const auto object = read_elf(bytes_of(elf.text()), "small");
  ASSERT_TRUE(object) << object.error().message();
  EXPECT_THAT(object->rpath, IsEmpty());
  EXPECT_THAT(object->runpath, ElementsAre("/opt/lib"));
}

TEST(Elf, NoDynamicSectionIsAStaticProgram) {
  SmallElf elf;
  elf.dynamic.p_type = PT_NULL;
  elf.interpreter.p_type = PT_NULL;
  const auto object = read_elf(bytes_of(elf.text()), "static");
  ASSERT_TRUE(object) << object.error().message();
  EXPECT_THAT(object->needed, IsEmpty());
  EXPECT_EQ(object->interpreter, "");
}

TEST(Elf, RefusesWhatDoesNotFit) {
  const std::vector<void (*)(SmallElf&)> faults{
      [](SmallElf& elf) { elf.header.e_ident[0] = 'x'; },
      [](SmallElf& elf) { elf.header.e_ident[EI_CLASS] = ELFCLASS32; },
      [](SmallElf& elf) { elf.header.e_ident[EI_DATA] = ELFDATA2MSB; },
      [](SmallElf& elf) { elf.header.e_phentsize = 32; },
      [](SmallElf& elf) { elf.header.e_phoff = sizeof(SmallElf) - 8; },
      [](SmallElf& elf) { elf.header.e_phoff = UINT64_MAX - 8; },
      [](SmallElf& elf) { elf.header.e_phnum = 65535; },
      [](SmallElf& elf) { elf.dynamic.p_offset = sizeof(SmallElf); },
      [](SmallElf& elf) { elf.dynamic.p_filesz = UINT64_MAX; },
      [](SmallElf& elf) { elf.interpreter.p_offset = UINT64_MAX; },
      [](SmallElf& elf) { elf.interpreter.p_filesz = 12; },
      [](SmallElf& elf) { elf.interpreter.p_filesz = 0; },
      [](SmallElf& elf) { elf.entry(0, DT_NEEDED, sizeof elf.strings); },
      [](SmallElf& elf) { elf.entry(0, DT_NEEDED, 0); },
      [](SmallElf& elf) { elf.entry(2, DT_RPATH, UINT64_MAX); },
      [](SmallElf& elf) { elf.entry(3, DT_SONAME, sizeof elf.strings); },
      [](SmallElf& elf) { elf.entry(4, DT_STRTAB, SmallElf::base - 1); },
      [](SmallElf& elf) { elf.entry(4, DT_STRTAB, UINT64_MAX); },
      [](SmallElf& elf) { elf.entry(5, DT_STRSZ, UINT64_MAX); },
      [](SmallElf& elf) { elf.entry(5, DT_STRSZ, 20); },
      [](SmallElf& elf) { elf.load.p_offset = UINT64_MAX; },
      [](SmallElf& elf) { elf.strings.fill('x'); },
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    SmallElf elf;
    faults[i](elf);
    const auto object = read_elf(bytes_of(elf.text()), "bent");
    ASSERT_FALSE(object) << "fault " << i;
    EXPECT_THAT(object.error().message(), HasSubstr("'bent'")) << "fault " << i;
  }
}

TEST(Elf, EveryPrefixIsReadSafely) {
  const std::string whole = SmallElf().text();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // A buffer of exactly this length, so that a sanitizer sees the first byte behind it.
    const std::vector<char> part(whole.begin(),
                                 whole.begin() + static_cast<std::ptrdiff_t>(length));
    [[maybe_unused]] const auto object = read_elf(std::as_bytes(std::span(part)), "prefix");
  }
}

TEST(Elf, ReadsARealProgram) {
  const auto bytes = read_file("/proc/self/exe", 1 << 30);
  ASSERT_TRUE(bytes);
  const auto object = read_elf(bytes_of(*bytes), "self");
  ASSERT_TRUE(object) << object.error().message();
  EXPECT_THAT(object->needed, Contains("libc.so.6"));
  EXPECT_THAT(object->interpreter, HasSubstr("/ld-linux"));
}

}  // namespace
}  // namespace evojail
