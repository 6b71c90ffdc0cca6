#pragma once

#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/engine.hpp"
#include "store/journal.hpp"

namespace evojail {

// The steps of each operation behind its journal entry. Each can be called again after it was cut
// short anywhere, and then goes on: operations call them the first time, recover() every other
// time. The caller holds the jail's lock.

/// Writes the entry and makes it durable; after an error it is not there.
[[nodiscard]] Result<void> begin_operation(const JournalDir& journal, const std::string& name,
                                           const JournalEntry& entry);

/// An error where the name is a jail's, or something of an earlier one is left under it.
[[nodiscard]] Result<void> check_unused(const HostSettings& host, const std::string& name);

/// An error where the jail has settings but no directory in JAILDIR, as when the volume is not
/// mounted: its settings must not part from its data.
[[nodiscard]] Result<void> check_has_data(const HostSettings& host, const std::string& name);

/// An error where a jail that is being moved is neither in its old place nor in its new one.
[[nodiscard]] Result<void> check_has_data_in_either(const std::string& old_dir,
                                                    const std::string& old_name,
                                                    const std::string& new_dir,
                                                    const std::string& new_name);

/// Removes an inc that was being built, with its record and manifest; where it has its final name
/// already, sees to its record and manifest instead. One that cannot be removed gets a trash name.
/// @return whether the inc is there.
[[nodiscard]] Result<bool> settle_inc(const HostSettings& host, const std::string& name,
                                      const JournalEntry& entry);

/// A trash name of the operation for an inc that no other one has: an earlier one of the same hour
/// may still lie in INCDIR/NAME.
[[nodiscard]] std::string unused_trash_name(int incs_dir, const JournalEntry& entry,
                                            const std::string& inc);

/// Removes for good what bears the operation's trash names in INCDIR/NAME, all that can go; the
/// error is of the first that cannot.
[[nodiscard]] Result<void> empty_inc_trash(const HostSettings& host, const std::string& name,
                                           const JournalEntry& entry,
                                           const RemoveProgress& progress);

/// What becomes of a directory of incs that has none but holds on some: they may be away for a
/// while, or still to come, where they are copied to another volume.
enum class Held { stays, goes };

/// Removes INCDIR/NAME if it holds nothing but .meta.
[[nodiscard]] Result<void> drop_empty_incs_dir(const HostSettings& host, const std::string& name,
                                               Held held = Held::stays);

/// Removes what a creation had built, unless the settings have their name: then the jail is there.
/// @return whether it is.
[[nodiscard]] Result<bool> settle_create(const HostSettings& host, const std::string& name,
                                         const JournalEntry& entry);

[[nodiscard]] Result<void> carry_out_remove(const HostSettings& host, const std::string& name,
                                            const JournalEntry& entry,
                                            const RemoveProgress& progress);
[[nodiscard]] Result<void> carry_out_rename(const HostSettings& host, const std::string& old_name,
                                            const std::string& new_name);
[[nodiscard]] Result<void> carry_out_archive(const HostSettings& host, const std::string& name);

}  // namespace evojail
