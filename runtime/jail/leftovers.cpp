#include "jail/leftovers.hpp"

#include <algorithm>

namespace evojail {

void Leftovers::note(const ProcessTable& table, const std::set<pid_t>& sessions,
                     Clock::time_point deadline) {
  for (const auto& [pid, entry] : table) {
    if (entry.parent != 1 || sessions.contains(pid)) continue;
    const auto found = known_.find(pid);
    if (found != known_.end() && found->second.start_time == entry.start_time) continue;
    known_[pid] = {entry.start_time, deadline};
  }
}

void Leftovers::hurry(Clock::time_point deadline) {
  for (auto& [pid, entry] : known_) entry.deadline = std::min(entry.deadline, deadline);
}

void Leftovers::keep_only(const ProcessTable& table) {
  std::erase_if(known_, [&](const auto& known) {
    const auto found = table.find(known.first);
    return found == table.end() || found->second.start_time != known.second.start_time;
  });
}

std::optional<Leftovers::Clock::time_point> Leftovers::next_deadline() const {
  if (known_.empty()) return std::nullopt;
  return std::ranges::min_element(known_, {},
                                  [](const auto& entry) { return entry.second.deadline; })
      ->second.deadline;
}

std::set<pid_t> Leftovers::due(const ProcessTable& table, Clock::time_point now) const {
  std::set<pid_t> roots;
  for (const auto& [pid, entry] : known_) {
    const auto found = table.find(pid);
    if (found == table.end() || found->second.start_time != entry.start_time) continue;
    if (entry.deadline <= now) roots.insert(pid);
  }
  auto all = with_descendants(table, roots);
  std::erase_if(all, [&](pid_t pid) { return table.contains(pid) && table.at(pid).dead; });
  return all;
}

}  // namespace evojail
