#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/json/host.hpp"
#include "cli/terminal.hpp"
#include "monitor/setup_check.hpp"

namespace evojail {
namespace {

struct Mark {
  std::string_view text;
  Colour colour;
};

Mark mark_of(Finding::Level level) {
  switch (level) {
    case Finding::Level::good:
      return {"ok     ", Colour::good};
    case Finding::Level::note:
      return {"note   ", Colour::warning};
    case Finding::Level::missing:
      break;
  }
  return {"MISSING", Colour::bad};
}

void print_findings(const Findings& findings, bool quiet) {
  const bool colour = stdout_takes_colour();
  for (const Finding& finding : findings) {
    if (quiet && finding.level == Finding::Level::good) continue;
    const Mark mark = mark_of(finding.level);
    fmt::print("{}  {}: {}\n", coloured(mark.text, mark.colour, colour), finding.subject,
               finding.text);
    if (!finding.cure.empty()) fmt::print("         cure: {}\n", finding.cure);
  }
}

}  // namespace

Action declare_check_setup(Arguments& arguments) {
  auto json = std::make_shared<bool>(false);
  arguments.flag("--json", *json, "for machines");
  arguments.example("check-setup", "Before the first jail, and after an upgrade of the host.");
  arguments.note("Changes nothing. Exit code 0: jails can run here; 1: something is missing.");
  return [json](const Invocation& invocation) {
    const Findings findings = check_setup(invocation.host);
    if (*json) {
      fmt::print("{}\n", findings_json(findings));
    } else {
      print_findings(findings, invocation.quiet);
    }
    const bool lacking = std::ranges::any_of(
        findings, [](const Finding& finding) { return finding.level == Finding::Level::missing; });
    return lacking ? exit_code::failed : exit_code::done;
  };
}

}  // namespace evojail
