#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"

namespace evojail {

Action declare_is_on(Arguments& arguments) {
  auto name = std::make_shared<std::string>();
  arguments.word("NAME", *name, "the jail");
  arguments.note("Prints nothing. Exit code 0: it runs; 100: it is off.");
  arguments.example("is-on web1 || evojail start web1", "For scripts.");
  return [name](const Invocation& invocation) {
    if (const auto there = require_jail(invocation.host, *name); !there) return report(there);
    const auto on = is_on(service_of(invocation), *name);
    if (!on) return report(on.error());
    return *on ? exit_code::done : exit_code::off;
  };
}

}  // namespace evojail
