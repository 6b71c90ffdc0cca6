#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/printable.hpp"
#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/json/incs.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/text.hpp"
#include "store/inc_verify.hpp"

namespace evojail {
namespace {

struct VerifyCommand {
  std::string name;
  std::optional<std::string> word;  ///< the inc, where it is a word of its own
  std::string inc;
  bool contents = false;
  bool json = false;
};

using Proof = IncVerification::Proof;

void tell(const IncVerification& verification, const VerifyCommand& command, bool quiet) {
  for (const std::string& trouble : verification.troubles) fmt::print("{}\n", trouble);
  const VerifyOutcome& tree = verification.tree;
  if (tree.trouble_count > tree.troubles.size()) {
    fmt::print("and {} more\n", tree.trouble_count - tree.troubles.size());
  }
  if (quiet || !verification.unchanged) return;
  fmt::print("inc '{}/{}' is as it was taken: ", command.name, command.inc);
  if (verification.proof == Proof::snapshot) {
    fmt::print("nothing was written to the snapshot\n");
    return;
  }
  fmt::print("{} looked at", count_of(tree.names, "name"));
  if (command.contents) {
    fmt::print(", {} read", count_of(tree.digests, "file"));
    if (tree.without_digest != 0) {
      fmt::print(", {} without a digest to compare with", count_of(tree.without_digest, "file"));
    }
  }
  fmt::print("\n");
}

Error not_as_taken(const IncVerification& verification, const VerifyCommand& command) {
  const std::string inc = fmt::format("inc '{}/{}'", command.name, command.inc);
  switch (verification.proof) {
    case Proof::snapshot:
      return Error(fmt::format("{} is no longer what was taken", inc));
    case Proof::manifest:
      return Error(fmt::format("{} differs from its manifest in {}", inc,
                               count_of(verification.tree.trouble_count, "place")));
    case Proof::none:
      break;
  }
  return Error(fmt::format("{} has no manifest to compare it with", inc))
      .hint("manifests are kept of the newest two incs");
}

/// NAME and INC are two words, or one as inc-hold takes it.
Result<void> settle_names(VerifyCommand& command) {
  if (command.word && !command.name.contains('/')) {
    command.inc = *command.word;
    return {};
  }
  if (command.word) {
    return std::unexpected(
        Error(fmt::format("verify: '{}' is one word too many", printable(*command.word)))
            .hint("usage: evojail verify NAME INC, or evojail verify NAME/INC"));
  }
  if (!command.name.contains('/')) {
    return std::unexpected(
        Error("verify: INC is missing")
            .hint(fmt::format("'evojail list-incs {}' shows the incs", printable(command.name))));
  }
  TRY(IncName inc, parse_inc_word(command.name));
  command.name = std::move(inc.jail);
  command.inc = std::move(inc.inc);
  return {};
}

int run_verify(const Invocation& invocation, VerifyCommand command) {
  if (const auto settled = settle_names(command); !settled) return report(settled);
  if (const auto there = require_inc_owner(invocation.host, command.name); !there) {
    return report(there);
  }
  Progress progress("verifying", invocation.quiet);
  VerifyOptions options;
  options.contents = command.contents;
  options.progress = [&](const TreeProgress& state) {
    progress.update({.what = command.inc, .entries = state.entries, .bytes = state.bytes});
  };
  const auto verification = verify_inc(invocation.host, command.name, command.inc, options);
  progress.clear();
  if (!verification) {
    const std::string inc = fmt::format("verifying inc '{}/{}'", command.name, command.inc);
    // What is not there has been named.
    const bool named = verification.error().message().contains(command.inc);
    return report(named ? verification.error() : Error(verification.error()).in(inc));
  }
  if (command.json) {
    fmt::print("{}\n", verification_json(command.name, command.inc, *verification));
  } else {
    tell(*verification, command, invocation.quiet);
  }
  if (verification->unchanged) return exit_code::done;
  return report(not_as_taken(*verification, command));
}

}  // namespace

Action declare_verify(Arguments& arguments) {
  auto command = std::make_shared<VerifyCommand>();
  arguments.word("NAME", command->name, "the jail, archived ones too; or both as NAME/INC");
  arguments.optional_word("INC", command->word, "the inc");
  arguments.flag("--contents", command->contents,
                 "read every file, too: finds what has rotted on the disk");
  arguments.flag("--json", command->json, "for machines");
  arguments.example("verify web1 2026-03-22-11", "Nothing is missing, added or changed.");
  arguments.example("verify web1 2026-03-22-11 --contents",
                    "And, on ext4 and xfs, every byte is as it was.");
  arguments.note(
      "On ext4 and xfs an inc is compared with its manifest, which is kept of the newest two; "
      "extended attributes and ACLs are not in it. On btrfs the snapshot tells whether it was "
      "written to; its bytes are checked by btrfs-scrub(8).");
  return [command](const Invocation& invocation) { return run_verify(invocation, *command); };
}

}  // namespace evojail
