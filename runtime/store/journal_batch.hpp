#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"
#include "store/journal.hpp"

namespace evojail {

/// One operation on many jails at a time: INCDIR/.journal/.batch-N, the entry of a jail with the
/// names of all jails behind it, in as many links as the names need. There is one batch at a time.
/// Who began it holds the locks of its jails until it is cleared, so that whoever has the lock of a
/// jail and finds it in a batch finds one that was cut short.

/// Begins it; false, and nothing is changed, where there is a batch already.
[[nodiscard]] Result<bool> write_batch(int dir, const std::string& path, const JournalEntry& entry,
                                       std::span<const std::string> jails);
/// The entry of the batch that the jail is in.
[[nodiscard]] Result<std::optional<JournalEntry>> read_from_batch(int dir, const std::string& path,
                                                                  const std::string& jail);
/// Takes the jail out of the batch, under the jail's lock; one that is in none is no error.
[[nodiscard]] Result<void> clear_from_batch(int dir, const std::string& path,
                                            const std::string& jail);
/// Ends the operation on all that are still in the batch, for who began it. It is gone already
/// where all have left it, and another may stand in its place.
[[nodiscard]] Result<void> clear_batch(int dir, const std::string& path, const JournalEntry& entry);

}  // namespace evojail
