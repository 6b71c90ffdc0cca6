#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "kernel/firewall.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

/// One directory's part: where the old name is gone, the step was done before.
Result<void> rename_in(const std::string& parent, const std::string& old_name,
                       const std::string& new_name) {
  auto dir = open_directory(parent);
  if (!dir && dir.error().code() == ENOENT) return {};
  if (!dir) return std::unexpected(std::move(dir).error());
  TRY(const bool there, has_entry(dir->get(), old_name, parent));
  if (!there) return {};
  CHECK(rename_new(dir->get(), old_name, dir->get(), new_name, parent + "/" + old_name));
  return sync_fd(dir->get(), parent);
}

/// Whether the new name is nobody's still.
Result<bool> is_unused_yet(const HostSettings& host, const std::string& new_name) {
  for (const std::string* parent : {&host.incdir, &host.jaildir}) {
    TRY(const Fd dir, open_directory(*parent));
    TRY(const bool there, has_entry(dir.get(), new_name, *parent));
    if (there) return false;
  }
  return true;
}

Result<void> rename_locked(const HostSettings& host, const std::string& old_name,
                           const std::string& new_name) {
  TRY(const JournalDir journal, JournalDir::open(host));
  JournalEntry entry;
  TRY(entry.token, random_token());
  // The pointer under the new name first: without the other entry it means nothing.
  entry.operation = JournalEntry::Operation::renamed;
  entry.subject = old_name;
  CHECK(begin_operation(journal, new_name, entry));
  entry.operation = JournalEntry::Operation::rename;
  entry.subject = new_name;
  if (auto begun = begin_operation(journal, old_name, entry); !begun) {
    CHECK(journal.clear(new_name));
    return begun;
  }
  auto done = carry_out_rename(host, old_name, new_name);
  if (!done) {
    const auto unused = is_unused_yet(host, new_name);
    const bool undone = unused && *unused && journal.clear(old_name) && journal.clear(new_name);
    return std::unexpected(std::move(done).error().hint(
        undone ? "nothing of it was done"
               : fmt::format("it goes on with: evojail rename {} {}", old_name, new_name)));
  }
  CHECK(journal.clear(old_name));
  return journal.clear(new_name);
}

}  // namespace

Result<void> carry_out_rename(const HostSettings& host, const std::string& old_name,
                              const std::string& new_name) {
  CHECK(check_has_data_in_either(host.jaildir, old_name, host.jaildir, new_name));
  CHECK(rename_in(host.incdir, old_name, new_name));
  CHECK(rename_in(host.jaildir, old_name, new_name));
  // The new name's cannot come before the old one's are gone: port and uid range are the same.
  CHECK(Firewall(host.firewall_table).remove(old_name));
  CHECK(rename_uid_range(host, old_name, new_name));
  CHECK(rename_in(host.logdir, old_name + ".log", new_name + ".log"));
  return rename_in(host.confdir, old_name + ".d", new_name + ".d");
}

Result<void> rename_jail(const HostSettings& host, const std::string& old_name,
                         const std::string& new_name) {
  CHECK(parse_jail_name(old_name));
  CHECK(parse_jail_name(new_name));
  if (old_name == new_name) return fail(fmt::format("'{}' is its name already", new_name));
  const auto context = fmt::format("renaming jail '{}' to '{}'", old_name, new_name);
  TRY(const FileLock old_lock, lock_store(host, old_name));
  TRY(const Recovery recovery, recover(host, old_name));
  if (recovery.outcome == Recovered::finished &&
      recovery.entry.operation == JournalEntry::Operation::rename &&
      recovery.entry.subject == new_name) {
    return {};
  }
  TRY(const FileLock new_lock, lock_store(host, new_name));
  CHECK(recover(host, new_name));
  CHECK(load_jail_text(host, old_name));
  CHECK(check_has_data(host, old_name));
  TRY(const FileLock stopped, lock_stopped(host, old_name));
  CHECK(check_store(host));
  CHECK(check_unused(host, new_name));
  if (path_exists(host.logdir + "/" + new_name + ".log")) {
    return fail(fmt::format("{}: '{}/{}.log' is in the way", context, host.logdir, new_name));
  }
  auto done = rename_locked(host, old_name, new_name);
  if (!done) return std::unexpected(std::move(done).error().in(context));
  return {};
}

}  // namespace evojail
