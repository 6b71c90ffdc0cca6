#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "store/journal.hpp"

namespace evojail {

/// One operation on many jails at a time: INCDIR/.journal/.batch-N, the entry of a jail with the
/// names of all jails behind it, in as many links as the names need. There is one batch at a time.
/// Who began it holds a jail's lock until the jail is out of it or cannot be brought to its end, so
/// that whoever has the lock of a jail and finds it in a batch finds one that was cut short.

/// Begins it; false, and nothing is changed, where there is a batch already.
[[nodiscard]] Result<bool> write_batch(int dir, const std::string& path, const JournalEntry& entry,
                                       std::span<const std::string> jails);
/// The entry of the batch that the jail is in.
[[nodiscard]] Result<std::optional<JournalEntry>> read_from_batch(int dir, const std::string& path,
                                                                  const std::string& jail);
/// Takes jails out of it, whose locks the caller holds, and with which it is done; with the last of
/// them it goes. One that is in none is no error. On a full volume they stay in it.
[[nodiscard]] Result<void> clear_from_batch(int dir, const std::string& path,
                                            std::span<const std::string> jails);

}  // namespace evojail
