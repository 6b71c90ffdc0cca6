#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/legacy_key.hpp"
#include "cli/report.hpp"
#include "cli/run_log.hpp"
#include "jail/next_program.hpp"
#include "jail/notify.hpp"
#include "jail/supervisor.hpp"
#include "monitor/firewall_keeper.hpp"
#include "service/failure_notice.hpp"
#include "service/systemd.hpp"

namespace evojail {
namespace {

int run_jail(const Invocation& invocation, const std::string& name) {
  SupervisorOptions options;
  options.host = invocation.host;
  options.settings_file = invocation.settings_file;
  options.name = name;
  options.log = make_run_log(name);
  options.set_weights = set_own_weights;
  if (is_trial()) return report(run_trial(options));
  if (const auto made = ensure_legacy_key(options.host, name); !made) {
    options.log(LogLevel::warning, made.error().message());
  }
  // Under systemd it is a unit of its own that watches.
  FirewallRole role(options.host, options.log);
  if (!is_service()) {
    // After the first connections: nobody waits for it.
    options.beside = [&role](EventLoop& loop) {
      loop.at(EventLoop::Clock::now() + std::chrono::milliseconds(500),
              [&role, &loop] { role.seek(loop); });
    };
  }
  // What reading the command line took is not kept for the life of the jail.
  ::malloc_trim(0);
  const auto ended = run_supervisor(options);
  if (ended) return exit_code::done;
  notify_manager(format_failure_notice(ended.error()));
  log_error(options.log, ended.error());
  return exit_code_of(ended.error());
}

}  // namespace

Action declare_run(Arguments& arguments) {
  auto name = std::make_shared<std::string>();
  arguments.word("NAME", *name, "the jail");
  arguments.note(
      "Stays until it is stopped (SIGTERM, SIGINT, evojail stop). Logs to stderr; says READY=1 "
      "through sd_notify(3) when the port answers, and takes its listener from systemd where it "
      "is passed one.");
  arguments.example("run web1", "To watch a jail at work.");
  return [name](const Invocation& invocation) { return run_jail(invocation, *name); };
}

}  // namespace evojail
