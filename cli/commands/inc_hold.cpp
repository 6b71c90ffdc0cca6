#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

#include "cli/declare.hpp"
#include "cli/hold_date.hpp"
#include "cli/message.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/stopped_text.hpp"
#include "cli/text.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"

namespace evojail {
namespace {

struct HoldOptions {
  std::string word;
  std::optional<std::string> reason;
  std::optional<std::string> until;
};

HoldWait note_of_wait(const Invocation& invocation) {
  if (invocation.quiet) return {};
  return [](const Error& busy) { print_note("waiting: " + busy.message()); };
}

Result<void> run_hold(const Invocation& invocation, const HoldOptions& options) {
  TRY(const IncName name, parse_inc_word(options.word));
  CHECK(require_inc_owner(invocation.host, name.jail));
  TRY(const std::string reason, parse_reason(options.reason));
  TRY(const auto until, parse_hold_end(options.until));
  TRY(const Hold hold,
      hold_inc(invocation.host, name.jail, name.inc, reason, until, note_of_wait(invocation)));
  if (invocation.quiet) return {};
  fmt::print("inc '{}' is held{}: {}\n", options.word,
             hold.until ? " up to and including " + format_local_day(*hold.until - 1) : "",
             hold.reason);
  return {};
}

/// The inc that the word names; of a jail's name, all that are held: what freeze held.
Result<std::vector<IncName>> select_held(const HostSettings& host, const std::string& word) {
  if (word.contains('/')) {
    TRY(IncName one, parse_inc_word(word));
    CHECK(require_inc_owner(host, one.jail));
    return std::vector<IncName>{std::move(one)};
  }
  CHECK(require_inc_owner(host, word));
  TRY(const auto incs, list_incs(host, word));
  std::vector<IncName> held;
  for (const IncInfo& inc : incs) {
    if (inc.held) held.push_back({word, inc.name});
  }
  if (held.empty()) {
    return std::unexpected(Error(fmt::format("jail '{}' has no inc on hold", word))
                               .hint(fmt::format("'evojail list-incs {}' shows its incs", word)));
  }
  return held;
}

Result<void> run_release(const Invocation& invocation, const std::string& word) {
  TRY(const auto incs, select_held(invocation.host, word));
  for (const IncName& inc : incs) {
    CHECK(release_inc(invocation.host, inc.jail, inc.inc, note_of_wait(invocation)));
    if (!invocation.quiet) fmt::print("inc '{}/{}' is held no more\n", inc.jail, inc.inc);
  }
  return {};
}

void print_frozen(const std::string& name, const Result<std::optional<Stopped>>& stopped,
                  const Result<bool>& at_boot, std::size_t held) {
  std::string state;
  if (stopped && at_boot) {
    state = fmt::format(" is {}{};", *stopped ? "stopped, " + describe(**stopped) : "off",
                        *at_boot ? ", and no longer starts at boot" : "");
  }
  fmt::print("jail '{}'{} {} held\n", name, state.empty() ? ":" : state, count_of(held, "inc"));
}

/// Stopped first: what a compromised client could still do to its data ends now, however long an
/// inc that is under way keeps the holds waiting. Held whatever came of that.
Result<void> run_freeze(const Invocation& invocation, const HoldOptions& options) {
  const std::string& name = options.word;
  CHECK(require_jail(invocation.host, name));
  TRY(const std::string reason, parse_reason(options.reason));
  TRY(const auto until, parse_hold_end(options.until));
  const ServiceHost service = service_of(invocation);
  const auto stopped = stop_jail(service, name);
  const auto at_boot = disable_jail(service, name);
  const auto held = hold_all_incs(invocation.host, name, reason, until, note_of_wait(invocation));
  if (held && !invocation.quiet) print_frozen(name, stopped, at_boot, *held);
  std::optional<Error> last;
  const auto fails = [&last](Error error) {
    if (last) print_error(*last);
    last = std::move(error);
  };
  if (!stopped) fails(stopped.error());
  if (!at_boot) {
    fails(
        Error(at_boot.error())
            .in(fmt::format("jail '{}' {}may start at boot", name, stopped ? "is off, but " : "")));
  }
  if (!held) {
    fails(Error(held.error())
              .in(fmt::format("jail '{}' is {}, {} its incs are not held", name,
                              stopped ? "off" : "not off", stopped ? "but" : "and")));
  }
  if (last) return std::unexpected(std::move(*last));
  return {};
}

}  // namespace

Action declare_inc_hold(Arguments& arguments) {
  auto options = std::make_shared<HoldOptions>();
  arguments.word("NAME/INC", options->word, "the inc");
  arguments.option("--reason", "TEXT", options->reason, "why, in a line; must be given");
  arguments.option("--until", "YYYY-MM-DD", options->until,
                   "the last day of the hold; without it the hold has no end");
  arguments.note(
      "An inc that is held already keeps its reason beside this one, and of both ends the later. A "
      "hold is shortened by inc-release and a new one.");
  arguments.example("inc-hold web1/2026-03-22-11 --reason 'before the migration'",
                    "Neither rm nor remove touches it.");
  return [options](const Invocation& invocation) { return report(run_hold(invocation, *options)); };
}

Action declare_inc_release(Arguments& arguments) {
  auto word = std::make_shared<std::string>();
  arguments.word("NAME/INC|NAME", *word, "the inc, or all of a jail that are held");
  arguments.example("inc-release web1/2026-03-22-11", "The policy decides about it again.");
  arguments.example("inc-release web1", "After a freeze.");
  return [word](const Invocation& invocation) { return report(run_release(invocation, *word)); };
}

Action declare_freeze(Arguments& arguments) {
  auto options = std::make_shared<HoldOptions>();
  arguments.word("NAME", options->word, "the jail");
  arguments.option("--reason", "TEXT", options->reason, "why, in a line; must be given");
  arguments.option("--until", "YYYY-MM-DD", options->until,
                   "the last day of the holds; without it they have no end");
  arguments.note(
      "An inc that is held already keeps its reason beside this one, and of both ends the later. "
      "Nor does systemd start the jail at boot any more; 'start all' and 'restart all' do. What "
      "keeps its client out whatever starts it: 'evojail ip NAME none'. To take it up again: "
      "evojail inc-release NAME, evojail start NAME, and systemctl enable for its unit.");
  arguments.example("freeze web1 --reason 'client compromised'",
                    "Nothing of its history goes until somebody has looked at it.");
  return
      [options](const Invocation& invocation) { return report(run_freeze(invocation, *options)); };
}

}  // namespace evojail
