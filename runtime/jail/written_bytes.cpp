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

/// A descriptor of /proc/PID stays with the process it was opened for; one that took over the
/// number in between is not `parent`'s child.
Fd open_child(pid_t pid, pid_t parent) {
  auto process = open_path(fmt::format("/proc/{}", pid), O_RDONLY | O_DIRECTORY);
  if (!process) return {};
  const auto stat = parse_process_stat(read_below(process->get(), "stat"));
  if (!stat || stat->parent != parent) return {};
  return std::move(*process);
}

/// One walk over the processes below init, and what it may still look at.
class Walk {
 public:
  explicit Walk(std::size_t most) : left_(most) {}

  JailWrites look(int init, pid_t pid) {
    for (const pid_t child : children_of(init)) {
      if (!found_.whole) break;
      const Fd process = open_child(child, pid);
      if (!process) continue;
      const auto inside = last_number_of(read_below(process.get(), "status"), "NSpid");
      if (inside > 0) found_.by_child[static_cast<pid_t>(inside)] = written_by_tree(child, pid);
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool may_look() {
    if (left_ == 0) found_.whole = false;
    return left_ > 0 && left_-- > 0;
  }

  std::vector<std::string> threads_of(int process) {
    std::vector<std::string> names;
    auto fd = open_at(process, "task", O_RDONLY | O_DIRECTORY);
    if (!fd) return names;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd->get()), ::closedir);
    if (!dir) return names;
    [[maybe_unused]] const int owned_by_dir = fd->release();
    while (const dirent* entry = ::readdir(dir.get())) {
      if (entry->d_name[0] == '.') continue;
      if (!may_look()) break;
      names.emplace_back(entry->d_name);
    }
    return names;
  }

  std::vector<pid_t> children_of(int process) {
    std::vector<pid_t> children;
    for (const auto& thread : threads_of(process)) {
      const std::string status = read_below(process, "task/" + thread + "/status");
      found_.activity += last_number_of(status, "voluntary_ctxt_switches") +
                         last_number_of(status, "nonvoluntary_ctxt_switches");
      const std::string text = read_below(process, "task/" + thread + "/children");
      for (const auto word : split_words(trim(text))) {
        if (const auto pid = parse_number<pid_t>(word, 1, highest_pid)) children.push_back(*pid);
      }
    }
    return children;
  }

  /// One process at a time: a tree may be as deep as it has processes.
  std::uint64_t written_by_tree(pid_t root, pid_t parent) {
    std::uint64_t bytes = 0;
    std::vector<std::pair<pid_t, pid_t>> pending{{root, parent}};
    while (!pending.empty() && found_.whole) {
      const auto [pid, above] = pending.back();
      pending.pop_back();
      const Fd process = open_child(pid, above);
      if (!process) continue;
      bytes += last_number_of(read_below(process.get(), "io"), "write_bytes");
      add_signs(pid, read_below(process.get(), "stat"));
      for (const pid_t child : children_of(process.get())) pending.emplace_back(child, pid);
    }
    return bytes;
  }

  void add_signs(pid_t pid, std::string_view stat) {
    const auto parsed = parse_process_stat(stat);
    if (!parsed) return;
    // A sum, so that their order does not matter; multiplied, so that two do not make up for
    // others.
    constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
    found_.processes += (parsed->start_time ^ (static_cast<std::uint64_t>(pid) << 40)) * odd | 1U;
    found_.activity += parsed->ticks;
  }

  JailWrites found_;
  std::size_t left_;
};

}  // namespace

Result<JailWrites> writes_below(pid_t init, std::size_t most) {
  TRY(const Fd process, open_path(fmt::format("/proc/{}", init), O_RDONLY | O_DIRECTORY));
  return Walk(most).look(process.get(), init);
}

}  // namespace evojail
