#include <fmt/format.h>

#include <memory>

#include "cli/bulk.hpp"
#include "cli/declare.hpp"
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
    // Whoever reads the names must learn that not all of them stand for a sound jail.
    return for_each_jail(*names, [&](const std::string& name) -> Result<void> {
      CHECK(load_settings_file(invocation.host, name));
      return {};
    });
  };
}

}  // namespace evojail
