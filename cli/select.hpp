#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "service/service.hpp"

namespace evojail {

struct Invocation;

/// Checks that a jail of that name exists; its settings may be broken.
[[nodiscard]] Result<void> require_jail(const HostSettings& host, const std::string& name);

/// Checks that there are incs of that name, or a jail that may have some: an archived jail's incs
/// stay.
[[nodiscard]] Result<void> require_inc_owner(const HostSettings& host, const std::string& name);

/// Checks that a jail can be called so: the name is well formed, and no jail's.
[[nodiscard]] Result<void> require_new_name(const HostSettings& host, const std::string& name);

/// "all", or the name of a jail that exists.
[[nodiscard]] Result<std::vector<std::string>> select_jails(const HostSettings& host,
                                                            const std::string& word);

/// Whether the words are every jail: there are none, or "all". A name beside "all" is an error.
[[nodiscard]] Result<bool> stand_for_all(const std::vector<std::string>& words);

/// The jails named, or all of them. Names are checked, whether they exist is not; each is there
/// once.
[[nodiscard]] Result<std::vector<std::string>> select_jails(const HostSettings& host,
                                                            const std::vector<std::string>& words);

/// A word that names an inc: "NAME/INC".
struct IncName {
  std::string jail;
  std::string inc;
};
[[nodiscard]] Result<IncName> parse_inc_word(const std::string& word);
/// The first word that names an inc, where jails are wanted.
[[nodiscard]] std::optional<IncName> find_inc_word(const std::vector<std::string>& words);

/// Tells a person which supervisor is waited for.
[[nodiscard]] SilenceNote note_of_silence(const Invocation& invocation);

[[nodiscard]] ServiceHost service_of(const Invocation& invocation);

}  // namespace evojail
