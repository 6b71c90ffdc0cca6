#include <fmt/format.h>

#include <memory>

#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"

namespace evojail {
namespace {

using Change = Result<bool> (*)(const HostSettings&, const std::string& name,
                                const std::string& inc);

/// Every inc that the word stands for: all, a jail's, or one.
Result<std::vector<IncName>> select_incs(const HostSettings& host, const std::string& word) {
  if (word.contains('/')) {
    TRY(IncName one, parse_inc_word(word));
    CHECK(require_inc_owner(host, one.jail));
    return std::vector<IncName>{std::move(one)};
  }
  std::vector<std::string> owners{word};
  if (word == "all") {
    TRY(owners, list_inc_owners(host));
  } else {
    CHECK(require_inc_owner(host, word));
  }
  std::vector<IncName> all;
  for (const std::string& owner : owners) {
    TRY(const auto incs, list_incs(host, owner, ListDetail::names));
    for (const IncInfo& inc : incs) {
      if (inc.dated) all.push_back({owner, inc.name});
    }
  }
  return all;
}

Action for_incs(Arguments& arguments, std::string_view done, Change change) {
  auto word = std::make_shared<std::string>();
  arguments.word("NAME/INC|NAME|all", *word, "an inc, a jail's incs, or all");
  arguments.note("Incs that are plain directories (ext4, xfs) have no such property.");
  return [word, done, change](const Invocation& invocation) {
    const auto incs = select_incs(invocation.host, *word);
    if (!incs) return report(incs.error());
    if (incs->empty() && !invocation.quiet) {
      fmt::print("{} no incs\n",
                 *word == "all" ? "there are" : fmt::format("jail '{}' has", *word));
    }
    Failures failures;
    for (const IncName& inc : *incs) {
      const std::string name = fmt::format("{}/{}", inc.jail, inc.inc);
      auto changed = change(invocation.host, inc.jail, inc.inc);
      if (!changed) {
        failures.add(name, std::move(changed).error());
      } else if (!invocation.quiet) {
        fmt::print("{}: {}\n", name, *changed ? done : "not btrfs, nothing done");
      }
    }
    return failures.finish(incs->size(), "inc");
  };
}

}  // namespace

Action declare_inc_lock(Arguments& arguments) {
  arguments.example("inc-lock web1/2026-03-22-11", "As every new inc is.");
  return for_incs(arguments, "read-only", lock_inc);
}

Action declare_inc_unlock(Arguments& arguments) {
  arguments.example("inc-unlock web1/2026-03-22-11", "To take something out of an inc by hand.");
  return for_incs(arguments, "writable", unlock_inc);
}

}  // namespace evojail
