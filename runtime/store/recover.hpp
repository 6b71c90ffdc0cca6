#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/engine.hpp"
#include "store/journal.hpp"

namespace evojail {

/// What recover() came upon.
enum class Recovered {
  nothing,   ///< no operation had been cut short
  undone,    ///< it had changed nothing yet that lasts
  finished,  ///< it was brought to its end
};

struct Recovery {
  Recovered outcome = Recovered::nothing;
  JournalEntry entry;  ///< of the operation, unless `nothing`
  /// Why something that has lost its name cannot be deleted; its journal, with the token of
  /// `entry`, is still there.
  std::optional<Error> trash{};
};

/// What becomes of an operation behind trash of INCDIR/NAME that cannot be deleted.
enum class Trash {
  must_go,   ///< it fails
  may_stay,  ///< it goes on: under the trash's token, so that one journal covers both
};

/// Finishes or undoes what an earlier operation on the jail left in its journal: an inc without its
/// final name goes, one with it stays; what has lost its name goes for good; a jail whose making
/// was cut short goes, unless its settings have their name already; remove, rename and archive are
/// carried to their end. Every operation begins with it, under the jail's lock, which the caller
/// holds.
[[nodiscard]] Result<Recovery> recover(const HostSettings& host, const std::string& name,
                                       Trash trash = Trash::must_go);
/// The same with the journal at hand.
[[nodiscard]] Result<Recovery> recover(const HostSettings& host, const JournalDir& journal,
                                       const std::string& name, Trash trash);

/// Brings an inc or an rm of the jail that was cut short to its end, where no operation of its own
/// gives occasion to; one that is at work is left alone.
[[nodiscard]] Result<void> finish_cut_short(const HostSettings& host, const std::string& name);

/// Ends an operation that went on behind `recovery`: its entry goes, or makes way for the trash's.
[[nodiscard]] Result<void> end_operation(const JournalDir& journal, const std::string& name,
                                         const Recovery& recovery);

/// An error where an operation that moves or deletes the jail was cut short: it must not be
/// started, though its settings are still there. Looks only, needs no lock.
[[nodiscard]] Result<void> check_not_moving(const HostSettings& host, const std::string& name);

/// Whether such an operation is under way or was cut short: the jail is off, and what is left of it
/// wants no rules in the firewall.
[[nodiscard]] Result<bool> is_moving(const HostSettings& host, const std::string& name);

}  // namespace evojail
