#include "jail/clean_boots.hpp"

#include <unistd.h>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "base/parse.hpp"
#include "config/layout.hpp"

namespace evojail {
namespace {

/// Of a base that is older than that nobody would want to be sure.
constexpr std::size_t most_boots = 64;

std::string directory(const HostSettings& host) { return host.datadir + "/boots"; }

std::optional<BootRecord> read_record(const HostSettings& host, const std::string& name) {
  const auto text = read_file(directory(host) + "/" + name, 1 << 16);
  return text ? parse_boot_record(*text) : std::nullopt;
}

Result<void> write_record(const HostSettings& host, const std::string& name,
                          const BootRecord& record) {
  CHECK(make_directories(directory(host), 0700));
  return replace_file(directory(host) + "/" + name, format_boot_record(record), 0600);
}

}  // namespace

std::string format_boot_record(const BootRecord& record) {
  std::string text = record.running ? "running\n" : "stopped\n";
  for (const BootId& boot : record.boots) text += format_boot_id(boot) + "\n";
  return text;
}

std::optional<BootRecord> parse_boot_record(std::string_view text) {
  if (!text.ends_with('\n')) return std::nullopt;
  const auto lines = split_words(text, "\n");
  if (lines.size() < 2 || (lines[0] != "running" && lines[0] != "stopped")) return std::nullopt;
  BootRecord record{.running = lines[0] == "running", .boots = {}};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto boot = parse_boot_id(lines[i]);
    if (!boot) return std::nullopt;
    record.boots.push_back(*boot);
  }
  return record;
}

BootRecord after_start(const std::optional<BootRecord>& record, const BootId& now) {
  BootRecord next{.running = true, .boots = clean_since(record, now)};
  if (next.boots.empty() || next.boots.back() != now) next.boots.push_back(now);
  if (next.boots.size() > most_boots) next.boots.erase(next.boots.begin());
  return next;
}

BootRecord after_stop(const std::optional<BootRecord>& record, const BootId& now) {
  BootRecord next = after_start(record, now);
  next.running = false;
  return next;
}

std::vector<BootId> clean_since(const std::optional<BootRecord>& record, const BootId& now) {
  if (!record || record->boots.empty()) return {};
  if (record->running && record->boots.back() != now) return {};
  return record->boots;
}

Result<void> note_start(const HostSettings& host, const std::string& name) {
  TRY(const BootId now, boot_id());
  return write_record(host, name, after_start(read_record(host, name), now));
}

Result<void> note_clean_stop(const HostSettings& host, const std::string& name) {
  TRY(const BootId now, boot_id());
  const std::string data = JailPaths(host, name).jail_dir;
  TRY(const Fd dir, open_directory(data));
  if (::syncfs(dir.get()) != 0) return fail_errno("syncing the volume of", data);
  return write_record(host, name, after_stop(read_record(host, name), now));
}

std::vector<BootId> read_clean_boots(const HostSettings& host, const std::string& name) {
  const auto now = boot_id();
  return now ? clean_since(read_record(host, name), *now) : std::vector<BootId>();
}

void forget_boots(const HostSettings& host, const std::string& name) {
  ::unlink((directory(host) + "/" + name).c_str());
}

}  // namespace evojail
