#include "store/tree_volume.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "store/tree_directory.hpp"

namespace evojail {
namespace {

constexpr auto kXfsMagic = 0x58465342;  // "XFSB"; <linux/magic.h> has it since Linux 6.2 only

}  // namespace

std::string mount_options(std::string_view mountinfo, std::uint64_t id) {
  for (const auto line : split_lines(mountinfo)) {
    const auto words = split_words(line, " ");
    // 36 35 98:0 /root /mount options [optional…] - type source super-options
    if (words.size() < 10 || parse_number<std::uint64_t>(words[0], 0, UINT64_MAX) != id) continue;
    return "," + std::string(words[5]) + "," + std::string(words.back());
  }
  return {};
}

Result<void> check_tree_volume(int dir) {
  struct statfs volume{};
  if (::fstatfs(dir, &volume) != 0) return fail_errno("looking at the volume of", "the jail");
  if (volume.f_type != EXT4_SUPER_MAGIC && volume.f_type != kXfsMagic) {
    return fail("taking an inc: the volume is neither ext4 nor xfs");
  }
  struct statx facts{};
  if (const int code = stat_entry(dir, "", facts))
    return fail_errno("looking at", "the jail", code);
  TRY(const std::string mounts, read_file("/proc/self/mountinfo", std::size_t{64} << 20));
  const std::string options = mount_options(mounts, facts.stx_mnt_id) + ",";
  if (options.find(",lazytime,") != std::string::npos) {
    return std::unexpected(
        Error("taking an inc: the volume is mounted with lazytime")
            .hint(
                "with it the time of a file's last change may be lost in a crash; mount the volume "
                "with nolazytime"));
  }
  return {};
}

}  // namespace evojail
