#include "jail/written_bytes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/parse.hpp"
#include "jail/process_table.hpp"

namespace evojail {
namespace {

constexpr pid_t highest_pid = 1 << 22;
constexpr std::size_t text_limit = 1 << 20;

std::string read_below(int process, const std::string& path) {
  const auto file = open_at(process, path, O_RDONLY);
  if (!file) return {};
  return read_all(file->get(), path, text_limit).value_or(std::string());
}

std::vector<std::string> names_in(int process, const char* path) {
  std::vector<std::string> names;
  auto fd = open_at(process, path, O_RDONLY | O_DIRECTORY);
  if (!fd) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd->get()), ::closedir);
  if (!dir) return names;
  [[maybe_unused]] const int owned_by_dir = fd->release();
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  return names;
}

std::vector<pid_t> children_of(int process) {
  std::vector<pid_t> children;
  for (const auto& thread : names_in(process, "task")) {
    const std::string text = read_below(process, "task/" + thread + "/children");
    for (const auto word : split_words(trim(text))) {
      if (const auto pid = parse_number<pid_t>(word, 1, highest_pid)) children.push_back(*pid);
    }
  }
  return children;
}

/// A descriptor of /proc/PID stays with the process it was opened for; one that took over the
/// number in between is not `parent`'s child.
Fd open_child(pid_t pid, pid_t parent) {
  auto process = open_path(fmt::format("/proc/{}", pid), O_RDONLY | O_DIRECTORY);
  if (!process) return {};
  const auto stat = parse_process_stat(read_below(process->get(), "stat"));
  if (!stat || stat->parent != parent) return {};
  return std::move(*process);
}

/// One process at a time: a tree may be as deep as it has processes.
std::uint64_t written_by_tree(pid_t root, pid_t parent) {
  std::uint64_t bytes = 0;
  std::vector<std::pair<pid_t, pid_t>> pending{{root, parent}};
  while (!pending.empty()) {
    const auto [pid, above] = pending.back();
    pending.pop_back();
    const Fd process = open_child(pid, above);
    if (!process) continue;
    bytes += last_number_of(read_below(process.get(), "io"), "write_bytes");
    for (const pid_t child : children_of(process.get())) pending.emplace_back(child, pid);
  }
  return bytes;
}

}  // namespace

std::uint64_t last_number_of(std::string_view text, std::string_view name) {
  for (const auto line : split_lines(text)) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    const auto words = split_words(trim(line));
    return parse_number<std::uint64_t>(words.back(), 0, ~0ULL).value_or(0);
  }
  return 0;
}

Result<std::map<pid_t, std::uint64_t>> bytes_written_below(pid_t init) {
  TRY(const Fd process, open_path(fmt::format("/proc/{}", init), O_RDONLY | O_DIRECTORY));
  std::map<pid_t, std::uint64_t> written;
  for (const pid_t pid : children_of(process.get())) {
    const Fd child = open_child(pid, init);
    if (!child) continue;
    const auto inside = last_number_of(read_below(child.get(), "status"), "NSpid");
    if (inside > 0) written[static_cast<pid_t>(inside)] = written_by_tree(pid, init);
  }
  return written;
}

}  // namespace evojail
