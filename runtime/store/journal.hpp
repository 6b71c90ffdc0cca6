#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// An operation under way on one jail.
struct JournalEntry {
  enum class Operation {
    create,   ///< JAILDIR/.new-TOKEN, CONFDIR/.new-TOKEN
    inc,      ///< INCDIR/NAME/.new-TOKEN is to become INCDIR/NAME/SUBJECT
    rm,       ///< INCDIR/NAME/.trash-TOKEN-INC
    remove,   ///< JAILDIR/.trash-TOKEN, INCDIR/NAME/.trash-TOKEN-INC, CONFDIR/.trash-TOKEN
    rename,   ///< NAME becomes SUBJECT
    renamed,  ///< SUBJECT becomes NAME: looks at the journal of SUBJECT
    archive,  ///< JAILDIR/NAME becomes ARCHIVESDIR/NAME
  };

  Operation operation = Operation::inc;
  std::string token;       ///< random_token(), part of every temporary name of this operation
  std::string subject;     ///< an inc's name or another jail's, see above
  std::int64_t began = 0;  ///< seconds since the epoch
  bool partial = false;    ///< of an inc that is built: its record says partial

  /// ".new-TOKEN": something that is being built.
  [[nodiscard]] std::string new_name() const;
  /// ".trash-TOKEN", or ".trash-TOKEN-INC": something that is being removed.
  [[nodiscard]] std::string trash_name() const;
  [[nodiscard]] std::string trash_name(const std::string& inc) const;

  bool operator==(const JournalEntry&) const = default;
};

/// "inc 0123456789abcdef 2026-11-22-22 1795384800 whole"
[[nodiscard]] std::string format_journal_entry(const JournalEntry& entry);
[[nodiscard]] Result<JournalEntry> parse_journal_entry(const std::string& text,
                                                       const std::string& file);

/// The journals of all jails, INCDIR/.journal/NAME: on the volume of the data, and outside
/// INCDIR/NAME, which some operations move or remove. A temporary or trash name is one whose token
/// stands here, never one that merely looks like it.
///
/// An entry is the target of a symbolic link: made in one step together with its name, so that none
/// is ever half-written, and on the same file system never on the disk later than what was done
/// after it.
class JournalDir {
 public:
  /// Makes the directory where it is missing.
  static Result<JournalDir> open(const HostSettings& host);

  /// The jail's entry, if an operation is under way or was cut short.
  [[nodiscard]] Result<std::optional<JournalEntry>> read(const std::string& name) const;
  /// Begins an operation; an entry that is there already is an error (EEXIST).
  [[nodiscard]] Result<void> write(const std::string& name, const JournalEntry& entry) const;
  /// Changes an operation's entry in one step.
  [[nodiscard]] Result<void> replace(const std::string& name, const JournalEntry& entry) const;
  /// Ends it; no entry is no error. On a full volume a jail that write_all() began with stays in
  /// that entry, and is settled once more by the next recover().
  [[nodiscard]] Result<void> clear(const std::string& name) const;
  /// Begins one operation on many jails at once; false where another such is under way or was cut
  /// short, and each wants an entry of its own. What write() and replace() say of a jail counts
  /// before what stands here. The locks of all these jails are held; each until it is cleared, or
  /// left to recover().
  [[nodiscard]] Result<bool> write_all(std::span<const std::string> names,
                                       const JournalEntry& entry) const;
  /// Ends it for these; others stay in it, and so does what write() and replace() say of these.
  [[nodiscard]] Result<void> clear_all(std::span<const std::string> names) const;
  /// Makes entries durable before a step on another file system, or one that the file system does
  /// not order behind them.
  [[nodiscard]] Result<void> sync() const;

 private:
  JournalDir(Fd dir, std::string path) : dir_(std::move(dir)), path_(std::move(path)) {}

  Fd dir_;
  std::string path_;
};

}  // namespace evojail
