#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/json/jails.hpp"
#include "cli/message.hpp"
#include "cli/report.hpp"
#include "cli/text.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

/// Whoever reads the names must learn that not all of them stand for a sound jail.
int check_jails(const HostSettings& host, const std::vector<std::string>& names) {
  Failures failures;
  std::size_t closed = 0;
  for (const std::string& name : names) {
    auto settings = load_settings_file(host, name);
    if (settings) continue;
    if (settings.error().code() == EACCES) ++closed;
    failures.add(name, std::move(settings).error());
  }
  if (closed == 0 || ::geteuid() == 0) return failures.finish(names.size());
  return report(Error(fmt::format("the settings of {} cannot be read without root: whether all of "
                                  "these are jails, and sound, is not known",
                                  count_of(closed, "jail")))
                    .hint(run_as_root));
}

}  // namespace

Action declare_list(Arguments& arguments) {
  auto json = std::make_shared<bool>(false);
  arguments.flag("--json", *json, "for machines");
  arguments.example("list", "A name a line.");
  arguments.note(
      "Exit code 1 where a jail's settings cannot be read; without root that is all of them.");
  return [json](const Invocation& invocation) {
    const auto names = list_jails(invocation.host);
    if (!names && names.error().code() == EACCES && ::geteuid() != 0) {
      return report(Error(names.error()).hint(run_as_root));
    }
    if (!names) return report(names.error());
    if (*json) {
      fmt::print("{}\n", names_json(*names));
    } else {
      for (const std::string& name : *names) fmt::print("{}\n", name);
    }
    return check_jails(invocation.host, *names);
  };
}

}  // namespace evojail
