#include "monitor/jail_status.hpp"

#include "base/file.hpp"
#include "config/authorized_keys.hpp"
#include "config/layout.hpp"
#include "jail/control_client.hpp"
#include "retention/policy.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/moves.hpp"

namespace evojail {
namespace {

/// The value, or a note of why there is none.
template <class T>
std::optional<T> noted(Result<T> result, JailStatus& status) {
  if (result) return std::move(*result);
  status.troubles.push_back(result.error().message());
  return std::nullopt;
}

Result<Policy> load_policy(const std::string& file) {
  TRY(const std::string text, read_file(file));
  return parse_policy(text, file);
}

void read_policy(const JailPaths& paths, JailStatus& status) {
  status.has_incs_policy = path_exists(paths.incs_policy);
  if (!status.has_incs_policy) return;
  Result<Policy> policy = load_policy(paths.incs_policy);
  if (!policy) {
    status.policy_trouble = std::move(policy).error().in("no inc is removed");
    status.troubles.push_back(status.policy_trouble->message());
    return;
  }
  status.policy_keeps_none = policy->lines.empty();
  for (const PolicyLine& line : policy->lines) {
    if (line.jump.unit == Jump::Unit::day) ++status.policy_days;
    if (line.jump.unit == Jump::Unit::month) ++status.policy_months;
  }
}

void read_keys(const JailPaths& paths, JailStatus& status) {
  if (!path_exists(paths.authorized_keys)) return;
  const auto text = noted(read_file(paths.authorized_keys), status);
  if (!text || text->empty()) return;
  status.keys = noted(check_authorized_keys(*text, paths.authorized_keys), status).value_or(0);
}

void read_incs(const HostSettings& host, JailStatus& status) {
  const auto incs = noted(list_incs(host, status.name, ListDetail::names), status);
  if (!incs) return;
  status.incs = 0;
  for (const IncInfo& inc : *incs) {
    if (inc.held) ++status.held_incs;
    if (!inc.dated) continue;
    ++*status.incs;
    status.newest_inc = inc.name;
  }
}

}  // namespace

Result<JailStatus> read_jail_status(const HostSettings& host, const std::string& name,
                                    StatusDetail detail) {
  JailStatus status;
  status.name = name;
  auto settings = load_jail(host, name);
  if (!settings && settings.error().kind() != ErrorKind::failed) {
    return std::unexpected(std::move(settings).error());
  }
  if (!settings) status.settings_trouble = settings.error();
  status.settings = noted(std::move(settings), status);

  const JailPaths paths(host, name);
  if (auto answer = ask_status(paths)) {
    status.supervisor = std::move(*answer);
  } else {
    status.answered = false;
    status.troubles.push_back(answer.error().message());
  }
  if (const auto data = check_has_data(host, name); !data) {
    status.has_data = false;
    status.troubles.push_back(data.error().message());
  }
  read_keys(paths, status);
  read_policy(paths, status);
  read_incs(host, status);
  status.last_session = noted(read_last_session(host, name), status).value_or(std::nullopt);
  if (detail == StatusDetail::full) {
    status.firewall = noted(Firewall(host.firewall_table).counters(name), status);
  }
  return status;
}

}  // namespace evojail
