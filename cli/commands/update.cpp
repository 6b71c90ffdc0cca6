#include <fmt/format.h>

#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/json/host.hpp"
#include "cli/report.hpp"
#include "cli/text.hpp"
#include "jail/base_image.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

struct Updated {
  BuildReport build;
  std::vector<std::string> pruned;
};

Result<Updated> update(const HostSettings& host) {
  CHECK(make_run_dirs(host));
  Updated updated;
  TRY(updated.build, update_base_image(host));
  TRY(updated.pruned, prune_base_images(host));
  return updated;
}

void print_paths(std::string_view sign, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) fmt::print("  {} {}\n", sign, path);
}

void tell(const Updated& updated) {
  const BuildReport& build = updated.build;
  if (!build.built) {
    fmt::print("base image {} is up to date\n", build.id);
  } else {
    fmt::print("base image {} built: {}, {}\n", build.id, count_of(build.files, "file"),
               format_bytes(build.bytes));
    print_paths("+", build.changes.added);
    print_paths("-", build.changes.removed);
    print_paths("~", build.changes.changed);
    fmt::print("jails take it up when they are started anew: evojail restart all\n");
  }
  if (!build.left_out.empty()) {
    fmt::print("left out, as this host does not have them: {}\n", join(build.left_out, ", "));
  }
  if (!updated.pruned.empty()) {
    fmt::print("no longer used and removed: {}\n", join(updated.pruned, ", "));
  }
}

}  // namespace

Action declare_update(Arguments& arguments) {
  auto json = std::make_shared<bool>(false);
  arguments.flag("--json", *json, "for machines");
  arguments.example("update", "After an upgrade of openssh-server, rsync or their libraries.");
  arguments.note("Running jails keep the image they started with until they are restarted.");
  return [json](const Invocation& invocation) {
    const auto updated = update(invocation.host);
    if (!updated) return report(updated.error());
    if (*json) {
      fmt::print("{}\n", update_json(updated->build, updated->pruned));
    } else if (!invocation.quiet) {
      tell(*updated);
    }
    return exit_code::done;
  };
}

}  // namespace evojail
