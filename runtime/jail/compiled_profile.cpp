#include "jail/compiled_profile.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/pack.hpp"
#include "base/sha256.hpp"
#include "jail/loaded_code.hpp"

namespace evojail {
namespace {

constexpr std::size_t most_bytes = 1 << 20;

/// One list for both directions.
template <class Compiled, class Each>
bool for_each_value(Compiled& compiled, const Each& each) {
  return each(compiled.capabilities) && each(compiled.limits) && each(compiled.mounts) &&
         each(compiled.session_filter.program) && each(compiled.mknod_filter.program);
}

std::string pack(const CompiledProfile& compiled) {
  Packer packer;
  for_each_value(compiled, [&](const auto& value) {
    packer.put(value);
    return true;
  });
  packer.put(compiled.programs.size());
  for (const auto& program : compiled.programs) packer.put(program);
  return std::move(packer).take();
}

std::optional<CompiledProfile> unpack(std::string_view bytes) {
  CompiledProfile compiled;
  Unpacker unpacker(bytes);
  std::size_t programs = 0;
  if (!for_each_value(compiled, [&](auto& value) { return unpacker.take(value); }) ||
      !unpacker.take(programs)) {
    return std::nullopt;
  }
  for (std::string program; programs > 0; --programs) {
    if (!unpacker.take(program)) return std::nullopt;
    compiled.programs.push_back(program);
  }
  if (!unpacker.done()) return std::nullopt;
  return compiled;
}

/// The bytes of `kept`; nothing where anybody but the caller may have had a hand in them.
std::optional<std::string> read_own(const std::string& kept) {
  const auto fd = open_path(kept, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return std::nullopt;
  struct stat st{};
  if (::fstat(fd->get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != ::geteuid() ||
      (st.st_mode & 07777) != 0600 || st.st_nlink != 1) {
    return std::nullopt;
  }
  auto bytes = read_all(fd->get(), kept, most_bytes);
  return bytes ? std::optional(std::move(*bytes)) : std::nullopt;
}

Result<void> keep(const std::string& kept, std::string_view bytes) {
  CHECK(make_directories(kept.substr(0, kept.find_last_of('/')), 0700));
  return replace_file(kept, bytes, 0600);
}

}  // namespace

Result<CompiledProfile> compile_profile(const Profile& profile) {
  CompiledProfile compiled;
  TRY(compiled.capabilities, profile_capabilities(profile));
  for (const auto& program : profile.programs) compiled.programs.push_back(program.name);
  for (const auto& limit : profile.limits) {
    compiled.limits.push_back({limit.resource, limit.value});
  }
  compiled.mounts = profile.mounts;
  TRY(compiled.session_filter, compile_filter(profile, {.notify_mknod = true}));
  TRY(compiled.mknod_filter, mknod_notify_filter());
  return compiled;
}

std::optional<ProfileSource> profile_source(const std::string& text) {
  const auto code = loaded_code();
  utsname system{};
  if (!code || ::uname(&system) != 0) return std::nullopt;
  // libseccomp asks the kernel what it can do.
  return ProfileSource{.code = *code + system.release, .text = text};
}

std::string encode(const ProfileSource& source, const CompiledProfile& compiled) {
  const std::string values = pack(compiled);
  Packer packer;
  packer.put(source.code);
  packer.put(source.text);
  packer.put(sha256(values));
  packer.put(values);
  return std::move(packer).take();
}

std::optional<CompiledProfile> decode_compiled_profile(std::string_view bytes,
                                                       const ProfileSource& source) {
  Unpacker unpacker(bytes);
  ProfileSource its_source;
  decltype(sha256({})) digest{};
  std::string values;
  if (!unpacker.take(its_source.code) || !unpacker.take(its_source.text) ||
      !unpacker.take(digest) || !unpacker.take(values) || !unpacker.done()) {
    return std::nullopt;
  }
  if (its_source.code != source.code || its_source.text != source.text ||
      digest != sha256(values)) {
    return std::nullopt;
  }
  return unpack(values);
}

Result<CompiledProfile> load_compiled_profile(const std::string& file, const std::string& kept) {
  TRY(const std::string text, read_file(file));
  const auto source = profile_source(text);
  if (source) {
    if (const auto bytes = read_own(kept)) {
      if (auto compiled = decode_compiled_profile(*bytes, *source)) return *std::move(compiled);
    }
  }
  TRY(const Profile profile, parse_profile(text, file));
  TRY(CompiledProfile compiled, compile_profile(profile));
  // Where it cannot be kept, the next start takes as long as this one.
  if (source) [[maybe_unused]]
    const auto done = keep(kept, encode(*source, compiled));
  return compiled;
}

}  // namespace evojail
