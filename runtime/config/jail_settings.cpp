#include "config/jail_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "config/assignments.hpp"
#include "config/size.hpp"

namespace evojail {
namespace {

constexpr std::uint64_t kLeastMemory = 16ULL << 20;  // what one sshd and one rsync need to start
constexpr std::uint64_t kLeastTmpfs = 64ULL << 10;   // a few pages
constexpr std::uint64_t kMostTmpfs = 64ULL << 30;
constexpr unsigned kMostIncs = 100'000;
constexpr int kMostDays = 36'600;

template <class T>
bool set_number(T& member, std::string_view value, T low, T high) {
  const auto number = parse_number(value, low, high);
  if (number) member = *number;
  return number.has_value();
}

template <unsigned JailSettings::* Member, unsigned Low, unsigned High>
bool number(JailSettings& settings, std::string_view value) {
  return set_number(settings.*Member, value, Low, High);
}

template <std::uint64_t JailSettings::* Member, std::uint64_t Low, std::uint64_t High, bool ZeroToo>
bool size(JailSettings& settings, std::string_view value) {
  const auto bytes = parse_size(value);
  const bool fits = bytes && ((*bytes >= Low && *bytes <= High) || (ZeroToo && *bytes == 0));
  if (fits) settings.*Member = *bytes;
  return fits;
}

template <bool JailSettings::* Member>
bool yes_or_no(JailSettings& settings, std::string_view value) {
  if (value != "yes" && value != "no") return false;
  settings.*Member = value == "yes";
  return true;
}

bool port(JailSettings& settings, std::string_view value) {
  return set_number<std::uint16_t>(settings.port, value, 1, 65535);
}

bool allow(JailSettings& settings, std::string_view value) {
  settings.allow.clear();
  settings.allow_all = value == "all";
  if (value == "all" || value == "none") return true;
  for (const std::string_view word : split_words(value)) {
    const auto prefix = parse_prefix(word);
    if (!prefix) return false;
    add_allowed(settings, *prefix);
  }
  return !settings.allow.empty();
}

bool profile(JailSettings& settings, std::string_view value) {
  const auto letter_or_digit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool formed = !value.empty() && value.size() <= 64 && letter_or_digit(value.front()) &&
                      !value.ends_with(".json") && std::ranges::all_of(value, [&](char c) {
                        return letter_or_digit(c) || c == '.' || c == '_' || c == '-';
                      });
  if (formed) settings.profile = value;
  return formed;
}

template <class Duration, Duration JailSettings::* Member, typename Duration::rep Low,
          typename Duration::rep High>
bool duration(JailSettings& settings, std::string_view value) {
  const auto count = parse_number<typename Duration::rep>(value, Low, High);
  if (count) settings.*Member = Duration(*count);
  return count.has_value();
}

constexpr std::string_view kYesNo = "yes or no";
constexpr std::string_view kWeight = "a number from 1 to 10000";
constexpr std::string_view kTmpfs = "a size from 64K to 64G";

using Key = SettingKey<JailSettings>;
constexpr std::array<Key, 17> kKeys = {{
    {"PORT", "a number from 1 to 65535", port},
    {"ALLOW", "all, none, or addresses and networks separated by blanks", allow},
    {"PROFILE", "the name of a profile, without .json", profile},
    {"LEGACY_CLIENTS", kYesNo, yes_or_no<&JailSettings::legacy_clients>},
    {"MAX_SESSIONS", "a number from 1 to 1000", number<&JailSettings::max_sessions, 1, 1000>},
    {"NEW_CONNECTIONS_PER_MINUTE", "a number from 0 (no limit) to 100000",
     number<&JailSettings::new_connections_per_minute, 0, 100'000>},
    {"LOGIN_GRACE_TIME", "a number of seconds from 5 to 600",
     duration<std::chrono::seconds, &JailSettings::login_grace, 5, 600>},
    {"MAX_PROCESSES", "a number from 10 to 100000",
     number<&JailSettings::max_processes, 10, 100'000>},
    {"MAX_OPEN_FILES", "a number from 64 to 1048576",
     number<&JailSettings::max_open_files, 64, 1'048'576>},
    {"MEMORY_MAX", "0 (no limit) or a size from 16M",
     size<&JailSettings::memory_max, kLeastMemory, std::numeric_limits<std::uint64_t>::max() / 2,
          true>},
    {"CPU_WEIGHT", kWeight, number<&JailSettings::cpu_weight, 1, 10'000>},
    {"IO_WEIGHT", kWeight, number<&JailSettings::io_weight, 1, 10'000>},
    {"TMP_SIZE", kTmpfs, size<&JailSettings::tmp_size, kLeastTmpfs, kMostTmpfs, false>},
    {"RUN_SIZE", kTmpfs, size<&JailSettings::run_size, kLeastTmpfs, kMostTmpfs, false>},
    {"MIN_INCS", "a number from 0 (off) to 100000", number<&JailSettings::min_incs, 0, kMostIncs>},
    {"MIN_AGE", "a number of days from 0 (off) to 36600",
     duration<std::chrono::days, &JailSettings::min_age, 0, kMostDays>},
    {"INC_AT_PUSH_END", kYesNo, yes_or_no<&JailSettings::inc_at_push_end>},
}};

/// `text` with one assignment written into it: in its line's place, or in a new last line.
std::string with_assignment(std::string_view text, std::span<const Assignment> assignments,
                            std::string_view key, std::string_view value) {
  std::string edited(text);
  const auto old = std::ranges::find(assignments, key, &Assignment::key);
  if (old != assignments.end()) {
    edited.replace(old->begin, old->end - old->begin, value);
    return edited;
  }
  if (!edited.empty() && !edited.ends_with('\n')) edited += '\n';
  return edited + fmt::format("{}={}\n", key, value);
}

}  // namespace

Result<JailSettings> parse_jail_settings(std::string_view text, std::string_view file) {
  TRY(const auto assignments, parse_assignments(text, file, ValueSyntax::plain));
  JailSettings settings;
  CHECK(apply_assignments<JailSettings>(assignments, file, kKeys, settings));
  if (settings.port == 0) {
    return std::unexpected(
        Error(fmt::format("'{}' has no PORT", file)).hint("add a line such as PORT=2222"));
  }
  return settings;
}

Result<std::string> edit_jail_settings(std::string_view text, std::string_view file,
                                       std::string_view key, std::string_view value) {
  TRY(const auto before, parse_assignments(text, file, ValueSyntax::plain));
  std::string edited = with_assignment(text, before, key, value);
  TRY(const auto after, parse_assignments(edited, file, ValueSyntax::plain));
  // A value that does not come back as it went in (a line end, a comment sign) would say something
  // else than the caller meant.
  const auto old = std::ranges::find(before, key, &Assignment::key);
  const auto written = std::ranges::find(after, key, &Assignment::key);
  const std::size_t expected = before.size() + (old == before.end() ? 1 : 0);
  if (after.size() != expected || written == after.end() || written->value != value) {
    return fail(fmt::format("'{}': '{}' cannot be written as the value of {}", file,
                            printable(value), printable(key)));
  }
  CHECK(parse_jail_settings(edited, file));
  return edited;
}

std::string new_jail_settings(std::uint16_t port, bool legacy_clients) {
  const JailSettings defaults;
  const auto yes_no = [](bool value) { return value ? "yes" : "no"; };
  return fmt::format(
      R"(# Settings of this jail, see jail.conf(5). A line behind '#' shows the default.

# The TCP port on which the client reaches its jail.
PORT={port}

# Who may connect: all, none, or addresses and networks separated by blanks.
ALLOW=all

# The isolation profile.
#PROFILE={profile}

# yes: an RSA host key and the key exchange of older clients.
{legacy_mark}LEGACY_CLIENTS={legacy}

# Sessions at once, new connections of one source in a minute, seconds for a login.
#MAX_SESSIONS={sessions}
#NEW_CONNECTIONS_PER_MINUTE={connections}
#LOGIN_GRACE_TIME={grace}

# Processes of the jail, open files of a process, memory (0: no limit), weights against other jails.
#MAX_PROCESSES={processes}
#MAX_OPEN_FILES={files}
#MEMORY_MAX={memory}
#CPU_WEIGHT={cpu}
#IO_WEIGHT={io}

# Size of /tmp and of /run.
#TMP_SIZE={tmp}
#RUN_SIZE={run}

# Incs that no policy removes: the newest complete ones, and those younger than so many days.
#MIN_INCS={min_incs}
#MIN_AGE={min_age}

# yes: an inc is taken when a push has ended.
#INC_AT_PUSH_END={at_push_end}
)",
      fmt::arg("port", port), fmt::arg("profile", defaults.profile),
      fmt::arg("legacy_mark", legacy_clients ? "" : "#"),
      fmt::arg("legacy", yes_no(legacy_clients)), fmt::arg("sessions", defaults.max_sessions),
      fmt::arg("connections", defaults.new_connections_per_minute),
      fmt::arg("grace", defaults.login_grace.count()),
      fmt::arg("processes", defaults.max_processes), fmt::arg("files", defaults.max_open_files),
      fmt::arg("memory", format_size(defaults.memory_max)), fmt::arg("cpu", defaults.cpu_weight),
      fmt::arg("io", defaults.io_weight), fmt::arg("tmp", format_size(defaults.tmp_size)),
      fmt::arg("run", format_size(defaults.run_size)), fmt::arg("min_incs", defaults.min_incs),
      fmt::arg("min_age", defaults.min_age.count()),
      fmt::arg("at_push_end", yes_no(defaults.inc_at_push_end)));
}

std::string format_allow(const JailSettings& settings) {
  if (settings.allow_all) return "all";
  if (settings.allow.empty()) return "none";
  std::string text;
  for (const Prefix& prefix : settings.allow) {
    if (!text.empty()) text += ' ';
    text += to_string(prefix);
  }
  return text;
}

void add_allowed(JailSettings& settings, const Prefix& prefix) {
  settings.allow_all = false;
  const auto place = std::ranges::lower_bound(settings.allow, prefix);
  if (place == settings.allow.end() || *place != prefix) settings.allow.insert(place, prefix);
}

Result<void> remove_allowed(JailSettings& settings, const Prefix& prefix) {
  const auto place = std::ranges::lower_bound(settings.allow, prefix);
  if (!settings.allow_all && place != settings.allow.end() && *place == prefix) {
    settings.allow.erase(place);
    return {};
  }
  return std::unexpected(
      Error(fmt::format("{} is not on the list of allowed sources", to_string(prefix)))
          .hint(fmt::format("the list is: {}", format_allow(settings))));
}

}  // namespace evojail
