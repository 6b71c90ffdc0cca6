#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/tree_clock.hpp"

namespace evojail {

/// Through which boots of the machine a jail came without a loss, in DATADIR/boots/NAME. After a
/// crash the disk may hold new data under an old ctime, and an inc has to compare everything; after
/// a stop in good order it need not (rule 6 of the tree engine). Boots in which the jail never ran
/// are not known: the inc after one taken in such a boot compares, needlessly and once.
struct BootRecord {
  bool running = false;       ///< started, and not stopped in good order since
  std::vector<BootId> boots;  ///< the latest last; between them the jail was always stopped so

  bool operator==(const BootRecord&) const = default;
};

[[nodiscard]] std::string format_boot_record(const BootRecord& record);
/// No value for a text that format_boot_record() did not write: then nothing is known.
[[nodiscard]] std::optional<BootRecord> parse_boot_record(std::string_view text);

/// The record of a jail that is started in the boot `now`. That its supervisor was killed earlier
/// in the same boot loses nothing: what the jail wrote is the kernel's.
[[nodiscard]] BootRecord after_start(const std::optional<BootRecord>& record, const BootId& now);
/// The record of a jail that is stopped in good order, with its data on the disk.
[[nodiscard]] BootRecord after_stop(const std::optional<BootRecord>& record, const BootId& now);
/// The boots since which nothing can have been lost, as it is in the boot `now`.
[[nodiscard]] std::vector<BootId> clean_since(const std::optional<BootRecord>& record,
                                              const BootId& now);

/// Notes, durably, that the jail runs: before any session can write.
[[nodiscard]] Result<void> note_start(const HostSettings& host, const std::string& name);
/// Brings the jail's data to the disk and notes, durably, that it was stopped; its last process has
/// ended.
[[nodiscard]] Result<void> note_clean_stop(const HostSettings& host, const std::string& name);
/// For IncRequest::clean_boots; empty where nothing is known.
[[nodiscard]] std::vector<BootId> read_clean_boots(const HostSettings& host,
                                                   const std::string& name);
/// Forgets it, with its jail.
void forget_boots(const HostSettings& host, const std::string& name);

}  // namespace evojail
