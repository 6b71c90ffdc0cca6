#include <fmt/format.h>

#include <cerrno>
#include <memory>

#include "base/file.hpp"
#include "base/printable.hpp"
#include "cli/declare.hpp"
#include "cli/json/host.hpp"
#include "cli/report.hpp"
#include "config/profile_files.hpp"
#include "config/profile_text.hpp"
#include "jail/jail_rules.hpp"
#include "kernel/profile_check.hpp"

namespace evojail {
namespace {

struct ProfileOptions {
  std::string verb;
  std::optional<std::string> object;
  bool json = false;
};

constexpr const char* kUsage =
    "evojail profile list; evojail profile show NAME; evojail profile "
    "check FILE";

Result<void> list(const HostSettings& host, const ProfileOptions& options) {
  TRY(const auto files, find_profiles(host));
  std::vector<std::string> names;
  std::vector<Profile> profiles;
  for (const auto& [name, file] : files) {
    TRY(Profile profile, load_profile_file(file));
    names.push_back(name);
    profiles.push_back(std::move(profile));
  }
  if (options.json) {
    fmt::print("{}\n", profiles_json(names, profiles));
    return {};
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    fmt::print("{:<12} {}\n", names[i], profiles[i].description);
  }
  return {};
}

void print_row(const ProfileRow& row) {
  fmt::print("  {}: {}\n", row.subject, row.rule);
  if (!row.reason.empty()) fmt::print("      {}\n", row.reason);
}

Result<void> show(const HostSettings& host, const ProfileOptions& options) {
  if (options.object->contains('/')) {
    return std::unexpected(
        Error(fmt::format("'{}' is no profile's name", printable(*options.object)))
            .hint("'evojail profile list' shows the names; a file: evojail profile check FILE"));
  }
  TRY(const Profile profile, load_profile(host, *options.object));
  if (options.json) {  // the file is JSON, and whole
    TRY(const std::string text, read_file(profile.file));
    fmt::print("{}", text);
    return {};
  }
  fmt::print("{}: {}\n'{}'\n", *options.object, profile.description, profile.file);
  for (const ProfileSection& section : describe_profile(profile)) {
    fmt::print("\n{}\n", section.title);
    for (const ProfileRow& row : section.rows) print_row(row);
  }
  return {};
}

/// What may have been meant by a word that names no file.
std::string hint_for(const HostSettings& host, const std::string& word) {
  if (const auto files = find_profiles(host); files && files->contains(word)) {
    return fmt::format("of the profile of that name: evojail profile check {}", files->at(word));
  }
  return "a file is wanted; 'evojail profile list' shows names";
}

Result<void> check(const HostSettings& host, const ProfileOptions& options, bool quiet) {
  const std::string& file = *options.object;
  auto loaded = load_profile_file(file);
  if (!loaded && loaded.error().code() == ENOENT) {
    return std::unexpected(std::move(loaded).error().hint(hint_for(host, file)));
  }
  TRY(const Profile profile, std::move(loaded));
  TRY(const auto sizes, check_profile(profile));
  if (options.json) {
    fmt::print("{}\n", profile_check_json(file, sizes));
    return {};
  }
  if (quiet) return {};
  fmt::print("'{}' is sound\n", file);
  for (const CompiledSize& size : sizes) {
    fmt::print("  {}: a filter of {} instructions\n", to_string(size.architecture),
               size.instructions);
  }
  return {};
}

Result<void> run_profile(const Invocation& invocation, const ProfileOptions& options) {
  if (options.verb == "list" && !options.object) return list(invocation.host, options);
  if (options.verb == "show" && options.object) return show(invocation.host, options);
  if (options.verb == "check" && options.object)
    return check(invocation.host, options, invocation.quiet);
  return std::unexpected(Error("profile: list, show NAME or check FILE is wanted").hint(kUsage));
}

}  // namespace

Action declare_profile(Arguments& arguments) {
  auto options = std::make_shared<ProfileOptions>();
  arguments.word("list|show|check", options->verb, "what to do");
  arguments.optional_word("NAME|FILE", options->object,
                          "a profile's name to show, a file to check");
  arguments.flag("--json", options->json, "for machines; show: the file as it is written");
  arguments.example("profile list", "The profiles that PROFILE in jail.conf can name.");
  arguments.example("profile show sftp",
                    "System calls, capabilities, programs and limits, with reasons.");
  arguments.example("profile check my.json", "Errors with their line.");
  arguments.note(
      "Profiles of your own go into CONFDIR/profiles/NAME.json. One that is called like one of "
      "evojail's takes its place.");
  return
      [options](const Invocation& invocation) { return report(run_profile(invocation, *options)); };
}

}  // namespace evojail
