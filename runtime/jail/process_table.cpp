#include "jail/process_table.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

// Counted from the state, the 3rd.
constexpr std::size_t first_time_field = 11;  // user, system, and both of reaped children
constexpr std::size_t time_fields = 4;
constexpr std::size_t threads_field = 17;
constexpr std::size_t start_time_field = 19;
constexpr pid_t highest_pid = 1 << 22;

}  // namespace

std::optional<ProcessEntry> parse_process_stat(std::string_view text) {
  // The command stands in parentheses and may contain any byte, ')' included: the last one closes
  // it.
  const auto close = text.rfind(')');
  if (close == std::string_view::npos) return std::nullopt;
  const auto words = split_words(trim(text.substr(close + 1)));
  if (words.size() <= start_time_field) return std::nullopt;
  const auto parent = parse_number<pid_t>(words[1], 0, highest_pid);
  const auto start = parse_number<std::uint64_t>(words[start_time_field], 0, ~0ULL);
  if (!parent || !start) return std::nullopt;
  // A process whose first thread has ended is shown as a zombie while the others go on.
  const bool dead = words[0] == "X" || (words[0] == "Z" && words[threads_field] == "1");
  std::uint64_t ticks = 0;
  for (std::size_t i = 0; i < time_fields; ++i) {
    ticks += parse_number<std::uint64_t>(words[first_time_field + i], 0, ~0ULL).value_or(0);
  }
  return ProcessEntry{*parent, *start, ticks, dead};
}

std::uint64_t last_number_of(std::string_view text, std::string_view name) {
  for (const auto line : split_lines(text)) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    const auto words = split_words(trim(line));
    return parse_number<std::uint64_t>(words.back(), 0, ~0ULL).value_or(0);
  }
  return 0;
}

Result<ProcessTable> read_process_table(int proc) {
  TRY(Fd copy, open_at(proc, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(copy.get()), ::closedir);
  if (!dir) return fail_errno("reading", "/proc");
  [[maybe_unused]] const int owned_by_dir = copy.release();
  ProcessTable table;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    const auto pid = parse_number<pid_t>(name, 1, highest_pid);
    if (!pid) continue;
    const auto stat = open_at(proc, std::string(name) + "/stat", O_RDONLY);
    if (!stat) continue;
    const auto text = read_all(stat->get(), name, 4096);
    if (!text) continue;
    if (const auto parsed = parse_process_stat(*text)) table.emplace(*pid, *parsed);
  }
  return table;
}

std::set<pid_t> with_descendants(const ProcessTable& table, const std::set<pid_t>& roots) {
  std::multimap<pid_t, pid_t> children;
  for (const auto& [pid, entry] : table) children.emplace(entry.parent, pid);
  std::set<pid_t> found = roots;
  std::vector<pid_t> pending(roots.begin(), roots.end());
  while (!pending.empty()) {
    const pid_t parent = pending.back();
    pending.pop_back();
    const auto [first, last] = children.equal_range(parent);
    for (auto child = first; child != last; ++child) {
      if (found.insert(child->second).second) pending.push_back(child->second);
    }
  }
  return found;
}

}  // namespace evojail
