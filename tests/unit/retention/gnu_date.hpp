#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "retention/zone.hpp"

namespace evojail::test {

/// A directory of its own that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Makes `zone` (a name in /usr/share/zoneinfo, or a POSIX TZ string) this process's own and
/// returns its rules. Throws where there is no such zone.
Zone use_zone(const std::string& zone);

/// Runs a command with the zone of use_zone() and the clock standing at `now`. Throws on failure.
void run_at(std::int64_t now, const std::string& command);

/// What the real date(1), standing at `now`, prints as %Y-%m-%d for each text, in one process;
/// nothing where it rejects the text.
[[nodiscard]] std::vector<std::optional<std::string>> ask_date(
    std::int64_t now, const std::vector<std::string>& texts);

}  // namespace evojail::test
