#include "kernel/cgroup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

constexpr const char* mount_point = "/sys/fs/cgroup";
constexpr std::string_view jail_child = "/jail";
constexpr std::string_view supervisor_child = "/supervisor";

bool is_cgroup2(const char* path) {
  struct statfs facts{};
  return ::statfs(path, &facts) == 0 && facts.f_type == CGROUP2_SUPER_MAGIC;
}

bool is_delegated(const std::string& directory) {
  for (const char* name : {"trusted.delegate", "user.delegate"}) {
    std::array<char, 8> value{};
    const ssize_t size = ::getxattr(directory.c_str(), name, value.data(), value.size());
    if (size == 1 && value[0] == '1') return true;
  }
  return false;
}

std::vector<std::string> lacking(const std::string& directory) {
  const auto text = read_file(directory + "/cgroup.controllers");
  const auto there = text ? split_words(trim(*text)) : std::vector<std::string_view>();
  std::vector<std::string> names;
  for (const std::string_view wanted : {"memory", "pids", "cpu", "io"}) {
    if (std::ranges::find(there, wanted) == there.end()) names.emplace_back(wanted);
  }
  return names;
}

/// "100", or "default 100" and lines for single disks.
std::optional<unsigned> read_weight(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  const auto words = split_words(split_lines(*text).empty() ? "" : split_lines(*text).front());
  if (words.empty()) return std::nullopt;
  const auto weight = parse_number<unsigned>(words.back(), 1U, 10'000U);
  return weight ? std::optional(*weight) : std::nullopt;
}

Result<void> put(const std::string& path, const std::string& value) {
  TRY(const Fd fd, open_path(path, O_WRONLY));
  return write_all(fd.get(), path, value);
}

Result<void> make_child(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return fail_errno("making cgroup", path);
}

Result<void> set_limits(const std::string& jail, const CgroupLimits& limits) {
  CHECK(put(jail + "/memory.max",
            limits.memory_max == 0 ? "max" : std::to_string(limits.memory_max)));
  // Swap would only move the pressure to where the neighbours feel it.
  if (path_exists(jail + "/memory.swap.max")) {
    CHECK(put(jail + "/memory.swap.max", limits.memory_max == 0 ? "max" : "0"));
  }
  return put(jail + "/pids.max", std::to_string(limits.processes));
}

/// The delegated directory: the process's own cgroup, or the one above it after a reload.
std::string delegated_directory(const std::string& own) {
  std::string path = mount_point + own;
  if (path.ends_with(supervisor_child)) path.resize(path.size() - supervisor_child.size());
  return path;
}

}  // namespace

std::optional<std::string> unified_cgroup(std::string_view text) {
  for (const auto line : split_lines(text)) {
    if (line.starts_with("0::/")) return std::string(line.substr(3));
  }
  return std::nullopt;
}

Result<std::optional<JailCgroup>> make_jail_cgroup(const CgroupLimits& limits) {
  if (!is_cgroup2(mount_point)) return std::nullopt;
  TRY(const auto text, read_file("/proc/self/cgroup"));
  const auto own = unified_cgroup(text);
  if (!own) return std::nullopt;
  const std::string directory = delegated_directory(*own);
  if (!is_delegated(directory)) return std::nullopt;
  const auto without = lacking(directory);
  if (!std::ranges::all_of(without, [](const auto& name) { return name == "io"; })) {
    return std::nullopt;
  }
  // A cgroup with processes of its own cannot hand controllers down (cgroups(7), "no internal
  // processes").
  CHECK(make_child(directory + "/supervisor"));
  CHECK(put(directory + "/supervisor/cgroup.procs", "0"));
  CHECK(put(directory + "/cgroup.subtree_control", "+memory +pids +cpu"));
  // Between the supervisor and its jail alone; not every kernel has it.
  [[maybe_unused]] const auto io = put(directory + "/cgroup.subtree_control", "+io");
  CHECK(make_child(directory + "/jail"));
  CHECK(set_limits(directory + "/jail", limits));
  JailCgroup jail;
  TRY(jail.directory, open_directory(directory + "/jail"));
  jail.cpu_weight = read_weight(directory + "/cpu.weight");
  jail.io_weight = read_weight(directory + "/io.weight");
  if (!jail.io_weight) jail.io_weight = read_weight(directory + "/io.bfq.weight");
  return jail;
}

void remove_jail_cgroup() {
  const auto text = read_file("/proc/self/cgroup");
  const auto own = text && is_cgroup2(mount_point) ? unified_cgroup(*text) : std::nullopt;
  if (!own || !own->ends_with(supervisor_child)) return;
  const std::string directory = delegated_directory(*own);
  if (!is_delegated(directory)) return;
  if (::rmdir((directory + "/jail").c_str()) != 0 && errno != ENOENT) return;
  // Processes go back in where no controller is handed down.
  for (const char* controller : {"-memory", "-pids", "-cpu", "-io"}) {
    [[maybe_unused]] const auto off = put(directory + "/cgroup.subtree_control", controller);
  }
  [[maybe_unused]] const auto back = put(directory + "/cgroup.procs", "0");
  ::rmdir((directory + "/supervisor").c_str());
}

std::vector<std::string> missing_controllers(pid_t init) {
  const auto text = read_file(fmt::format("/proc/{}/cgroup", init));
  const auto path = text && is_cgroup2(mount_point) ? unified_cgroup(*text) : std::nullopt;
  return lacking(path && path->ends_with(jail_child) ? mount_point + *path : "/nonexistent");
}

}  // namespace evojail
