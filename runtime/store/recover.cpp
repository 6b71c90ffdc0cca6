#include "store/recover.hpp"

#include <fmt/format.h>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/host_check.hpp"
#include "store/moves.hpp"
#include "store/store_lock.hpp"

namespace evojail {
namespace {

using Operation = JournalEntry::Operation;

std::string_view describe(Operation operation) {
  switch (operation) {
    case Operation::create:
      return "making";
    case Operation::inc:
      return "inc";
    case Operation::rm:
      return "removal of incs";
    case Operation::remove:
      return "removal";
    case Operation::rename:
    case Operation::renamed:
      return "renaming";
    case Operation::archive:
      return "archiving";
  }
  return "operation";
}

/// Touches the jail's incs alone, neither its data nor its settings.
bool is_of_incs(Operation operation) {
  return operation == Operation::inc || operation == Operation::rm;
}

/// The journal, if there is one. Without it, or without INCDIR, nothing was begun.
Result<std::optional<JournalDir>> find_journal(const HostSettings& host) {
  TRY(const bool any, has_path(host.incdir + "/.journal"));
  if (!any) return std::nullopt;
  TRY(JournalDir journal, JournalDir::open(host));
  return journal;
}

/// What the journal has of the jail.
Result<std::optional<JournalEntry>> find_entry(const HostSettings& host, const std::string& name) {
  TRY(const auto journal, find_journal(host));
  if (!journal) return std::nullopt;
  return journal->read(name);
}

/// What an rm has left, or an inc that could not be undone.
Result<void> empty_trash(const HostSettings& host, const std::string& name,
                         const JournalEntry& entry) {
  CHECK(empty_inc_trash(host, name, entry, {}));
  return drop_empty_incs_dir(host, name);
}

Result<void> leave_to_trash(const JournalDir& journal, const std::string& name,
                            const std::string& token) {
  JournalEntry entry;
  entry.operation = Operation::rm;
  entry.token = token;
  CHECK(journal.replace(name, entry));
  // Trash may stay for long, and keep the batch there.
  return journal.clear_all({&name, 1});
}

Error in_context(Error error, const std::string& name, Operation operation) {
  return std::move(error).in(
      fmt::format("jail '{}': finishing {} that was cut short", name, describe(operation)));
}

Result<bool> finish_remove(const HostSettings& host, const std::string& name,
                           const JournalEntry& entry) {
  TRY(const FileLock stopped, lock_stopped(host, name));
  CHECK(carry_out_remove(host, name, entry, {}));
  return true;
}

Result<bool> finish_rename(const HostSettings& host, const JournalDir& journal,
                           const std::string& name, const JournalEntry& entry) {
  TRY(const FileLock other, lock_store(host, entry.subject));
  TRY(const FileLock stopped, lock_stopped(host, name));
  CHECK(carry_out_rename(host, name, entry.subject));
  CHECK(journal.clear(name));
  CHECK(journal.clear(entry.subject));
  return true;
}

/// The entry under the new name: the old one's says whether anything was begun.
Result<bool> finish_renamed(const HostSettings& host, const JournalDir& journal,
                            const std::string& name, const JournalEntry& entry) {
  TRY(const auto old, journal.read(entry.subject));
  if (!old || old->operation != Operation::rename || old->subject != name) return false;
  TRY(const FileLock other, lock_store(host, entry.subject));
  TRY(const FileLock stopped, lock_stopped(host, entry.subject));
  CHECK(carry_out_rename(host, entry.subject, name));
  CHECK(journal.clear(entry.subject));
  return true;
}

Result<bool> finish_archive(const HostSettings& host, const std::string& name) {
  TRY(const FileLock stopped, lock_stopped(host, name));
  CHECK(carry_out_archive(host, name));
  return true;
}

Result<bool> settle(const HostSettings& host, const JournalDir& journal, const std::string& name,
                    const JournalEntry& entry) {
  if (!is_of_incs(entry.operation)) CHECK(check_jaildir_mounted(host));
  switch (entry.operation) {
    case Operation::create:
      return settle_create(host, name, entry);
    case Operation::inc:
      return settle_inc(host, name, entry);
    case Operation::rm:
      return true;
    case Operation::remove:
      return finish_remove(host, name, entry);
    case Operation::rename:
      return finish_rename(host, journal, name, entry);
    case Operation::renamed:
      return finish_renamed(host, journal, name, entry);
    case Operation::archive:
      return finish_archive(host, name);
  }
  return fail("an operation of another version");
}

}  // namespace

Result<void> begin_operation(const JournalDir& journal, const std::string& name,
                             const JournalEntry& entry) {
  auto done = journal.write(name, entry);
  if (!done) return done;
  done = journal.sync();
  if (!done) CHECK(journal.clear(name));
  return done;
}

Result<Recovery> recover(const HostSettings& host, const std::string& name, Trash trash) {
  TRY(const auto journal, find_journal(host));
  if (!journal) return Recovery{};
  return recover(host, *journal, name, trash);
}

Result<Recovery> recover(const HostSettings& host, const JournalDir& journal,
                         const std::string& name, Trash trash) {
  TRY(const auto entry, journal.read(name));
  if (!entry) return Recovery{};
  auto finished = settle(host, journal, name, *entry);
  if (!finished) {
    return std::unexpected(in_context(std::move(finished).error(), name, entry->operation));
  }
  Recovery recovery{*finished ? Recovered::finished : Recovered::undone, *entry};
  if (is_of_incs(entry->operation)) {
    if (auto emptied = empty_trash(host, name, *entry); !emptied) {
      recovery.trash = in_context(std::move(emptied).error(), name, Operation::rm);
    }
  }
  CHECK(end_operation(journal, name, recovery));
  if (recovery.trash && trash == Trash::must_go) return std::unexpected(*recovery.trash);
  return recovery;
}

Result<void> finish_cut_short(const HostSettings& host, const std::string& name) {
  TRY(const auto entry, find_entry(host, name));
  if (!entry || !is_of_incs(entry->operation)) return {};
  const auto lock = lock_store(host, name);
  if (!lock && lock.error().kind() == ErrorKind::busy) return {};
  if (!lock) return std::unexpected(lock.error());
  CHECK(recover(host, name));
  return {};
}

Result<void> end_operation(const JournalDir& journal, const std::string& name,
                           const Recovery& recovery) {
  if (!recovery.trash) return journal.clear(name);
  return leave_to_trash(journal, name, recovery.entry.token);
}

Result<bool> is_moving(const HostSettings& host, const std::string& name) {
  TRY(const auto entry, find_entry(host, name));
  if (!entry) return false;
  return entry->operation == Operation::remove || entry->operation == Operation::archive ||
         entry->operation == Operation::rename || entry->operation == Operation::renamed;
}

Result<void> check_not_moving(const HostSettings& host, const std::string& name) {
  TRY(const auto entry, find_entry(host, name));
  if (!entry) return {};
  const auto refuse = [&](std::string_view hint) {
    return std::unexpected(Error(fmt::format("jail '{}': its {} is under way or was cut short",
                                             name, describe(entry->operation)))
                               .hint(hint));
  };
  switch (entry->operation) {
    case Operation::remove:
      return refuse(fmt::format("it goes on with: evojail remove {}", name));
    case Operation::archive:
      return refuse(fmt::format("it goes on with: evojail archive {}", name));
    case Operation::rename:
      return refuse(fmt::format("it goes on with: evojail rename {} {}", name, entry->subject));
    case Operation::renamed:
      return refuse(fmt::format("it goes on with: evojail rename {} {}", entry->subject, name));
    case Operation::create:
    case Operation::inc:
    case Operation::rm:
      return {};
  }
  return {};
}

}  // namespace evojail
