#include <fmt/format.h>

#include <memory>

#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/json/incs.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/table.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"

namespace evojail {
namespace {

struct ListIncsOptions {
  std::string name;
  bool no_header = false;
  bool json = false;
};

struct Incs {
  std::vector<IncInfo> incs;
  std::vector<Hold> holds;
};

Result<Incs> read_incs(const HostSettings& host, const std::string& name) {
  CHECK(require_inc_owner(host, name));
  Incs all;
  TRY(all.incs, list_incs(host, name));
  TRY(all.holds, list_holds(host, name));
  return all;
}

/// What is out of the ordinary about an inc, in a few words.
std::string notes_on(const IncInfo& inc, const std::vector<Hold>& holds) {
  std::vector<std::string> notes;
  if (!inc.dated) notes.emplace_back("not an inc");
  if (inc.trouble) notes.push_back(inc.trouble->message());
  if (inc.record_trouble) notes.emplace_back("its record is damaged");
  if (inc.held) {
    std::string held = "held";
    for (const Hold& hold : holds) {
      if (hold.identity != inc.identity) continue;
      if (hold.until) held += " until " + format_local_day(*hold.until - 1);
      held += ": " + hold.reason;
    }
    notes.push_back(held);
  }
  if (inc.record && inc.record->engine == "btrfs" && !inc.locked) notes.emplace_back("writable");
  if (inc.record && !inc.record->sessions.empty()) {
    notes.push_back(count_of(inc.record->sessions.size(), "session") + " open");
  }
  if (inc.record && inc.record->push_in_flight) notes.emplace_back("a push was in flight");
  if (inc.record && !inc.record->troubles.empty()) {
    notes.push_back(enumerate(inc.record->troubles, 1));
  }
  return join(notes, ", ");
}

std::string format_incs(const Incs& all, bool with_header, bool with_colour) {
  Table table;
  table.column("INC");
  table.column("STATE");
  table.column("TAKEN");
  table.column("TOOK", Table::Align::right);
  table.column("ENGINE");
  table.column("ENTRIES", Table::Align::right);
  table.column("COPIED", Table::Align::right);
  table.column("NOTES");
  for (const IncInfo& inc : all.incs) {
    const IncRecord* record = inc.record ? &*inc.record : nullptr;
    table.row(
        {{inc.name},
         !inc.dated     ? Table::Cell{"-"}
         : inc.trouble  ? Table::Cell{"unreadable", Colour::bad}
         : inc.complete ? Table::Cell{"complete", Colour::good}
                        : Table::Cell{"partial", Colour::warning},
         {record != nullptr ? format_local_time(record->began) : "-"},
         {record != nullptr && record->ended ? format_duration(*record->ended - record->began)
                                             : "-"},
         {record != nullptr ? record->engine : "-"},
         {record != nullptr && record->entries ? std::to_string(*record->entries) : "-"},
         {record != nullptr && record->copied_bytes ? format_bytes(*record->copied_bytes) : "-"},
         {notes_on(inc, all.holds)}});
  }
  return table.format(with_header, with_colour);
}

}  // namespace

Action declare_list_incs(Arguments& arguments) {
  auto options = std::make_shared<ListIncsOptions>();
  arguments.word("NAME", options->name, "a jail, archived ones too");
  arguments.flag("--no-header", options->no_header, "rows only");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("list-incs web1",
                    "When each was taken, how long it took, whether it is whole.");
  return [options](const Invocation& invocation) {
    const auto all = read_incs(invocation.host, options->name);
    if (!all) return report(all.error());
    if (options->json) {
      fmt::print("{}\n", incs_json(options->name, all->incs, all->holds));
    } else {
      fmt::print("{}", format_incs(*all, !options->no_header, stdout_takes_colour()));
    }
    return exit_code::done;
  };
}

}  // namespace evojail
