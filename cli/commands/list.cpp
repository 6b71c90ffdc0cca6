#include <fmt/format.h>

#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/json/jails.hpp"
#include "cli/report.hpp"
#include "store/jails.hpp"

namespace evojail {

Action declare_list(Arguments& arguments) {
  auto json = std::make_shared<bool>(false);
  arguments.flag("--json", *json, "for machines");
  arguments.example("list", "A name a line.");
  return [json](const Invocation& invocation) {
    const auto names = list_jails(invocation.host);
    if (!names) return report(names.error());
    if (*json) {
      fmt::print("{}\n", names_json(*names));
    } else {
      for (const std::string& name : *names) fmt::print("{}\n", name);
    }
    return exit_code::done;
  };
}

}  // namespace evojail
