#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/engine.hpp"
#include "store/holds.hpp"
#include "store/inc_record.hpp"

namespace evojail {

/// The directories among a jail's incs, whatever their names: people move an inc aside and back.
struct IncEntries {
  std::map<std::string, std::string> identities;  ///< by name
  bool all = true;                                ///< false where one cannot be read: it is missing

  [[nodiscard]] bool has_identity(const std::string& identity) const;
};

/// INCDIR/NAME/.meta, root's with mode 0700: what must share the volume's fate.
///
///   incs/IDENTITY.json   the record of an inc
///   manifests/IDENTITY   the tree engine's manifest of it, of the newest two
///   holds.json           holds
///   settings/            copies of CONFDIR/NAME.d, from which a lost host is rebuilt
///
/// All of it belongs to incs by their identity, so that it follows an inc that people rename. What
/// belongs to an identity that no inc has goes by the name instead: incs that were copied to
/// another volume have the names that they had, but new identities.
class MetaDir {
 public:
  /// Opens it in the directory of a jail's incs; where it is missing, no value.
  static Result<std::optional<MetaDir>> open(int incs_dir, const std::string& incs_path);
  /// Opens it, made first where it or one of its directories is missing.
  static Result<MetaDir> make(int incs_dir, const std::string& incs_path, SyncSet& sync);

  /// An inc's record, if it has one; one that cannot be read is an error.
  [[nodiscard]] Result<std::optional<IncRecord>> read_record(const std::string& identity) const;
  [[nodiscard]] Result<void> write_record(const IncRecord& record, SyncSet& sync) const;
  /// Drops record and manifest of an inc that is gone.
  [[nodiscard]] Result<void> forget(const std::string& identity) const;

  /// The records of incs that are nowhere, by the names of those that are copies of them.
  [[nodiscard]] Result<std::map<std::string, IncRecord>> read_records_of_copies(
      const IncEntries& entries) const;

  /// Drops records and manifests of all incs but these, and those that these are copies of: of
  /// those that somebody removed by hand.
  [[nodiscard]] Result<void> forget_all_but(const IncEntries& entries) const;

  /// The directory of manifests.
  [[nodiscard]] Result<Fd> open_manifests() const;
  /// Drops all manifests but these.
  [[nodiscard]] Result<void> keep_manifests(const std::vector<std::string>& identities) const;

  /// Holds as they are written, expired ones included.
  [[nodiscard]] Result<std::vector<Hold>> read_holds() const;
  [[nodiscard]] Result<void> write_holds(const std::vector<Hold>& holds) const;

  /// Brings settings/ up to what is in CONFDIR/NAME.d; files that have not changed are not written,
  /// and host keys stay until there are others.
  /// @return why files there could not be read; a copy of before stays.
  [[nodiscard]] Result<std::vector<Error>> mirror_settings(const std::string& conf_dir,
                                                           SyncSet& sync) const;

 private:
  /// Identities that have a record and are no entry's.
  [[nodiscard]] Result<std::vector<std::string>> records_of_none(const IncEntries& entries) const;

  MetaDir(Fd dir, std::string path) : dir_(std::move(dir)), path_(std::move(path)) {}

  Fd dir_;
  std::string path_;
};

/// Whether an identity is a bare inode number (identify_by_inode()), which a copy of one inc can
/// have where another had it: on an ext4 with inodes of 128 bytes, which keep no time of birth.
[[nodiscard]] bool is_bare_number(std::string_view identity);

[[nodiscard]] Result<IncEntries> identify_entries(Engine& engine, int incs_dir,
                                                  const std::string& incs_path);

/// A hold whose inc is nowhere binds the copy of it, the inc with its name. Where its identity is a
/// bare number, and another inc has its name, it binds both.
void follow_copies(std::vector<Hold>& holds, const IncEntries& entries);

}  // namespace evojail
