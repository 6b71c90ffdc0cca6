#include "store/uid_lease.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "base/parse.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

using Leases = std::map<std::string, std::uint32_t>;

std::string leases_dir(const HostSettings& host) { return host.datadir + "/uid-ranges"; }
std::string leases_path(const HostSettings& host) { return leases_dir(host) + "/leases"; }

Result<FileLock> lock_leases(const HostSettings& host) {
  CHECK(make_run_dirs(host));
  if (!path_exists(leases_dir(host))) {
    CHECK(make_directories(leases_dir(host), 0700));
  }
  return FileLock::take(leases_dir(host) + "/lock", FileLock::Wait::yes);
}

/// Lines "NAME INDEX". A line that is none is an error: to pass over it might give its range away.
Result<Leases> read_leases(const HostSettings& host) {
  const std::string path = leases_path(host);
  auto text = read_file(path);
  if (!text && text.error().code() == ENOENT) return Leases();
  if (!text) return std::unexpected(std::move(text).error());
  Leases leases;
  std::vector<bool> taken(uid_range_count, false);
  unsigned number = 0;
  for (const auto line : split_lines(*text)) {
    ++number;
    const auto words = split_words(line);
    const auto index = words.size() == 2
                           ? parse_number<std::uint32_t>(words[1], 0, uid_range_count - 1)
                           : std::nullopt;
    if (!index || taken[*index] || !parse_jail_name(words[0]) ||
        !leases.emplace(words[0], *index).second) {
      return std::unexpected(
          Error(fmt::format("{}:{}: not a name and a range of its own", path, number))
              .hint("stop all jails and remove the file: it is made anew as they start"));
    }
    taken[*index] = true;
  }
  return leases;
}

Result<void> write_leases(const HostSettings& host, const Leases& leases) {
  std::string text;
  for (const auto& [name, index] : leases) text += fmt::format("{} {}\n", name, index);
  return replace_file(leases_path(host), text, 0600);
}

std::optional<std::uint32_t> lowest_free(const Leases& leases) {
  std::vector<bool> taken(uid_range_count, false);
  for (const auto& [name, index] : leases) taken[index] = true;
  const auto free = std::ranges::find(taken, false);
  if (free == taken.end()) return std::nullopt;
  return static_cast<std::uint32_t>(free - taken.begin());
}

}  // namespace

Result<UidRange> lease_uid_range(const HostSettings& host, const std::string& name) {
  CHECK(parse_jail_name(name));
  TRY(const FileLock lock, lock_leases(host));
  TRY(Leases leases, read_leases(host));
  if (const auto held = leases.find(name); held != leases.end()) return UidRange{held->second};
  auto index = lowest_free(leases);
  if (!index) {
    // Of jails whose removal did not get to giving theirs back.
    std::erase_if(leases, [&host](const auto& lease) {
      return !has_settings(host, lease.first).value_or(true);
    });
    index = lowest_free(leases);
  }
  if (!index) {
    return fail(fmt::format("jail '{}': all {} ranges of uids are taken", name, uid_range_count));
  }
  leases.emplace(name, *index);
  CHECK(write_leases(host, leases));
  return UidRange{*index};
}

Result<std::optional<UidRange>> find_uid_range(const HostSettings& host, const std::string& name) {
  TRY(const Leases leases, read_leases(host));
  const auto held = leases.find(name);
  if (held == leases.end()) return std::nullopt;
  return UidRange{held->second};
}

Result<void> release_uid_range(const HostSettings& host, const std::string& name) {
  TRY(const bool any, has_path(leases_path(host)));
  if (!any) return {};
  TRY(const FileLock lock, lock_leases(host));
  TRY(Leases leases, read_leases(host));
  if (leases.erase(name) == 0) return {};
  return write_leases(host, leases);
}

Result<void> rename_uid_range(const HostSettings& host, const std::string& old_name,
                              const std::string& new_name) {
  TRY(const bool any, has_path(leases_path(host)));
  if (!any) return {};
  TRY(const FileLock lock, lock_leases(host));
  TRY(Leases leases, read_leases(host));
  auto lease = leases.extract(old_name);
  if (lease.empty()) return {};
  lease.key() = new_name;
  leases.insert(std::move(lease));
  return write_leases(host, leases);
}

}  // namespace evojail
