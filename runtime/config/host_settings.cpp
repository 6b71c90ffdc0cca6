#include "config/host_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <vector>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "config/assignments.hpp"

namespace evojail {
namespace {

constexpr std::string_view kDirectory = "an absolute path without '.' and '..'";
constexpr std::size_t kLongestDirectory = 1024;
constexpr unsigned kMostHours = 24 * 366 * 10;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool set_directory(std::string& directory, std::string_view value) {
  if (!value.starts_with('/') || value.size() > kLongestDirectory) return false;
  std::string path;
  for (const std::string_view component : split_words(value, "/")) {
    if (component == "." || component == "..") return false;
    path += '/';
    path += component;
  }
  if (path.empty()) return false;
  directory = std::move(path);
  return true;
}

template <std::string HostSettings::* Member>
bool directory(HostSettings& settings, std::string_view value) {
  return set_directory(settings.*Member, value);
}

template <unsigned HostSettings::* Member>
bool hours(HostSettings& settings, std::string_view value) {
  const auto number = parse_number(value, 0U, kMostHours);
  if (number) settings.*Member = *number;
  return number.has_value();
}

bool firewall_table(HostSettings& settings, std::string_view value) {
  const auto allowed = [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; };
  const bool starts_with_letter =
      !value.empty() && is_alphanumeric(value.front()) && value.front() > '9';
  const bool formed =
      starts_with_letter && value.size() <= 64 && std::ranges::all_of(value, allowed);
  if (formed) settings.firewall_table = value;
  return formed;
}

bool disk_reserve(HostSettings& settings, std::string_view value) {
  if (value.ends_with('%')) value.remove_suffix(1);
  const auto percent = parse_number(value, 0U, 90U);
  if (percent) settings.disk_reserve_percent = *percent;
  return percent.has_value();
}

bool node(HostSettings& settings, std::string_view value) {
  const bool formed =
      value.size() <= 255 && !value.starts_with('-') && std::ranges::all_of(value, [](char c) {
        return is_alphanumeric(c) || std::string_view("._-:@").contains(c);
      });
  if (formed) settings.node = value;
  return formed;
}

using Key = SettingKey<HostSettings>;
constexpr std::string_view kHours = "a number of hours, 0 for never";
constexpr std::string_view kNode = "a host name, or nothing";

constexpr Key kConfDir{"CONFDIR", kDirectory, directory<&HostSettings::confdir>};
constexpr Key kJailDir{"JAILDIR", kDirectory, directory<&HostSettings::jaildir>};
constexpr Key kIncDir{"INCDIR", kDirectory, directory<&HostSettings::incdir>};
constexpr Key kArchivesDir{"ARCHIVESDIR", kDirectory, directory<&HostSettings::archivesdir>};
constexpr Key kWarning{"WARNING", kHours, hours<&HostSettings::warning_hours>};
constexpr Key kCritical{"CRITICAL", kHours, hours<&HostSettings::critical_hours>};
constexpr Key kNodeKey{"NODE", kNode, node};

constexpr std::array<Key, 12> kKeys = {{
    kConfDir,
    kJailDir,
    kIncDir,
    kArchivesDir,
    {"DATADIR", kDirectory, directory<&HostSettings::datadir>},
    {"RUNDIR", kDirectory, directory<&HostSettings::rundir>},
    {"LOGDIR", kDirectory, directory<&HostSettings::logdir>},
    {"FIREWALL_TABLE", "a letter, then letters, digits, '_' and '-', at most 64", firewall_table},
    {"DISK_RESERVE", "a percentage from 0 to 90", disk_reserve},
    kWarning,
    kCritical,
    kNodeKey,
}};

bool passed_over(HostSettings& /*settings*/, std::string_view /*value*/) { return true; }

/// Whether `path` is `directory` or lies below it.
bool within(const std::string& path, const std::string& directory) {
  return path == directory || path.starts_with(directory + "/");
}

/// A directory among the jails, the incs or the archives would be taken for one of them, and what a
/// client owns must never hold anything of the host's.
Result<void> check_apart(const HostSettings& host, std::string_view file) {
  struct Named {
    std::string_view key;
    const std::string* path;
  };
  const std::array<Named, 7> all = {{{"JAILDIR", &host.jaildir},
                                     {"INCDIR", &host.incdir},
                                     {"ARCHIVESDIR", &host.archivesdir},
                                     {"CONFDIR", &host.confdir},
                                     {"DATADIR", &host.datadir},
                                     {"RUNDIR", &host.rundir},
                                     {"LOGDIR", &host.logdir}}};
  for (std::size_t outer = 0; outer < 3; ++outer) {
    for (const Named& inner : all) {
      if (inner.key == all[outer].key || !within(*inner.path, *all[outer].path)) continue;
      return std::unexpected(Error(fmt::format("'{}': {} '{}' lies within {} '{}'", file, inner.key,
                                               *inner.path, all[outer].key, *all[outer].path))
                                 .hint("give each its own directory, side by side"));
    }
  }
  return {};
}

}  // namespace

Result<HostSettings> parse_host_settings(std::string_view text, std::string_view file) {
  TRY(const auto assignments, parse_assignments(text, file, ValueSyntax::plain));
  HostSettings settings;
  CHECK(apply_assignments<HostSettings>(assignments, file, kKeys, settings));
  CHECK(check_apart(settings, file));
  return settings;
}

std::string format_host_settings(const HostSettings& settings) {
  std::string text;
  const auto add = [&text](std::string_view key, std::string_view value) {
    // No value that was parsed has single quotes and what double ones would expand.
    const char quote = value.contains('\'') ? '"' : '\'';
    text += fmt::format("{}={}{}{}\n", key, quote, value, quote);
  };
  add("CONFDIR", settings.confdir);
  add("JAILDIR", settings.jaildir);
  add("INCDIR", settings.incdir);
  add("ARCHIVESDIR", settings.archivesdir);
  add("DATADIR", settings.datadir);
  add("RUNDIR", settings.rundir);
  add("LOGDIR", settings.logdir);
  add("FIREWALL_TABLE", settings.firewall_table);
  add("DISK_RESERVE", std::to_string(settings.disk_reserve_percent));
  add("WARNING", std::to_string(settings.warning_hours));
  add("CRITICAL", std::to_string(settings.critical_hours));
  add("NODE", settings.node);
  return text;
}

Result<HostSettings> parse_bkctld_settings(std::string_view text, std::string_view file) {
  // bkctld's own state (DATADIR, LOCKDIR, INDEX_DIR), its templates and its chroot's files have no
  // counterpart: sharing them would mix two programs' data.
  static constexpr std::array kPassedOver =
      std::to_array<std::string_view>({"LIBDIR",           "DATADIR",     "BACKUP_DISK",
                                       "TPLDIR",           "LOCALTPLDIR", "LOCKDIR",
                                       "INDEX_DIR",        "IDX_FILE",    "CANARY_RELATIVE_FILE",
                                       "SSHD_PID",         "SSHD_CONFIG", "AUTHORIZED_KEYS",
                                       "FIREWALL_RULES",   "LOGLEVEL",    "INCTIME_WARNING",
                                       "INCTIME_CRITICAL", "DUC",         "FORCE",
                                       "HEADER",           "QUIET",       "VERBOSE",
                                       "DRY_RUN"});
  TRY(const auto assignments, parse_assignments(text, file, ValueSyntax::shell));

  HostSettings settings;
  const auto partition = std::ranges::find(assignments, "BACKUP_PARTITION", &Assignment::key);
  if (partition != assignments.end() && !partition->value.empty()) {
    std::string root;
    if (!set_directory(root, partition->value)) {
      return std::unexpected(bad_value(*partition, file, kDirectory));
    }
    settings.jaildir = root + "/jails";
    settings.incdir = root + "/incs";
    settings.archivesdir = root + "/archives";
  }

  std::vector<Key> keys = {
      kConfDir, kJailDir,  kIncDir,  kArchivesDir,
      kWarning, kCritical, kNodeKey, {"BACKUP_PARTITION", kDirectory, passed_over}};
  for (const std::string_view name : kPassedOver) keys.push_back({name, "", passed_over});
  // ${KEY:-default} in bkctld: a key set to nothing is a key that is not set.
  std::vector<Assignment> set;
  std::ranges::copy_if(assignments, std::back_inserter(set),
                       [](const Assignment& a) { return !a.value.empty() || a.key == "NODE"; });
  CHECK(apply_assignments<HostSettings>(set, file, keys, settings));
  CHECK(check_apart(settings, file));
  return settings;
}

Result<HostSettings> load_host_settings(const std::string& file, bool explicit_file,
                                        const std::string& bkctld_file) {
  Result<std::string> text = read_file(file);
  if (text) return parse_host_settings(*text, file);
  if (explicit_file || text.error().code() != ENOENT) {
    return std::unexpected(std::move(text).error());
  }
  Result<std::string> bkctld = read_file(bkctld_file);
  if (bkctld) return parse_bkctld_settings(*bkctld, bkctld_file);
  if (bkctld.error().code() == ENOENT) return HostSettings{};
  return std::unexpected(std::move(bkctld).error());
}

}  // namespace evojail
