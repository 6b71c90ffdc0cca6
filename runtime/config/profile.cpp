#include "config/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/printable.hpp"
#include "config/json_lines.hpp"
#include "config/profile_words.hpp"

namespace evojail {
namespace {

using Json = nlohmann::json;

/// libseccomp takes less than the kernel's MAX_ERRNO.
constexpr std::uint64_t kMaxErrno = 4094;

constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_syscall_char(char c) { return is_lower(c) || is_digit(c) || c == '_'; }
constexpr bool is_constant_char(char c) { return is_upper(c) || is_digit(c) || c == '_'; }
constexpr bool is_program_char(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' || c == '-' || c == '.' ||
         c == '[' || c == '+';
}

template <class Range, class Value, class Projection = std::identity>
bool contains(const Range& range, const Value& value, Projection projection = {}) {
  return std::ranges::find(range, value, projection) != std::ranges::end(range);
}

bool is_word(std::string_view text, bool (*allowed)(char)) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, allowed);
}

/// One value of the document, with what an error message needs to say where it stands.
class Node {
 public:
  Node(const Json& value, std::string pointer, const JsonLines& lines, std::string_view file)
      : value_(&value), pointer_(std::move(pointer)), lines_(&lines), file_(file) {}

  [[nodiscard]] unsigned line() const {
    const auto found = lines_->find(pointer_);
    return found == lines_->end() ? 1 : found->second;
  }

  [[nodiscard]] std::unexpected<Error> bad(std::string_view what) const {
    return fail(fmt::format("{}:{}: {}{}{}", file_, line(), printable(pointer_),
                            pointer_.empty() ? "" : ": ", what));
  }

  /// An object with no members but these.
  [[nodiscard]] Result<void> object(std::initializer_list<std::string_view> members) const {
    if (!value_->is_object()) return bad("an object is expected");
    for (const auto& item : value_->items()) {
      if (std::ranges::find(members, item.key()) == members.end()) {
        return child(item.key(), item.value())
            .bad(fmt::format("unknown member; known are {}", fmt::join(members, ", ")));
      }
    }
    return {};
  }

  [[nodiscard]] std::optional<Node> optional(const std::string& name) const {
    const auto found = value_->find(name);
    if (found == value_->end()) return std::nullopt;
    return child(name, *found);
  }

  [[nodiscard]] Result<Node> member(const std::string& name) const {
    std::optional<Node> found = optional(name);
    if (!found) return bad(fmt::format("the member \"{}\" is missing", name));
    return *std::move(found);
  }

  [[nodiscard]] Result<std::vector<Node>> elements() const {
    if (!value_->is_array()) return bad("an array is expected");
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < value_->size(); ++i) {
      nodes.push_back(child(std::to_string(i), (*value_)[i]));
    }
    return nodes;
  }

  /// A string of one line, with something in it and nothing that a terminal would obey.
  [[nodiscard]] Result<std::string> sentence() const {
    const auto* text = value_->get_ptr<const std::string*>();
    if (text == nullptr) return bad("a string is expected");
    const auto control = [](unsigned char c) { return c < ' ' || c == '\x7f'; };
    if (text->empty() || std::ranges::any_of(*text, control)) {
      return bad("one line of text is expected");
    }
    return *text;
  }

  [[nodiscard]] Result<std::string> word(bool (*allowed)(char), std::string_view what) const {
    const auto* text = value_->get_ptr<const std::string*>();
    if (text == nullptr || !is_word(*text, allowed))
      return bad(fmt::format("{} is expected", what));
    return *text;
  }

  [[nodiscard]] Result<std::uint64_t> number(std::uint64_t low, std::uint64_t high) const {
    if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() < low ||
        value_->get<std::uint64_t>() > high) {
      return bad(fmt::format("a whole number from {} to {} is expected", low, high));
    }
    return value_->get<std::uint64_t>();
  }

  template <class T, std::size_t N>
  [[nodiscard]] Result<T> one_of(const std::array<Word<T>, N>& words) const {
    const auto* text = value_->get_ptr<const std::string*>();
    const auto found =
        text == nullptr ? words.end() : std::ranges::find(words, *text, &Word<T>::text);
    if (found == words.end()) {
      std::vector<std::string_view> names;
      for (const auto& word : words) names.push_back(word.text);
      return bad(fmt::format("one of {} is expected", fmt::join(names, ", ")));
    }
    return found->value;
  }

 private:
  [[nodiscard]] Node child(std::string_view name, const Json& value) const {
    return {value, json_pointer(pointer_, name), *lines_, file_};
  }

  const Json* value_;
  std::string pointer_;
  const JsonLines* lines_;
  std::string_view file_;
};

Result<SeccompArgument> parse_argument(const Node& node) {
  CHECK(node.object({"index", "value", "valueTwo", "op"}));
  SeccompArgument argument;
  TRY(const Node index, node.member("index"));
  TRY(const std::uint64_t number, index.number(0, 5));
  argument.index = static_cast<unsigned>(number);
  TRY(const Node op, node.member("op"));
  TRY(argument.op, op.one_of(kOperators));
  TRY(const Node value, node.member("value"));
  TRY(argument.value, value.number(0, std::numeric_limits<std::uint64_t>::max()));
  const std::optional<Node> two = node.optional("valueTwo");
  if (argument.op != SeccompOperator::masked_equal) {
    if (two) return two->bad("only SCMP_CMP_MASKED_EQ takes a second value");
    return argument;
  }
  if (!two) return node.bad(R"(SCMP_CMP_MASKED_EQ needs "value" (the mask) and "valueTwo")");
  TRY(argument.value_two, two->number(0, std::numeric_limits<std::uint64_t>::max()));
  if ((argument.value_two & ~argument.value) != 0) {
    return two->bad("has bits outside the mask in \"value\", so it can never match");
  }
  return argument;
}

Result<std::vector<SeccompArgument>> parse_arguments(const Node& node) {
  std::vector<SeccompArgument> arguments;
  TRY(const std::vector<Node> elements, node.elements());
  for (const Node& element : elements) {
    TRY(const SeccompArgument argument, parse_argument(element));
    if (contains(arguments, argument.index, &SeccompArgument::index)) {
      return element.bad(
          "the argument is already compared in this group; alternatives are groups of their own");
    }
    arguments.push_back(argument);
  }
  return arguments;
}

Result<std::uint16_t> parse_error(const Node& group, const std::string& member,
                                  SeccompAction action) {
  const std::optional<Node> error = group.optional(member);
  if (!error) return std::uint16_t{1};
  if (action != SeccompAction::error) {
    return error->bad("only SCMP_ACT_ERRNO returns an errno");
  }
  TRY(const std::uint64_t value, error->number(1, kMaxErrno));
  return static_cast<std::uint16_t>(value);
}

Result<SyscallName> parse_syscall_name(const Node& node) {
  TRY(std::string name, node.word(is_syscall_char, "the name of a system call"));
  return SyscallName{.name = std::move(name), .line = node.line()};
}

Result<SyscallGroup> parse_group(const Node& node) {
  CHECK(node.object({"comment", "names", "action", "errnoRet", "args"}));
  SyscallGroup group;
  group.line = node.line();
  TRY(const Node comment, node.member("comment"));
  TRY(group.comment, comment.sentence());
  TRY(const Node action, node.member("action"));
  TRY(group.action, action.one_of(kActions));
  TRY(group.error, parse_error(node, "errnoRet", group.action));
  TRY(const Node names, node.member("names"));
  TRY(const std::vector<Node> elements, names.elements());
  if (elements.empty()) return names.bad("at least one system call is expected");
  for (const Node& element : elements) {
    TRY(SyscallName name, parse_syscall_name(element));
    group.names.push_back(std::move(name));
  }
  if (const std::optional<Node> arguments = node.optional("args")) {
    TRY(group.arguments, parse_arguments(*arguments));
  }
  return group;
}

/// A rule without conditions swallows every other rule for its call (seccomp_rule_add(3)), so
/// naming the call again can only be a mistake.
Result<std::vector<SyscallGroup>> parse_groups(const Node& node, std::string_view file) {
  std::vector<SyscallGroup> groups;
  std::map<std::string, std::pair<unsigned, bool>> named;  // line, with conditions
  TRY(const std::vector<Node> elements, node.elements());
  for (const Node& element : elements) {
    TRY(SyscallGroup group, parse_group(element));
    const bool conditions = !group.arguments.empty();
    for (const SyscallName& name : group.names) {
      const auto [found, added] = named.try_emplace(name.name, name.line, conditions);
      if (!added && (!conditions || !found->second.second)) {
        return fail(fmt::format(
            "{}:{}: '{}' is already named in line {}, and one of the two has no conditions", file,
            name.line, name.name, found->second.first));
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<ProfileCapability>> parse_profile_capabilities(const Node& node) {
  std::vector<ProfileCapability> capabilities;
  TRY(const std::vector<Node> elements, node.elements());
  for (const Node& element : elements) {
    CHECK(element.object({"name", "comment"}));
    TRY(const Node name, element.member("name"));
    TRY(std::string text, name.word(is_constant_char, "a capability such as CAP_CHOWN"));
    if (!text.starts_with("CAP_")) return name.bad("a capability such as CAP_CHOWN is expected");
    TRY(const Node comment, element.member("comment"));
    TRY(std::string reason, comment.sentence());
    if (contains(capabilities, text, &ProfileCapability::name)) {
      return name.bad("the capability is there twice");
    }
    capabilities.push_back({std::move(text), std::move(reason), name.line()});
  }
  return capabilities;
}

Result<std::vector<ProfileProgram>> parse_programs(const Node& node) {
  std::vector<ProfileProgram> programs;
  TRY(const std::vector<Node> elements, node.elements());
  if (elements.empty()) return node.bad("at least one program is expected");
  for (const Node& element : elements) {
    TRY(std::string name, element.word(is_program_char, "the file name of a program"));
    if (name == "." || name == "..") return element.bad("the file name of a program is expected");
    if (contains(programs, name, &ProfileProgram::name)) {
      return element.bad("the program is there twice");
    }
    programs.push_back({std::move(name), element.line()});
  }
  return programs;
}

Result<std::vector<ProfileLimit>> parse_limits(const Node& node) {
  std::vector<ProfileLimit> limits;
  TRY(const std::vector<Node> elements, node.elements());
  for (const Node& element : elements) {
    CHECK(element.object({"type", "hard", "comment"}));
    ProfileLimit limit;
    TRY(const Node type, element.member("type"));
    TRY(limit.resource, type.one_of(kLimits));
    TRY(limit.name, type.sentence());
    TRY(const Node hard, element.member("hard"));
    TRY(limit.value, hard.number(0, std::numeric_limits<std::int64_t>::max()));
    TRY(const Node comment, element.member("comment"));
    TRY(limit.comment, comment.sentence());
    if (contains(limits, limit.resource, &ProfileLimit::resource)) {
      return type.bad("the limit is there twice");
    }
    limits.push_back(std::move(limit));
  }
  return limits;
}

/// The flags of one mount; a profile may add to `least`, never take from it.
Result<MountFlags> parse_mount(const Node& mounts, const std::string& name, MountFlags least) {
  MountFlags flags;
  TRY(const Node node, mounts.member(name));
  TRY(const std::vector<Node> elements, node.elements());
  for (const Node& element : elements) {
    TRY(const auto flag, element.one_of(kMountFlags));
    flags.*flag = true;
  }
  for (const auto& [word, flag] : kMountFlags) {
    if (least.*flag && !(flags.*flag)) {
      return node.bad(fmt::format("\"{}\" is missing, which no profile can take away", word));
    }
  }
  return flags;
}

Result<ProfileMounts> parse_mounts(const Node& node) {
  constexpr MountFlags kPrograms{.readonly = true, .nosuid = true, .nodev = true};
  constexpr MountFlags kFiles{.nosuid = true, .nodev = true, .noexec = true};
  CHECK(node.object({"base", "data", "var", "tmp", "run"}));
  ProfileMounts mounts;
  TRY(mounts.base, parse_mount(node, "base", kPrograms));
  if (mounts.base.noexec) return node.bad("with \"noexec\" on the base image no program runs");
  TRY(mounts.data, parse_mount(node, "data", kFiles));
  TRY(mounts.var, parse_mount(node, "var", kFiles));
  TRY(mounts.tmp, parse_mount(node, "tmp", kFiles));
  TRY(mounts.run, parse_mount(node, "run", kFiles));
  return mounts;
}

Result<std::vector<Architecture>> parse_architectures(const Node& node) {
  std::vector<Architecture> architectures;
  TRY(const std::vector<Node> elements, node.elements());
  if (elements.empty()) return node.bad("at least one architecture is expected");
  for (const Node& element : elements) {
    TRY(const Architecture architecture, element.one_of(kArchitectures));
    if (contains(architectures, architecture)) {
      return element.bad("the architecture is there twice");
    }
    architectures.push_back(architecture);
  }
  return architectures;
}

Result<Profile> parse_document(const Node& root, std::string_view file) {
  CHECK(root.object({"description", "defaultAction", "defaultErrnoRet", "architectures",
                     "newestSyscall", "capabilities", "programs", "limits", "mounts", "syscalls"}));
  Profile profile;
  profile.file = file;
  TRY(const Node description, root.member("description"));
  TRY(profile.description, description.sentence());
  TRY(const Node action, root.member("defaultAction"));
  TRY(profile.default_action, action.one_of(kDefaultActions));
  TRY(profile.default_error, parse_error(root, "defaultErrnoRet", profile.default_action));
  TRY(const Node architectures, root.member("architectures"));
  TRY(profile.architectures, parse_architectures(architectures));
  TRY(const Node newest, root.member("newestSyscall"));
  TRY(profile.newest_syscall, parse_syscall_name(newest));
  TRY(const Node capabilities, root.member("capabilities"));
  TRY(profile.capabilities, parse_profile_capabilities(capabilities));
  TRY(const Node programs, root.member("programs"));
  TRY(profile.programs, parse_programs(programs));
  TRY(const Node limits, root.member("limits"));
  TRY(profile.limits, parse_limits(limits));
  TRY(const Node mounts, root.member("mounts"));
  TRY(profile.mounts, parse_mounts(mounts));
  TRY(const Node syscalls, root.member("syscalls"));
  TRY(profile.syscalls, parse_groups(syscalls, file));
  return profile;
}

}  // namespace

Result<Profile> parse_profile(std::string_view text, std::string_view file) {
  TRY(const JsonLines lines, read_json_lines(text, file));
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return fail(fmt::format("{}:1: no JSON", file));
  return parse_document(Node(document, "", lines, file), file);
}

}  // namespace evojail
