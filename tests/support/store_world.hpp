#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/host_settings.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "support/loop_volume.hpp"
#include "support/temp_directory.hpp"

namespace evojail::test {

/// A store of its own on a loop volume: JAILDIR, INCDIR and ARCHIVESDIR on the volume, everything
/// else in a temporary directory.
class StoreWorld {
 public:
  explicit StoreWorld(FileSystem type) : StoreWorld(type, LoopVolume::Options()) {}
  StoreWorld(FileSystem type, LoopVolume::Options options);

  LoopVolume volume;
  TempDirectory directory;
  HostSettings host;

  /// A jail with bkctld's policy, three files and a directory in data/.
  void make_jail(const std::string& name);
  /// Takes one jail's inc and says how that went.
  IncOutcome take(const std::string& name, const std::string& inc);
  /// The same, with sessions.
  IncOutcome take(const std::string& name, const std::string& inc,
                  std::function<OpenSessions()> sessions);
  /// Removes incs of one jail and says how that went, an outcome each.
  std::vector<RemovalOutcome> remove(const std::string& name, std::vector<std::string> incs);

  [[nodiscard]] std::string data(const std::string& name) const;
  [[nodiscard]] std::string inc(const std::string& name, const std::string& inc) const;
  [[nodiscard]] std::vector<std::string> inc_names(const std::string& name) const;

  /// Everything that lies on the volume and in CONFDIR but is no jail, inc or directory of the
  /// layout: what a crash may have left.
  [[nodiscard]] std::vector<std::string> leftovers() const;
};

[[nodiscard]] NewJail new_jail(std::uint16_t port);

/// Path, type, mode, owner, size, modification time to the nanosecond, device number, hard links,
/// extended attributes and contents of everything below `path`, sorted, one line each: two trees
/// that are alike give the same text.
[[nodiscard]] std::string describe_tree(const std::string& path);

/// (device, inode) of every file below `path` that is no directory.
[[nodiscard]] std::set<std::pair<std::uint64_t, std::uint64_t>> inodes(const std::string& path);

void write_file(const std::string& path, const std::string& bytes);
[[nodiscard]] std::string read_text(const std::string& path);

}  // namespace evojail::test
