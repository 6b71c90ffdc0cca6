#include <fmt/format.h>

#include <memory>

#include "cli/declare.hpp"
#include "cli/hold_date.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/text.hpp"
#include "store/holds.hpp"

namespace evojail {
namespace {

struct HoldOptions {
  std::string word;
  std::optional<std::string> reason;
  std::optional<std::string> until;
};

Result<void> run_hold(const Invocation& invocation, const HoldOptions& options) {
  TRY(const IncName name, parse_inc_word(options.word));
  TRY(const std::string reason, parse_reason(options.reason));
  TRY(const auto until, parse_hold_end(options.until));
  CHECK(hold_inc(invocation.host, name.jail, name.inc, reason, until));
  if (invocation.quiet) return {};
  fmt::print("inc '{}' is held{}\n", options.word,
             options.until ? fmt::format(" up to and including {}", *options.until) : "");
  return {};
}

Result<void> run_release(const Invocation& invocation, const std::string& word) {
  TRY(const IncName name, parse_inc_word(word));
  CHECK(release_inc(invocation.host, name.jail, name.inc));
  if (!invocation.quiet) fmt::print("inc '{}' is held no more\n", word);
  return {};
}

/// Stopped first: what a compromised client could still do to its data ends now.
Result<void> run_freeze(const Invocation& invocation, const HoldOptions& options) {
  CHECK(require_jail(invocation.host, options.word));
  TRY(const std::string reason, parse_reason(options.reason));
  TRY(const auto until, parse_hold_end(options.until));
  TRY(const auto sessions, stop_jail(service_of(invocation), options.word));
  TRY(const std::size_t held, hold_all_incs(invocation.host, options.word, reason, until));
  if (invocation.quiet) return {};
  fmt::print("jail '{}' is {}; {} held\n", options.word,
             sessions ? fmt::format("stopped, {} ended", count_of(*sessions, "session")) : "off",
             count_of(held, "inc"));
  return {};
}

}  // namespace

Action declare_inc_hold(Arguments& arguments) {
  auto options = std::make_shared<HoldOptions>();
  arguments.word("NAME/INC", options->word, "the inc");
  arguments.option("--reason", "TEXT", options->reason, "why, in a line; must be given");
  arguments.option("--until", "YYYY-MM-DD", options->until,
                   "the last day of the hold; without it the hold has no end");
  arguments.example("inc-hold web1/2026-03-22-11 --reason 'before the migration'",
                    "Neither rm nor remove touches it.");
  return [options](const Invocation& invocation) { return report(run_hold(invocation, *options)); };
}

Action declare_inc_release(Arguments& arguments) {
  auto word = std::make_shared<std::string>();
  arguments.word("NAME/INC", *word, "the inc");
  arguments.example("inc-release web1/2026-03-22-11", "The policy decides about it again.");
  return [word](const Invocation& invocation) { return report(run_release(invocation, *word)); };
}

Action declare_freeze(Arguments& arguments) {
  auto options = std::make_shared<HoldOptions>();
  arguments.word("NAME", options->word, "the jail");
  arguments.option("--reason", "TEXT", options->reason, "why, in a line; must be given");
  arguments.option("--until", "YYYY-MM-DD", options->until,
                   "the last day of the holds; without it they have no end");
  arguments.note(
      "An inc that is held already keeps its reason beside this one, and of both ends the later.");
  arguments.example("freeze web1 --reason 'client compromised'",
                    "Nothing of its history goes until somebody has looked at it.");
  return
      [options](const Invocation& invocation) { return report(run_freeze(invocation, *options)); };
}

}  // namespace evojail
